package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	if spec.Batch < 2 {
		return &hintError{errors.New("bench: a step's negatives are the rest of its batch"), "a batch of 2 or more"}
	}
	c := m.Config()
	rng := rand.New(rand.NewPCG(1, 2))
	p := newPairs(c, spec.Device, spec.Batch, textLength, rng)
	defer p.close()
	masker := albef.Masker{Prob: c.MaskProb, Mask: maskID, CLS: clsID, VocabSize: c.VocabSize}
	opt := NewOptimizer(m)
	defer opt.Close()
	recorder, err := train.NewRecorder(spec.Device, spec.way().recompute().Recording(spec.Recording), slog.Default())
	if err != nil {
		return err
	}
	defer recorder.Close()
	asked, done := 0, 0
	err = spec.repeat(ctx, times, func() (err error) {
		drawn := masker.Draw(p.words, nil, rng)
		asked, done = asked+len(drawn.Positions), done+1
		drawn = drawn.Padded() // few sizes, as training has them, and as much work with graphs as without
		if recorder != nil {
			r.Loss, err = recordedStep(recorder, m, opt, p.batch(drawn), spec.way())
			return err
		}
		did, err := Step(m, opt, p.batch(drawn), spec.way())
		r.Loss = did.Total()
		times.part(did.Forward, did.Backward)
		return err
	})
	switch {
	case recorder != nil:
		r.Graphs = fmt.Sprintf("%d steps recorded, %d replayed", recorder.Recorded, recorder.Replayed)
	case spec.Device.IsCUDA():
		r.Graphs = "none: steps ran as they are"
	}
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
	err = torch.Do(func(s *torch.Scope) {
		begun := time.Now()
		terms := way.forward(s, m, batch, func() { out.Forward = time.Since(begun) })
		way.update(s, opt, terms)
		for i, l := range terms {
			out.Losses[i] = l.Value.Item()
		}
		out.Backward = time.Since(begun) - out.Forward
	})
	return out, err
}

// forward computes a batch's losses in s and calls done; on a tape it also walks
// back.
func (w Way) forward(s *torch.Scope, m *albef.Model, batch func(s *torch.Scope) albef.Batch, done func()) (terms []train.Loss) {
	s.Do(func(in *torch.Scope) {
		tape := w.recompute().Tape(in, m.Device())
		b := batch(in)
		torch.Autocast(w.BF16, m.Device(), func() {
			l := m.PretrainParts(b, distill, max(w.Accumulate, 1))
			terms = []train.Loss{{Name: "mlm", Value: l.MLM}, {Name: "itc", Value: l.ITC}, {Name: "itm", Value: l.ITM}}
		})
		train.KeepLosses(in, terms)
		done()
		if tape != nil {
			tape.Backward(train.Total(terms))
		}
	})
	return terms
}

// update moves the parameters.
func (w Way) update(s *torch.Scope, opt *train.AdamW, terms []train.Loss) {
	if w.recompute() == (train.Recompute{}) {
		opt.Backward(s, train.Total(terms), learningRate)
		return
	}
	opt.Step(s, learningRate)
}

func (w Way) recompute() train.Recompute {
	return train.Recompute{Parts: w.Accumulate > 1, Layers: w.Checkpoint}
}

// recordedStep is [Step] through a recorder. It returns the sum of the losses.
func recordedStep(r *train.Recorder, m *albef.Model, opt *train.AdamW, batch func(s *torch.Scope) albef.Batch, way Way) (loss float64, err error) {
	var taken error
	err = torch.Do(func(s *torch.Scope) {
		torch.Apart(m.Device(), func() {
			rates := train.Rates{LR: learningRate, Distill: distill}
			step := func(s *torch.Scope, batch func(in *torch.Scope) albef.Batch) []train.Loss {
				terms := way.forward(s, m, batch, func() {})
				way.update(s, opt, terms)
				return terms
			}
			var values *torch.Tensor
			if _, values, taken = train.Take(r, s, batch(s), opt, rates, "", step); taken == nil {
				loss = values.Sum().Item()
			}
		})
	})
	return loss, errors.Join(taken, err)
}
