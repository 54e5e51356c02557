package task

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// labelledKind is what tells apart the tasks that put sentences about images
// into classes.
type labelledKind[R data.Record] struct {
	name    string
	classes []string // in the order of the logits
	images  int      // in a record
	read    func(ctx context.Context, root string, files ...string) ([]R, error)
	of      func(r R) (sentence string, class int)
	format  string // of the records, for hints
}

// labelled is one VE or NLVR at work.
type labelled[R data.Record] struct {
	*Run
	labelledKind[R]
	model     *albef.Classifier
	tok       *text.Tokenizer
	positions int // that the model has
	splits    []labelledSplit[R]
}

// labelledSplit is what is measured under a prefix, val_ or test_.
type labelledSplit[R data.Record] struct {
	name    string
	records []R
}

// job is the part of the task in a run.
func (t *labelled[R]) job() job[albef.Labelled] {
	j := job[albef.Labelled]{
		model: t.model, queries: Trained{
			Judge: t.model, Pairs: t.images == 2,
			Sample: sampleOf(t.splits[0].records, func(r R) string { sentence, _ := t.of(r); return sentence }),
		}, fresh: albef.IsClassHead, feed: t.feed, evaluate: t.evaluate, score: "val_acc",
		forward: func(b albef.Labelled, distill float64) []train.Loss {
			return []train.Loss{{Name: "loss", Value: t.model.Loss(b, distill)}}
		},
	}
	if t.Config.Distill {
		j.distill = train.DistillRamp{Weight: t.Config.DistillWeight, WarmUp: t.Config.WarmUp}
	}
	return j
}

// readSplits reads and checks what is measured.
func (t *labelled[R]) readSplits(ctx context.Context) error {
	c := t.Config
	for _, split := range []struct {
		name  string
		files []string
	}{{"val", c.ValFile}, {"test", c.TestFile}} {
		if len(split.files) == 0 {
			continue
		}
		records, err := t.reading(split.name+"_file", split.files).measured(ctx, t.Run, t.tok, t.positions)
		if err != nil {
			return err
		}
		t.splits = append(t.splits, labelledSplit[R]{split.name, records})
	}
	if len(t.splits) == 0 {
		return &hintError{errors.New("config: neither val_file nor test_file says what to measure"), "name records " + t.format}
	}
	return nil
}

// reading is how records are read; sentences have no limit in tokens but the
// model's positions.
func (t *labelled[R]) reading(key string, files []string) reading[R] {
	return reading[R]{
		key: key, read: func(ctx context.Context) ([]R, error) { return t.read(ctx, t.Config.ImageRoot, files...) },
		texts: func(r R) []string { return []string{t.sentence(r, nil)} },
	}
}

// evaluate measures every split.
func (t *labelled[R]) evaluate(ctx context.Context) (Results, error) {
	out := Results{}
	for _, split := range t.splits {
		right, err := t.countRight(ctx, split)
		if err != nil {
			return nil, fmt.Errorf("%s_file: %w", split.name, err)
		}
		n := float64(len(split.records))
		class, most := t.majority(split.records)
		acc, majority := float64(right)/n, float64(most)/n
		out[split.name+"_acc"], out[split.name+"_majority"] = acc, majority
		t.Logger.Info("measured", "task", t.name, "split", split.name, "sentences", len(split.records), "acc", acc,
			"majority", majority, "majority_class", t.classes[class])
	}
	return out, nil
}

// majority is the class that most records have, and how many those are: what
// a model that always says the same gets right.
func (t *labelled[R]) majority(records []R) (class, most int) {
	counts := make([]int, len(t.classes))
	for _, r := range records {
		_, c := t.of(r)
		counts[c]++
	}
	for c, n := range counts {
		if n > most {
			class, most = c, n
		}
	}
	return class, most
}

// countRight counts the records whose class the model gets right.
func (t *labelled[R]) countRight(ctx context.Context, split labelledSplit[R]) (right int, err error) {
	size := t.model.Config().ImageRes
	m := measuring{t.Run, split.name, data.NewRecordSource(split.records, data.NewResized(size), t.sentence), size, t.images}
	err = m.each(ctx, func(s *torch.Scope, b *data.Batch) error {
		in := t.batch(s, b, split.records)
		if err := in.Check(t.model.Config()); err != nil {
			return err
		}
		said := t.model.Logits(in.Images, in.IDs, in.Mask).Argmax(1).Ints()
		for i, record := range b.Index {
			if _, class := t.of(split.records[record]); said[i] == int64(class) {
				right++
			}
		}
		return nil
	})
	return right, err
}

// sentence cleans up a record's sentence; no length in tokens cuts it, as
// officially.
func (t *labelled[R]) sentence(r R, _ *rand.Rand) string {
	sentence, _ := t.of(r)
	return text.PreCaption(sentence, captionWords)
}

// batch puts a batch of records in s on the model's device.
func (t *labelled[R]) batch(s *torch.Scope, b *data.Batch, records []R) albef.Labelled {
	size, dev, n := t.model.Config().ImageRes, t.model.Device(), len(b.Texts)
	classes := make([]int64, n)
	for i, record := range b.Index {
		_, class := t.of(records[record])
		classes[i] = int64(class)
	}
	texts := bucketed(t.tok, b.Texts, text.BatchOptions{})
	images := s.Floats(b.Images, n, t.images, 3, size, size).ToDevice(dev)
	if t.images > 1 { // all first images, then all second ones
		images = images.Transpose(0, 1).Contiguous()
	}
	return albef.Labelled{
		Images: images.View(t.images*n, 3, size, size),
		IDs:    s.Ints(texts.IDs, texts.B, texts.T).ToDevice(dev),
		Mask:   s.Ints(texts.Mask, texts.B, texts.T).ToDevice(dev),
		Labels: s.Ints(classes, n).ToDevice(dev),
	}
}

// feed opens the training data.
func (t *labelled[R]) feed(ctx context.Context) (train.Feed[albef.Labelled], error) {
	c := t.Config
	if len(c.TrainFile) == 0 {
		return nil, noTrainFile(t.format)
	}
	records, err := t.reading("train_file", c.TrainFile).training(ctx, t.Run, t.tok, t.positions)
	if err != nil {
		return nil, err
	}
	size := t.model.Config().ImageRes
	source := data.NewRecordSource(records, augmented(c, data.FinetuneAugment(size)), t.sentence)
	loader, err := trainLoader(c, source, t.trainBatch(), size, t.images)
	if err != nil {
		return nil, err
	}
	return &labelledFeed[R]{Loader: loader, labelled: t, records: records}, nil
}

// labelledFeed feeds training with sentences about images.
type labelledFeed[R data.Record] struct {
	*data.Loader
	*labelled[R]
	records []R
}

// Next returns the next batch in s.
func (f *labelledFeed[R]) Next(ctx context.Context, s *torch.Scope) (albef.Labelled, error) {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return albef.Labelled{}, err
	}
	return f.batch(s, b, f.records), nil
}
