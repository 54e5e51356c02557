package albef

import (
	"fmt"
	"slices"
	"strings"

	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// LoadReport says what became of every name when weights were loaded.
type LoadReport struct {
	Loaded       []string
	Missing      []string // the model has it, the file doesn't
	Unexpected   []string // the file has it, the model doesn't
	Interpolated []string // position embeddings that changed size
}

// String sums the report up in one line.
func (r LoadReport) String() string {
	return fmt.Sprintf("%d loaded, %d missing, %d left over, %d interpolated",
		len(r.Loaded), len(r.Missing), len(r.Unexpected), len(r.Interpolated))
}

// MissingError is what loading gives when the file lacks weights of the model.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	shown := e.Names
	if len(shown) > 4 {
		shown = shown[:4]
	}
	return fmt.Sprintf("%d weights are missing, such as %s", len(e.Names), strings.Join(shown, ", "))
}

// Hint says what usually lies behind it.
func (e *MissingError) Hint() string {
	return "vlab inspect lists what a checkpoint holds; it may be of another kind or size than the config says"
}

// matched is what loading finds for the parameters of a model.
type matched struct {
	found  map[string]*weights.Tensor // by the parameter's name
	absent map[*torch.Tensor]bool     // of the parameters, those under none of whose names there is anything
}

// TryState reports what [Module.LoadState] would make of state, and its errors, but
// loads nothing: the model may be on [torch.Hollow].
func (m *Module) TryState(state *weights.Dict, fresh ...func(name string) bool) (LoadReport, error) {
	_, report, err := m.match(state, fresh)
	return report, err
}

// LoadState overwrites the parameters with those of state, by their official
// names, with or without the "bert." that the checkpoints of finetuned models drop. Position
// embeddings of another grid are interpolated. Momentum weights and queues may
// be missing: the momentum weights are then copied from the online ones. So may
// further names of a tied tensor, and names that fresh is true of, as a task's
// new head, which keep what they have. Any other missing weight is a [*MissingError]; nothing has been changed
// then, nor when a shape differs.
func (m *Module) LoadState(state *weights.Dict, fresh ...func(name string) bool) (LoadReport, error) {
	to, report, err := m.match(state, fresh)
	if err != nil {
		return report, err
	}
	err = torch.Do(func(s *torch.Scope) {
		for _, p := range m.params {
			if t := to.found[p.Name]; t != nil && !p.Tied {
				s.Do(func(s *torch.Scope) { p.Tensor.Copy(fromWeights(s, t)) })
			}
		}
		for i, t := range m.momentum {
			if to.absent[t] {
				t.Copy(m.online[i])
			}
		}
	})
	return report, err
}

// match finds the weights of each parameter.
func (m *Module) match(state *weights.Dict, fresh []func(name string) bool) (to matched, report LoadReport, err error) {
	to = matched{map[string]*weights.Tensor{}, map[*torch.Tensor]bool{}}
	filled := map[*torch.Tensor]bool{} // under any of a tied tensor's names
	used := map[string]bool{}
	for _, p := range m.params {
		key, t := LookUp(state, p.Name)
		if t == nil {
			report.Missing = append(report.Missing, p.Name)
			to.absent[p.Tensor] = to.absent[p.Tensor] || !p.Tied && !m.keepTeacher
			continue
		}
		used[key] = true
		fitted, err := m.fit(p, t, &report)
		if err != nil {
			return to, report, err
		}
		to.found[p.Name], filled[p.Tensor] = fitted, true
		report.Loaded = append(report.Loaded, p.Name)
	}
	for _, key := range state.Keys() {
		if !used[key] {
			report.Unexpected = append(report.Unexpected, key)
		}
	}
	tied := map[string]bool{}
	for _, p := range m.params {
		tied[p.Name] = p.Tied && filled[p.Tensor]
	}
	report.Missing = slices.DeleteFunc(report.Missing, func(name string) bool { return tied[name] })
	needed := slices.DeleteFunc(slices.Clone(report.Missing), optional)
	for _, is := range fresh {
		needed = slices.DeleteFunc(needed, is)
	}
	if len(needed) > 0 {
		return to, report, &MissingError{needed}
	}
	return to, report, nil
}

// LoadState is [Module.LoadState], after which the queue goes on where the
// file's pointer stands.
func (m *Model) LoadState(state *weights.Dict, fresh ...func(name string) bool) (LoadReport, error) {
	report, err := m.Module.LoadState(state, fresh...)
	if err == nil {
		err = torch.Do(func(*torch.Scope) { m.queue.sync() })
	}
	return report, err
}

// optional names weights that a checkpoint for queries need not have.
func optional(name string) bool {
	return strings.Contains(name, "_m.") || strings.HasSuffix(name, "_queue") || name == "queue_ptr" ||
		strings.HasSuffix(name, "position_ids") || strings.Contains(name, ".decoder.") || strings.HasPrefix(name, "cell_head.")
}

// LookUp finds name in state under the spellings that official files use, and
// returns the one that is there; "" and nil where none is.
func LookUp(state *weights.Dict, name string) (string, *weights.Tensor) {
	with := strings.Replace(strings.Replace(name, "text_encoder.", "text_encoder.bert.", 1), "text_encoder_m.", "text_encoder_m.bert.", 1)
	for _, key := range []string{name, strings.Replace(name, ".bert.", ".", 1), with, "module." + name} {
		if t, ok := state.Get(key); ok {
			return key, t
		}
	}
	return "", nil
}

// fit checks t against p's shape, and interpolates position embeddings.
func (m *Module) fit(p Param, t *weights.Tensor, report *LoadReport) (*weights.Tensor, error) {
	if slices.Equal(t.Shape, p.Shape) {
		return t, nil
	}
	if strings.HasSuffix(p.Name, ".pos_embed") && len(t.Shape) == 3 && t.Shape[2] == p.Shape[2] {
		report.Interpolated = append(report.Interpolated, p.Name)
		return interpolatePositions(t, m.config.Grid())
	}
	return nil, &hintError{
		fmt.Errorf("%s is %v in the file, %v in the model", p.Name, t.Shape, p.Shape),
		"the config's sizes differ from the checkpoint's: leave them out, and they are read from the file",
	}
}

// interpolatePositions resizes t [1, P, C] to a grid x grid of patches, CLS
// kept. Source: models/vit.py interpolate_pos_embed.
func interpolatePositions(t *weights.Tensor, grid int) (*weights.Tensor, error) {
	var out *weights.Tensor
	err := torch.Do(func(s *torch.Scope) {
		resized := InterpolatePositions(s.Floats(t.Float32s(), t.Shape...), grid)
		out = weights.FromFloat32s(resized.Shape(), resized.Floats())
	})
	return out, err
}

// InterpolatePositions resizes position embeddings [1, P, C] bicubically to a
// grid x grid of patches and keeps the first, which is CLS's.
func InterpolatePositions(x *torch.Tensor, grid int) *torch.Tensor {
	shape := x.Shape()
	old := isqrt(shape[1] - 1)
	if old == grid {
		return x
	}
	patches := x.Narrow(1, 1, old*old).View(1, old, old, shape[2]).Permute(0, 3, 1, 2)
	resized := patches.ResizeBicubic(grid, grid).Permute(0, 2, 3, 1).View(1, grid*grid, shape[2])
	return torch.Cat(1, x.Narrow(1, 0, 1), resized)
}

func isqrt(n int) int {
	r := 0
	for (r+1)*(r+1) <= n {
		r++
	}
	return r
}

func fromWeights(s *torch.Scope, t *weights.Tensor) *torch.Tensor {
	return torch.From(s, t.Data, torch.DType(t.DType.TorchScalarType()), torch.CPU, t.Shape...)
}

// State copies all named tensors to the host, in the official order; tied
// names share their data.
func (m *Module) State() *weights.Dict {
	state := weights.NewDict()
	byTensor := map[*torch.Tensor]*weights.Tensor{}
	for _, p := range m.params {
		t := byTensor[p.Tensor]
		if t == nil {
			t = ToWeights(p.Tensor)
			byTensor[p.Tensor] = t
		}
		state.Set(p.Name, t)
	}
	return state
}

// ToWeights copies a tensor to the host.
func ToWeights(x *torch.Tensor) *weights.Tensor {
	meta := x.Meta()
	dtype, _ := weights.DTypeOfTorch(int(meta.DType))
	return &weights.Tensor{DType: dtype, Shape: meta.Shape, Data: x.Bytes()}
}
