package task

import (
	"context"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// pretrainTokens is the length that pretraining cuts captions to, [CLS]
// included (Pretrain.py:59); captionWords is the cut before that, in words.
const (
	pretrainTokens = 25
	captionWords   = 30
)

// Recorded feeds pretraining with records in the official format.
type Recorded struct {
	loader *data.Loader
	tok    *text.Tokenizer
	mask   albef.Masker
	device torch.Device
	seed   uint64
	size   int
}

// newMasker draws as the official model does, with tok's special ids.
func newMasker(tok *text.Tokenizer, prob float64) albef.Masker {
	return albef.Masker{Prob: prob, Mask: int64(tok.MASK()), CLS: int64(tok.CLS()), Pad: int64(tok.PAD()), VocabSize: tok.Size()}
}

// NewRecorded reads records through loader, whose images are size pixels wide.
func NewRecorded(loader *data.Loader, tok *text.Tokenizer, size int, maskProb float64, seed uint64, dev torch.Device) *Recorded {
	return &Recorded{loader: loader, tok: tok, mask: newMasker(tok, maskProb), device: dev, seed: seed, size: size}
}

// Steps returns how many batches an epoch has.
func (r *Recorded) Steps() int { return r.loader.Steps() }

// Seek makes step of epoch the next batch.
func (r *Recorded) Seek(epoch, step int) error { return r.loader.Seek(epoch, step) }

// Close ends the loader.
func (r *Recorded) Close() error { return r.loader.Close() }

// Bad tells which records could not be loaded so far.
func (r *Recorded) Bad() data.Bad { return r.loader.Bad() }

// Next returns the next batch in s.
func (r *Recorded) Next(ctx context.Context, s *torch.Scope) (albef.Batch, error) {
	b, err := r.loader.Next(ctx)
	if err != nil {
		return albef.Batch{}, err
	}
	rng := rand.New(rand.NewPCG(r.seed, uint64(b.Epoch)<<32|uint64(b.Step)))
	texts := bucketed(r.tok, b.Texts, text.BatchOptions{MaxLen: pretrainTokens, Truncate: true})
	out := textBatch(s, texts, r.mask.Draw(texts.IDs, nil, rng), r.device)
	out.Images = s.Floats(b.Images, len(b.Texts), 3, r.size, r.size).ToDevice(r.device)
	return out, nil
}

// textBatch puts a batch's texts and what MLM hides of them on dev.
func textBatch(s *torch.Scope, texts text.Batch, masking albef.Masking, dev torch.Device) albef.Batch {
	out := albef.Batch{
		IDs:       s.Ints(texts.IDs, texts.B, texts.T).ToDevice(dev),
		Mask:      s.Ints(texts.Mask, texts.B, texts.T).ToDevice(dev),
		MaskedIDs: s.Ints(masking.IDs, texts.B, texts.T).ToDevice(dev),
	}
	if len(masking.Positions) > 0 {
		positions, words := masking.Filled()
		out.Positions = s.Ints(positions, len(positions)).ToDevice(dev)
		out.Words = s.Ints(words, len(words)).ToDevice(dev)
	}
	return out
}

// bucket is what text lengths are rounded up to, and shortest the least that
// they are rounded to, see [bucketed].
const bucket, shortest = 4, 12

// bucketed encodes texts and pads them to a multiple of a few tokens: libtorch
// keeps a compiled kernel for every size of a product, and lengths without
// number would fill the memory with them. A batch of nothing but very short
// texts is rare and gets no size of its own.
func bucketed(tok *text.Tokenizer, texts []string, opt text.BatchOptions) text.Batch {
	b := tok.Batch(texts, opt)
	length := max((b.T+bucket-1)/bucket*bucket, shortest)
	if opt.Truncate {
		length = min(length, opt.MaxLen)
	}
	if b.T == length {
		return b
	}
	return tok.Batch(texts, text.BatchOptions{MaxLen: length, Truncate: true, PadToMax: true})
}
