package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/torch"
)

// TextLength is how many tokens the longest texts of a step have, unless
// [MeasureStep] is asked for others.
const TextLength = textLength

// StepTimes are the times of a step's repetitions, milliseconds each: on the
// clock, and of the process's CPU.
type StepTimes struct{ Wall, CPU []float64 }

// MeasureStep times spec.Steps pretraining steps, after spec.Warm that don't
// count, of a fresh model of any sizes on spec.Batch images with texts of at
// most tokens tokens. Of spec, Work and Size don't matter. The batch has to
// divide c.QueueSize. It sets libtorch's seed.
func MeasureStep(ctx context.Context, c albef.Config, tokens int, spec Spec) (StepTimes, error) {
	if spec.Batch < 2 || spec.Steps < 1 || tokens < 2 || tokens > c.MaxPositions || c.QueueSize%spec.Batch != 0 {
		return StepTimes{}, &hintError{
			fmt.Errorf("bench: %d steps of %d images with texts of %d tokens", spec.Steps, spec.Batch, tokens),
			fmt.Sprintf("at least 1 step, a batch of 2 and more that divides the queue of %d, and 2 to %d tokens", c.QueueSize, c.MaxPositions),
		}
	}
	m, err := albef.New(c, spec.Device, 1)
	if err != nil {
		return StepTimes{}, err
	}
	// Blocks of this size's tensors are of no use to the next size.
	defer torch.DropCache()
	defer m.Close()
	opt := NewOptimizer(m)
	defer opt.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	p := newPairs(c, spec.Device, spec.Batch, tokens, rng)
	defer p.close()
	masker := albef.Masker{Prob: c.MaskProb, Mask: maskID, CLS: clsID, VocabSize: c.VocabSize}
	var times clock
	err = spec.repeat(ctx, &times, func() error {
		_, err := Step(m, opt, p.batch(masker.Draw(p.words, nil, rng)), spec.way())
		return err
	})
	return StepTimes{times.wall, times.cpu}, err
}

// MeanStepFLOPs is [StepFLOPs] of [MeasureStep]'s batch, with as many hidden
// words as MLM asks for on average.
func MeanStepFLOPs(c albef.Config, batch, tokens int) float64 {
	words := 0
	for i := range batch {
		words += lengthOf(i, tokens) - 1 // [CLS] is never hidden
	}
	return StepFLOPs(c, batch, tokens, int(math.Round(c.MaskProb*float64(words))))
}
