package bench

import (
	"context"
	"math/rand/v2"
	"os"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
)

// decodeBatch is how many pictures a repetition loads: enough that the operations
// which chance chooses for each even out.
const decodeBatch = 32

// decodings loads pictures as one worker of the training loader does: opens and
// decodes a JPEG of 640 x 480 on disk, crops, resizes, flips, varies and
// normalises it as pretraining does, and cleans its caption. It runs on one core.
func decodings(ctx context.Context, c albef.Config, spec Spec, times *clock, r *Result) error {
	r.Threads = 1
	dir, err := os.MkdirTemp("", "vlab-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	paths, err := WritePictures(dir)
	if err != nil {
		return err
	}
	var records []data.Pretrain
	for _, path := range paths {
		records = append(records, data.Pretrain{Image: path, Captions: []string{PictureCaption}})
	}
	clean := func(caption string) string { return text.PreCaption(caption, 30) }
	source := data.NewPretrainSource(records, data.NewAugmented(data.PretrainAugment(c.ImageRes)), clean)
	rng, pixels, next := rand.New(rand.NewPCG(1, 2)), make([]float32, 3*c.ImageRes*c.ImageRes), 0
	return spec.repeat(ctx, times, func() error {
		for range spec.Batch {
			if _, err := source.Load(next%len(records), rng, pixels); err != nil {
				return err
			}
			next++
		}
		return nil
	})
}
