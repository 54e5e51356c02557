package train

import "math"

// warmupEvery is the number of iterations between two steps of the warm-up:
// in the official code a "warm-up epoch" is this long, whatever the epoch is.
const warmupEvery = 100

// Schedule is the official learning-rate series: a stepwise linear warm-up at
// the start of the first epoch, then a cosine that falls with each epoch.
type Schedule struct {
	LR           float64 // at the top, the optimizer's
	MinLR        float64 // where the cosine ends, after the last epoch
	WarmupLR     float64 // at the start; without WarmupEpochs it plays no part
	WarmupEpochs int     // steps of the warm-up, of 100 iterations each
	Epochs       int     // at least 1
}

// Step returns the scheduler's value at time t, its own unit: t < WarmupEpochs
// are the warm-up, and t = WarmupEpochs + e belongs to epoch e.
func (s Schedule) Step(t int) float64 {
	if t < s.WarmupEpochs {
		perStep := (s.LR - s.WarmupLR) / float64(s.WarmupEpochs)
		return s.WarmupLR + float64(t)*perStep
	}
	t -= s.WarmupEpochs
	if t >= s.Epochs {
		return s.MinLR
	}
	return s.MinLR + 0.5*(s.LR-s.MinLR)*(1+math.Cos(math.Pi*float64(t)/float64(s.Epochs)))
}

// At returns the rate that the optimizer uses at iteration iter, counted from
// 0, of an epoch, counted from 0. An iter of itersPerEpoch and more runs on
// into the next epochs, so that At(0, step, itersPerEpoch) takes steps counted
// from the start; itersPerEpoch must be positive.
//
// In epoch 0 the scheduler is stepped after the optimizer at every hundredth
// iteration, so a new rate counts from the next iteration on. An epoch that is
// shorter than the warm-up cuts the warm-up off.
func (s Schedule) At(epoch, iter, itersPerEpoch int) float64 {
	epoch, iter = carry(epoch, iter, itersPerEpoch)
	switch {
	case epoch > 0:
		return s.Step(epoch + s.WarmupEpochs)
	case iter == 0:
		return s.first()
	}
	return s.Step(min((iter-1)/warmupEvery, s.WarmupEpochs))
}

// first returns the rate before the scheduler's first step.
func (s Schedule) first() float64 {
	if s.WarmupEpochs > 0 {
		return s.WarmupLR
	}
	return s.LR
}

// DistillRamp is the weight of the momentum model's targets over time, the
// paper's alpha.
type DistillRamp struct {
	Weight float64 // the final weight
	WarmUp bool    // grow from 0 within epoch 0; pretraining always does
}

// At returns the weight at iteration iter of an epoch, both counted from 0;
// iter may run on into the next epochs as in [Schedule.At].
func (r DistillRamp) At(epoch, iter, itersPerEpoch int) float64 {
	epoch, iter = carry(epoch, iter, itersPerEpoch)
	if epoch > 0 || !r.WarmUp {
		return r.Weight
	}
	return r.Weight * min(1, float64(iter)/float64(itersPerEpoch))
}

// carry moves whole epochs from iter to epoch.
func carry(epoch, iter, itersPerEpoch int) (int, int) {
	return epoch + iter/itersPerEpoch, iter % itersPerEpoch
}
