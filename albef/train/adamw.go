package train

import (
	"fmt"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// AdamW holds the optimiser's state for a model: two groups, the parameters
// without weight decay first, as the official create_optimizer makes them. It
// owns its tensors: Close frees them.
type AdamW struct {
	Beta1, Beta2, Eps float64
	// Rate is the learning rate on the model's device, see [torch.NewRate]. While it
	// is set it counts, and not what Step and Backward are given; nil otherwise.
	Rate   *torch.Tensor
	groups []group
}

type group struct {
	decay float64
	slots []*slot
}

// slot is one parameter's state; m, v and step are nil until its first
// gradient, as in PyTorch.
type slot struct {
	name       string
	param      *torch.Tensor
	m, v, step *torch.Tensor
}

// NewAdamW makes the optimiser of a model's trained parameters, with PyTorch's
// defaults for betas (0.9, 0.999) and eps (1e-8).
func NewAdamW(m Model, decay float64) *AdamW {
	o := &AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	plain, decayed := m.Trained()
	for _, g := range []struct {
		decay  float64
		params []albef.Param
	}{{0, plain}, {decay, decayed}} {
		out := group{decay: g.decay}
		for _, p := range g.params {
			out.slots = append(out.slots, &slot{name: p.Name, param: p.Tensor})
		}
		o.groups = append(o.groups, out)
	}
	return o
}

// Params lists all parameters that the optimiser moves.
func (o *AdamW) Params() []*torch.Tensor {
	var out []*torch.Tensor
	for _, g := range o.groups {
		for _, s := range g.slots {
			out = append(out, s.param)
		}
	}
	return out
}

// Step moves every parameter that has a gradient by one AdamW step with
// learning rate lr, and drops the gradients.
func (o *AdamW) Step(s *torch.Scope, lr float64) {
	for _, g := range o.groups {
		var params, grads, ms, vs, steps []*torch.Tensor
		all := torch.Grads(s, g.tensors())
		for i, sl := range g.slots {
			if all[i] == nil {
				continue
			}
			sl.begin()
			params, grads = append(params, sl.param), append(grads, all[i])
			ms, vs, steps = append(ms, sl.m), append(vs, sl.v), append(steps, sl.step)
		}
		torch.AdamW{LR: lr, Rate: o.Rate, Beta1: o.Beta1, Beta2: o.Beta2, Decay: g.decay, Eps: o.Eps}.Update(params, grads, ms, vs, steps)
	}
	torch.ZeroGrad(o.Params())
}

// Backward walks back from loss and moves every parameter by one AdamW step with
// learning rate lr as soon as its gradient is complete: what Backward and
// [AdamW.Step] do, without all gradients ever being in memory. On CUDA, where
// few calls for many parameters count for more than memory, they are done in
// turn.
func (o *AdamW) Backward(s *torch.Scope, loss *torch.Tensor, lr float64) {
	if loss.Meta().Device.Composes() {
		loss.Backward()
		o.Step(s, lr)
		return
	}
	var params, ms, vs, steps []*torch.Tensor
	var decays []float64
	for _, g := range o.groups {
		for _, sl := range g.slots {
			params, decays = append(params, sl.param), append(decays, g.decay)
			ms, vs, steps = append(ms, sl.m), append(vs, sl.v), append(steps, sl.step)
		}
	}
	torch.AdamW{LR: lr, Rate: o.Rate, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Eps}.Backward(loss, params, ms, vs, steps, decays)
	i := 0
	for _, g := range o.groups {
		for _, sl := range g.slots {
			sl.m, sl.v, sl.step = ms[i], vs[i], steps[i]
			i++
		}
	}
}

// ClipNorm scales all gradients so that their common L2 norm is at most limit
// and returns the norm before, as a scalar of s. Nothing waits for the device.
func (o *AdamW) ClipNorm(s *torch.Scope, limit float64) *torch.Tensor {
	var grads []*torch.Tensor
	for _, g := range torch.Grads(s, o.Params()) {
		if g != nil {
			grads = append(grads, g)
		}
	}
	norm := torch.TotalNorm(s, grads)
	factor := s.Use(torch.Full(s, limit, torch.Float32, norm.Meta().Device)).Div(norm.Shift(1e-6)).Clamp(0, 1)
	torch.ScaleAll(grads, factor)
	return norm
}

func (g group) tensors() []*torch.Tensor {
	out := make([]*torch.Tensor, len(g.slots))
	for i, s := range g.slots {
		out[i] = s.param
	}
	return out
}

func (s *slot) begin() {
	if s.m != nil {
		return
	}
	meta := s.param.Meta()
	s.m = torch.Full(nil, 0, torch.Float32, meta.Device, meta.Shape...)
	s.v = torch.Full(nil, 0, torch.Float32, meta.Device, meta.Shape...)
	s.step = torch.Full(nil, 0, torch.Float32, meta.Device)
}

// Close frees the state.
func (o *AdamW) Close() {
	for _, g := range o.groups {
		for _, s := range g.slots {
			s.m.Close()
			s.v.Close()
			s.step.Close()
		}
	}
}

// State returns the state as torch.optim.AdamW.state_dict() gives it: by
// running index over both groups, and the groups with their options.
func (o *AdamW) State(lr float64) *weights.OrderedMap {
	state, groups := weights.NewMap(), &weights.List{}
	index := 0
	for _, g := range o.groups {
		ids := &weights.List{}
		for _, s := range g.slots {
			if s.m != nil {
				entry := weights.NewMap()
				entry.Set("step", albef.ToWeights(s.step))
				entry.Set("exp_avg", albef.ToWeights(s.m))
				entry.Set("exp_avg_sq", albef.ToWeights(s.v))
				state.Set(index, entry)
			}
			ids.Items = append(ids.Items, int64(index))
			index++
		}
		options := weights.NewMap()
		options.Set("weight_decay", g.decay)
		options.Set("lr", lr)
		options.Set("betas", weights.Tuple{o.Beta1, o.Beta2})
		options.Set("eps", o.Eps)
		options.Set("amsgrad", false)
		options.Set("initial_lr", lr)
		options.Set("params", ids)
		groups.Items = append(groups.Items, options)
	}
	out := weights.NewMap()
	out.Set("state", state)
	out.Set("param_groups", groups)
	return out
}

// LoadState restores what [AdamW.State] or the official code wrote. The order
// of parameters has to be that of the model.
func (o *AdamW) LoadState(v weights.Value) error {
	root, ok := v.(*weights.OrderedMap)
	if !ok {
		return fmt.Errorf("optimizer state: got %T, want a dict", v)
	}
	state := root.Map("state")
	if state == nil {
		return fmt.Errorf("optimizer state: no key %q", "state")
	}
	index := 0
	for _, g := range o.groups {
		for _, s := range g.slots {
			if entry := state.Map(index); entry != nil {
				if err := s.load(entry); err != nil {
					return fmt.Errorf("optimizer state %d (%s): %w", index, s.name, err)
				}
			}
			index++
		}
	}
	if n := state.Len(); n > index {
		return fmt.Errorf("optimizer state: %d entries for %d parameters", n, index)
	}
	return nil
}

func (s *slot) load(entry *weights.OrderedMap) error {
	s.begin()
	for _, part := range []struct {
		key string
		to  *torch.Tensor
	}{{"exp_avg", s.m}, {"exp_avg_sq", s.v}} {
		v, _ := entry.Get(part.key)
		t, ok := v.(*weights.Tensor)
		if !ok {
			return fmt.Errorf("no tensor %q", part.key)
		}
		if got, want := fmt.Sprint(t.Shape), fmt.Sprint(s.param.Shape()); got != want {
			return fmt.Errorf("%s is %s, the parameter %s", part.key, got, want)
		}
		fillFrom(part.to, t.Float32s(), t.Shape)
	}
	step, _ := entry.Get("step")
	count := 0.0
	switch step := step.(type) { // a number up to torch 1.11, a tensor since
	case *weights.Tensor:
		count = float64(step.Float32s()[0])
	case int64:
		count = float64(step)
	default:
		return fmt.Errorf("step is %T", step)
	}
	fillFrom(s.step, []float32{float32(count)}, nil)
	return nil
}

func fillFrom(dst *torch.Tensor, v []float32, shape []int) {
	var none *torch.Scope
	src := none.Floats(v, shape...)
	defer src.Close()
	dst.Copy(src)
}
