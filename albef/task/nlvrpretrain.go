package task

import (
	"context"
	"errors"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// PretrainNLVR turns a pretrained model into one for pairs of images, each
// fusion layer doubled, and trains it on {image, caption} to tell which of two
// images a caption is about: text assignment, what [NLVR] begins with. Nothing
// is measured; every epoch leaves a checkpoint. Source: Pretrain_nlvr.py.
func PretrainNLVR(ctx context.Context, r Run) (Results, error) {
	if r.Evaluate {
		return nil, &hintError{errors.New("pretrain-nlvr: nothing to evaluate"), "vlab nlvr begins with its checkpoints, and measures"}
	}
	o, err := r.open()
	if err != nil {
		return nil, err
	}
	defer o.drop()
	adapt := o.forPairs()
	m, err := albef.NewTA(o.config, r.Device, r.Config.Seed)
	if err != nil {
		return nil, err
	}
	defer r.release(m)
	return do(ctx, &r, o, job[albef.TABatch]{
		model: m, adapt: adapt, fresh: albef.IsTAHead, everyEpoch: true,
		feed: func(ctx context.Context) (train.Feed[albef.TABatch], error) {
			return newTAFeed(ctx, &r, m, o.tokenizer)
		},
		forward:  func(b albef.TABatch, _ float64) []train.Loss { return []train.Loss{{Name: "loss", Value: m.Loss(b)}} },
		evaluate: func(context.Context) (Results, error) { return Results{}, nil },
	})
}

// readCaptions is how the records {image, caption} of pretraining are read.
func readCaptions(c *train.Config) reading[data.Pretrain] {
	return reading[data.Pretrain]{key: "train_file", read: func(ctx context.Context) ([]data.Pretrain, error) {
		return data.ReadPretrain(ctx, c.ImageRoot, c.TrainFile...)
	}}
}

// taFeed feeds text assignment with pretraining's images and captions.
type taFeed struct {
	*data.Loader
	tok    *text.Tokenizer
	device torch.Device
	seed   uint64
	size   int
}

// newTAFeed opens the records of train_file.
func newTAFeed(ctx context.Context, r *Run, m *albef.TA, tok *text.Tokenizer) (*taFeed, error) {
	c := r.Config
	if len(c.TrainFile) == 0 {
		return nil, &hintError{errors.New("config: train_file is missing"), "name the records {image, caption}"}
	}
	records, err := readCaptions(c).training(ctx, r, tok, 0)
	if err != nil {
		return nil, err
	}
	size := m.Config().ImageRes
	clean := func(caption string) string { return text.PreCaption(caption, captionWords) }
	source := data.NewPretrainSource(records, augmented(r.Config, data.PretrainAugment(size)), clean)
	loader, err := trainLoader(c, source, r.trainBatch(), size, 1)
	if err != nil {
		return nil, err
	}
	return &taFeed{Loader: loader, tok: tok, device: r.Device, seed: uint64(c.Seed), size: size}, nil
}

// Next returns the next batch in s. Classes are drawn as the official model
// does, from the seed and the batch's place.
func (f *taFeed) Next(ctx context.Context, s *torch.Scope) (albef.TABatch, error) {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return albef.TABatch{}, err
	}
	rng := rand.New(rand.NewPCG(f.seed, uint64(b.Epoch)<<32|uint64(b.Step)))
	labels := make([]int64, len(b.Texts))
	for i := range labels {
		labels[i] = albef.TALabel(rng.Float64)
	}
	texts := bucketed(f.tok, b.Texts, text.BatchOptions{MaxLen: pretrainTokens, Truncate: true})
	return albef.TABatch{Labelled: albef.Labelled{
		Images: s.Floats(b.Images, len(b.Texts), 3, f.size, f.size).ToDevice(f.device),
		IDs:    s.Ints(texts.IDs, texts.B, texts.T).ToDevice(f.device),
		Mask:   s.Ints(texts.Mask, texts.B, texts.T).ToDevice(f.device),
		Labels: s.Ints(labels, len(labels)).ToDevice(f.device),
	}}, nil
}
