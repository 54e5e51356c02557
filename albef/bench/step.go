package bench

import (
	"context"
	"math/rand/v2"
	"time"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// What the step and the official code's have in common.
const (
	distill      = 0.4  // alpha, after its ramp
	learningRate = 1e-4 // of Pretrain.yaml
	decay        = 0.02 // weight decay of Pretrain.yaml
	clsID        = 101
	maskID       = 103
)

// pairs are random images with random texts: pixels, ids and their mask belong
// to no scope.
type pairs struct {
	images, ids, mask *torch.Tensor
	words             []int64 // the ids on the host
}

// newPairs draws batch pairs, the longest texts of length tokens.
func newPairs(c albef.Config, dev torch.Device, batch, length int, rng *rand.Rand) pairs {
	words, mask := make([]int64, batch*length), make([]int64, batch*length)
	for i := range batch {
		row := words[i*length:]
		for j := range lengthOf(i, length) {
			row[j], mask[i*length+j] = 1000+rng.Int64N(int64(min(30000, c.VocabSize)-1000)), 1
		}
		row[0] = clsID
	}
	return pairs{
		images: torch.Full(nil, 0, torch.Float32, dev, batch, 3, c.ImageRes, c.ImageRes).FillNormal(0, 1),
		ids:    onDevice(words, dev, batch, length),
		mask:   onDevice(mask, dev, batch, length),
		words:  words,
	}
}

// lengthOf is how many tokens text i of a batch has: of 25 at most every fourth
// text has 25, 22, 19 or 16, and so in proportion.
func lengthOf(i, longest int) int { return longest - i%4*3*longest/textLength }

// onDevice copies v to dev, as a tensor of no scope.
func onDevice(v []int64, dev torch.Device, shape ...int) *torch.Tensor {
	var none *torch.Scope
	t := none.Ints(v, shape...)
	if dev == torch.CPU {
		return t
	}
	defer t.Close()
	return t.ToDevice(dev)
}

func (p pairs) close() {
	p.images.Close()
	p.ids.Close()
	p.mask.Close()
}

// steps is a pretraining step: masks drawn, the forward with its momentum and
// queue updates, the backward, AdamW.
func steps(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	c := m.Config()
	rng := rand.New(rand.NewPCG(1, 2))
	p := newPairs(c, spec.Device, spec.Batch, textLength, rng)
	defer p.close()
	masker := albef.Masker{Prob: c.MaskProb, Mask: maskID, CLS: clsID, VocabSize: c.VocabSize}
	opt := NewOptimizer(m)
	defer opt.Close()
	asked, done := 0, 0
	err := spec.repeat(ctx, times, func() error {
		drawn := masker.Draw(p.words, nil, rng)
		asked, done = asked+len(drawn.Positions), done+1
		did, err := Step(m, opt, p.batch(drawn), spec.way())
		r.Loss = did.Total()
		times.part(did.Forward, did.Backward)
		return err
	})
	r.FLOPs = StepFLOPs(c, spec.Batch, textLength, asked/max(done, 1))
	return err
}

// NewOptimizer makes the optimiser of Pretrain.yaml. The caller closes it.
func NewOptimizer(m *albef.Model) *train.AdamW { return train.NewAdamW(m, decay) }

// batch makes p, with words hidden, a batch of the scope that it gets.
func (p pairs) batch(drawn albef.Masking) func(s *torch.Scope) albef.Batch {
	return func(s *torch.Scope) albef.Batch {
		b := albef.Batch{Images: s.Use(p.images), IDs: s.Use(p.ids), Mask: s.Use(p.mask)}
		dev := p.images.Meta().Device
		b.MaskedIDs = s.Ints(drawn.IDs, p.ids.Size(0), p.ids.Size(1)).ToDevice(dev)
		if n := len(drawn.Positions); n > 0 {
			b.Positions, b.Words = s.Ints(drawn.Positions, n).ToDevice(dev), s.Ints(drawn.Words, n).ToDevice(dev)
		}
		return b
	}
}

// Stepped is what came of a training step.
type Stepped struct {
	Losses            [3]float64 // MLM, ITC, ITM
	Forward, Backward time.Duration
}

// Total is the sum of the losses.
func (s Stepped) Total() float64 { return s.Losses[0] + s.Losses[1] + s.Losses[2] }

// Way is how a step is computed; the zero Way is in fp32, a batch at once, with
// everything kept that the backward needs.
type Way struct {
	BF16       bool // the forward's matrix products in bf16
	Accumulate int  // in how many parts the batch is worked off; 0: 1
	Checkpoint bool // layers are run again in the backward
}

// Step trains m by one batch. The optimiser moves parameters as the backward
// goes, or else after it, so its time is in there.
func Step(m *albef.Model, opt *train.AdamW, batch func(s *torch.Scope) albef.Batch, way Way) (out Stepped, err error) {
	again := train.Recompute{Parts: way.Accumulate > 1, Layers: way.Checkpoint}
	err = torch.Do(func(s *torch.Scope) {
		var terms []train.Loss
		var tape *torch.Tape
		begun := time.Now()
		s.Do(func(in *torch.Scope) {
			tape = again.Tape(in, m.Device())
			b := batch(in)
			torch.Autocast(way.BF16, m.Device(), func() {
				l := m.PretrainParts(b, distill, max(way.Accumulate, 1))
				terms = []train.Loss{{Name: "mlm", Value: l.MLM}, {Name: "itc", Value: l.ITC}, {Name: "itm", Value: l.ITM}}
			})
			train.KeepLosses(in, terms)
			out.Forward = time.Since(begun)
			if tape != nil {
				tape.Backward(train.Total(terms))
			}
		})
		if tape == nil {
			opt.Backward(s, train.Total(terms), learningRate)
		} else {
			opt.Step(s, learningRate)
		}
		for i, l := range terms {
			out.Losses[i] = l.Value.Item()
		}
		out.Backward = time.Since(begun) - out.Forward
	})
	return out, err
}
