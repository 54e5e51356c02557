package task

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// retrievalTokens is the length that texts are cut to where retrieval is
// measured, [CLS] included (Retrieval.py:90); training cuts none.
const retrievalTokens = 30

// Retrieval finetunes a pretrained model on {image, caption, image_id} and
// measures it, after each epoch, on the records of val_file and test_file: the
// k_test most similar by ITC, ranked by ITM. The results are recalls in percent
// both ways, val_txt_r1 to test_r_mean. To evaluate a pretraining checkpoint is
// zero-shot retrieval. Source: Retrieval.py.
func Retrieval(ctx context.Context, r Run) (Results, error) {
	r.inParts = true
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	t := &retrieval{Run: &r, tok: o.tokenizer}
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	if t.model, err = albef.NewRetrieval(o.config, r.Device, r.Config.Seed); err != nil {
		return nil, err
	}
	defer r.release(t.model)
	t.model.OfficialQuirks(r.Config.OfficialQuirks)
	j := job[albef.RetrievalBatch]{
		model: t.model, queries: Trained{Model: t.model, Sample: t.sample()}, feed: t.feed, evaluate: t.evaluate, score: "val_r_mean",
		forward: r.pairLosses(t.model),
	}
	if r.Config.Distill {
		j.distill = train.DistillRamp{Weight: r.Config.DistillWeight, WarmUp: r.Config.WarmUp}
	}
	return do(ctx, &r, o, j)
}

// pairLosses is the forward of retrieval and grounding.
func (r *Run) pairLosses(m *albef.Model) func(b albef.RetrievalBatch, distill float64) []train.Loss {
	return func(b albef.RetrievalBatch, distill float64) []train.Loss {
		itc, itm := m.RetrievalParts(b, distill, r.Config.Accumulate)
		return []train.Loss{{Name: "loss_itm", Value: itm}, {Name: "loss_ita", Value: itc}}
	}
}

// retrieval is one Retrieval at work.
type retrieval struct {
	*Run
	model  *albef.Model
	tok    *text.Tokenizer
	splits []retrievalSplit
}

// retrievalSplit is what is measured under a prefix, val_ or test_.
type retrievalSplit struct {
	name    string
	records []data.RetrievalEval
	tokens  text.Batch // of all captions
	owner   []int      // the image of each
}

// read reads and checks what is measured.
func (t *retrieval) read(ctx context.Context) error {
	c := t.Config
	if c.KTest < 1 {
		return &hintError{errors.New("config: k_test is missing"), "it is how many candidates ITM ranks for each query, 128 in Retrieval_flickr.yaml"}
	}
	for _, split := range []struct {
		name  string
		files []string
	}{{"val", c.ValFile}, {"test", c.TestFile}} {
		if len(split.files) == 0 {
			continue
		}
		read := reading[data.RetrievalEval]{key: split.name + "_file", read: func(ctx context.Context) ([]data.RetrievalEval, error) {
			return data.ReadRetrievalEval(ctx, c.ImageRoot, split.files...)
		}}
		records, err := read.measured(ctx, t.Run, t.tok, 0)
		if err != nil {
			return err
		}
		captions, owner := data.Captions(records)
		if len(captions) == 0 {
			return fmt.Errorf("config: %s_file: no captions in %v", split.name, split.files)
		}
		if least := min(len(captions), len(records)); c.OfficialQuirks && c.KTest > least {
			return &hintError{
				fmt.Errorf("config: k_test is %d, and %s_file has %d captions of %d images", c.KTest, split.name, len(captions), len(records)),
				"without official_quirks it means all of them",
			}
		}
		for i := range captions {
			captions[i] = text.PreCaption(captions[i], captionWords)
		}
		tokens := t.tok.Batch(captions, text.BatchOptions{MaxLen: retrievalTokens, Truncate: true})
		t.splits = append(t.splits, retrievalSplit{split.name, records, tokens, owner})
	}
	if len(t.splits) == 0 {
		return &hintError{errors.New("config: neither val_file nor test_file says what to measure"), "val_file: val.json"}
	}
	return nil
}

// sample is a caption to look at in training.
func (t *retrieval) sample() Sample {
	return sampleOf(t.splits[0].records, func(r data.RetrievalEval) string { return append(r.Captions, "")[0] })
}

// evaluate measures every split.
func (t *retrieval) evaluate(ctx context.Context) (Results, error) {
	out := Results{}
	for _, split := range t.splits {
		began := time.Now()
		r := &ranker{model: t.model, k: t.Config.KTest, batch: t.evalBatch(), workers: t.Config.NumWorkers}
		if t.Observe != nil {
			r.observe = func(stage string, p train.Progress) { t.Observe(split.name+" "+stage, p) }
		}
		pictures := data.NewRecordSource(split.records, data.NewResized(t.model.Config().ImageRes), nil)
		found, err := r.rank(ctx, pictures, split.tokens)
		if err != nil {
			return nil, fmt.Errorf("%s_file: %w", split.name, err)
		}
		for key, value := range found.recalls(split.owner, t.Config.OfficialQuirks) {
			out[split.name+"_"+key] = value
		}
		t.Logger.Info("retrieval", "split", split.name, "images", len(split.records), "texts", len(split.owner),
			"texts_ranked", found.texts.k, "images_ranked", found.images.k, "seconds", int(time.Since(began).Seconds()))
	}
	return out, nil
}

// feed opens the training data.
func (t *retrieval) feed(ctx context.Context) (train.Feed[albef.RetrievalBatch], error) {
	c := t.Config
	if len(c.TrainFile) == 0 {
		return nil, noTrainFile("{image, caption, image_id}")
	}
	clean := func(r data.RetrievalTrain, _ *rand.Rand) string { return text.PreCaption(r.Caption, captionWords) }
	read := reading[data.RetrievalTrain]{
		key: "train_file", texts: func(r data.RetrievalTrain) []string { return []string{clean(r, nil)} },
		read: func(ctx context.Context) ([]data.RetrievalTrain, error) {
			return data.ReadRetrievalTrain(ctx, c.ImageRoot, c.TrainFile...)
		},
	}
	records, err := read.training(ctx, t.Run, t.tok, t.model.Config().MaxPositions)
	if err != nil {
		return nil, err
	}
	size := t.model.Config().ImageRes
	source := data.NewRecordSource(records, augmented(c, data.FinetuneAugment(size)), clean)
	loader, err := trainLoader(c, source, t.trainBatch(), size, 1)
	if err != nil {
		return nil, err
	}
	groups := make([]int64, len(records))
	for i, r := range records {
		groups[i] = int64(r.Group)
	}
	return &retrievalFeed{Loader: loader, tok: t.tok, groups: groups, device: t.Device, size: size}, nil
}

// retrievalFeed feeds training with pairs whose images are numbered.
type retrievalFeed struct {
	*data.Loader
	tok    *text.Tokenizer
	groups []int64 // by record: its image
	device torch.Device
	size   int
}

// Next returns the next batch in s. Texts are padded to the longest and, like
// the official ones, not cut.
func (f *retrievalFeed) Next(ctx context.Context, s *torch.Scope) (albef.RetrievalBatch, error) {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return albef.RetrievalBatch{}, err
	}
	index := make([]int64, len(b.Index))
	for i, record := range b.Index {
		index[i] = f.groups[record]
	}
	texts := bucketed(f.tok, b.Texts, text.BatchOptions{})
	return albef.RetrievalBatch{
		Images: s.Floats(b.Images, len(b.Texts), 3, f.size, f.size).ToDevice(f.device),
		IDs:    s.Ints(texts.IDs, texts.B, texts.T).ToDevice(f.device),
		Mask:   s.Ints(texts.Mask, texts.B, texts.T).ToDevice(f.device),
		Index:  s.Ints(index, len(index)).ToDevice(f.device),
	}, nil
}
