package task

import (
	"context"
	"errors"
	"time"

	"vlab/albef/data"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// measuring is how a task reads what it measures.
type measuring struct {
	*Run
	stage  string // what observers are told
	source data.Source
	size   int // of an image, in pixels
	images int // in a sample
}

// each hands all samples to do in order, a batch at a time, each in a scope of
// its own. A picture that can't be read is an error.
func (m measuring) each(ctx context.Context, do func(s *torch.Scope, b *data.Batch) error) error {
	loader, err := data.NewLoader(m.source, data.LoaderConfig{
		Batch: m.evalBatch(), Size: m.size, Images: m.images, Order: data.InOrder, KeepLast: true, Epochs: 1,
		Workers: m.Config.NumWorkers, MaxBad: -1,
	})
	if err != nil {
		return err
	}
	began, all := time.Now(), m.source.Len()
	for done := 0; done < all && err == nil; {
		var batch *data.Batch
		if batch, err = loader.Next(ctx); err != nil {
			break
		}
		failed := torch.Do(func(s *torch.Scope) { err = do(s, batch) })
		err = errors.Join(failed, err)
		if done += len(batch.Index); m.Observe != nil && err == nil {
			each := time.Since(began) / time.Duration(done)
			m.Observe(m.stage, train.Progress{
				Step: done, Steps: all, ImagesPerSec: 1 / max(each.Seconds(), 1e-9), Left: each * time.Duration(all-done),
			})
		}
	}
	return errors.Join(err, loader.Close())
}

// evalBatch is how many samples are measured at a time; it changes no result.
func (r *Run) evalBatch() int {
	for _, n := range []int{r.Config.BatchSizeTest, r.Config.BatchSize} {
		if n > 0 {
			return n
		}
	}
	return 64
}

// trainBatch is how many samples a step has.
func (r *Run) trainBatch() int {
	if n := r.Config.BatchSizeTrain; n > 0 {
		return n
	}
	return r.Config.BatchSize
}

// augmented is the transform of training: what the task does officially, or
// with augment: none what evaluation does. Flips make "left of" wrong, and
// changed colours make "red" so. With official_quirks large pictures are decoded
// in full, as the official code does, and not at 1/2, 1/4 or 1/8 of their size.
func augmented(c *train.Config, official data.TrainConfig) data.Transform {
	if c.Augment == "none" {
		return data.NewResized(official.Size)
	}
	official.FastDecode = !c.OfficialQuirks
	return data.NewAugmented(official)
}
