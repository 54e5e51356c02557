package train

import (
	"context"
	"log/slog"

	"vlab/albef/torch"
)

// Recordable is a batch whose step can be recorded: a list of tensors.
type Recordable[B any] interface {
	// Weighed returns the batch with the distillation weight as one of its tensors,
	// in s.
	Weighed(s *torch.Scope, distill float64) B
	// Tensors lists the batch's tensors, nil for those that it lacks.
	Tensors() []*torch.Tensor
	// With returns the batch with other tensors in the places of its own.
	With(tensors []*torch.Tensor) B
}

// Rates are the numbers that change from step to step.
type Rates struct{ LR, Distill float64 }

// Take takes a step on b by r, and returns the names of its losses and their
// values, float32 [n] in s. step computes the losses of the batch, which belongs
// to the scope that it asks for it with, and moves the parameters by opt. variant
// names what else it depends on.
func Take[B any](r *Recorder, s *torch.Scope, b Recordable[B], opt *AdamW, rates Rates, variant string,
	step func(s *torch.Scope, batch func(in *torch.Scope) B) []Loss,
) (names []string, values *torch.Tensor, err error) {
	b = any(b.Weighed(s, rates.Distill)).(Recordable[B])
	inputs := append(b.Tensors(), torch.NewRate(s, rates.LR, r.dev))
	rate := len(inputs) - 1
	if rates.Distill > 0 {
		variant += " distilled"
	}
	return r.Run(s, variant, inputs, func(s *torch.Scope, inputs []*torch.Tensor) []Loss {
		opt.Rate = inputs[rate]
		defer func() { opt.Rate = nil }()
		torch.ZeroGrad(opt.Params()) // a recording that failed may have left some
		return step(s, func(in *torch.Scope) B { return b.With(use(in, inputs[:rate])) })
	})
}

// recorded is plain through the run's recorder, on a stream of its own.
func (r *running[B]) recorded(ctx context.Context, s *torch.Scope, rates Rates) (names []string, values *torch.Tensor, err error) {
	variant := ""
	if r.Variant != nil {
		variant = r.Variant()
	}
	torch.Apart(r.Model.Device(), func() {
		var b B
		if b, err = r.next(ctx, s); err != nil {
			return
		}
		names, values, err = Take(r.recorder, s, any(b).(Recordable[B]), r.Opt, rates, variant,
			func(s *torch.Scope, batch func(in *torch.Scope) B) (losses []Loss) {
				s.Do(func(in *torch.Scope) { losses = r.losses(in, batch(in), rates.Distill) })
				r.update(s, losses, rates.LR)
				return losses
			})
	})
	return names, values, err
}

// newRecorder makes what l's steps are recorded by, nil where they aren't.
func (l *Loop[B]) newRecorder() (*Recorder, error) {
	log := l.Logger
	if log == nil {
		log = slog.Default()
	}
	if l.Recompute != (Recompute{}) {
		switch {
		case l.Recording == RecordOn:
			return nil, &configError{"config", "cuda_graphs is on, and a step that runs parts or layers again can't be recorded", "leave accumulate and checkpoint_activations out, or set cuda_graphs: auto"}
		case l.Recording == RecordAuto && l.Model.Device().IsCUDA():
			log.Info("steps are not recorded", "reason", "accumulate and checkpoint_activations run parts of them again")
		}
		return nil, nil //nolint:nilnil // a nil recorder records nothing
	}
	var none B
	if _, ok := any(none).(Recordable[B]); ok {
		return NewRecorder(l.Model.Device(), l.Recording, log)
	}
	switch {
	case l.Recording == RecordOn:
		return nil, &configError{"config", "cuda_graphs is on, and this task's steps can't be recorded", "auto records what can be"}
	case l.Recording == RecordAuto && l.Model.Device().IsCUDA():
		log.Info("steps are not recorded", "reason", "this task's steps can't be")
	}
	return nil, nil //nolint:nilnil // a nil recorder records nothing
}
