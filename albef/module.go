package albef

import (
	"fmt"
	"path"
	"strings"

	"vlab/albef/torch"
)

// Module is what the models of all tasks have in common: parameters under
// their official names on one device, and momentum copies beside some of them.
// It owns the parameters: Close frees them.
type Module struct {
	config   Config
	device   torch.Device
	params   []Param
	online   []*torch.Tensor // what has a momentum copy
	momentum []*torch.Tensor

	fixed map[*torch.Tensor]bool // see [Module.Freeze]

	keepTeacher bool // see [NLVR.KeepTeacher]
	quirks      bool // see [Module.OfficialQuirks]
}

// OfficialQuirks says whether losses do what the official code does and surely
// did not mean: a batch without a masked word makes MLM no number, and one that
// is all of one image can't be drawn negatives for.
func (m *Module) OfficialQuirks(on bool) { m.quirks = on }

// make registers the parameters through build and pairs those of the momentum
// model with the online ones. After a failure nothing is left to close.
func (m *Module) make(build func(b builder)) error {
	err := torch.Do(func(*torch.Scope) {
		build(builder{device: m.device, params: &m.params})
		m.online, m.momentum = m.pairs()
		m.CopyToMomentum()
	})
	if err != nil {
		m.Close()
	}
	return err
}

// Close frees the parameters.
func (m *Module) Close() {
	for _, p := range m.params {
		if !p.Tied {
			p.Tensor.Close()
		}
	}
	m.params = nil
}

// Config returns what the model was made with.
func (m *Module) Config() Config { return m.config }

// Device returns where the parameters live.
func (m *Module) Device() torch.Device { return m.device }

// Params lists all named tensors in checkpoint order, momentum and buffers
// included.
func (m *Module) Params() []Param { return m.params }

// Trained lists the parameters that an optimiser moves, in the official order,
// those without and those with weight decay.
func (m *Module) Trained() (plain, decayed []Param) {
	for _, p := range m.params {
		if p.Buffer || p.Tied || m.isMomentum(p) || m.fixed[p.Tensor] {
			continue
		}
		if decays(p) {
			decayed = append(decayed, p)
		} else {
			plain = append(plain, p)
		}
	}
	return plain, decayed
}

// Freeze leaves the parameters whose names match one of the patterns (those of
// [path.Match]) as they are; they are no longer among [Module.Trained]. A pattern
// that matches none is an error that names it.
func (m *Module) Freeze(patterns ...string) error {
	for _, pattern := range patterns {
		found := false
		for _, p := range m.params {
			switch ok, err := path.Match(pattern, p.Name); {
			case err != nil:
				return fmt.Errorf("freeze %q: %w", pattern, err)
			case !ok || p.Buffer || m.isMomentum(p):
				continue
			}
			if m.fixed == nil {
				m.fixed = map[*torch.Tensor]bool{}
			}
			found, m.fixed[p.Tensor] = true, true
			p.Tensor.RequireGrad(false)
		}
		if !found {
			return &hintError{
				fmt.Errorf("freeze %q: no parameter has such a name", pattern),
				"vlab inspect lists the names of a checkpoint; * stands for any part of one",
			}
		}
	}
	return nil
}

func (m *Module) isMomentum(p Param) bool {
	for _, t := range m.momentum {
		if t == p.Tensor {
			return true
		}
	}
	return false
}

// pairs lists the trained parameters of the online encoders and the momentum
// copies beside them, by name.
func (m *Module) pairs() (online, momentum []*torch.Tensor) {
	byName := map[string]*torch.Tensor{}
	for _, p := range m.params {
		byName[p.Name] = p.Tensor
	}
	for _, p := range m.params {
		if p.Buffer || p.Tied {
			continue
		}
		if copied, ok := byName[momentumName(p.Name)]; ok {
			online, momentum = append(online, p.Tensor), append(momentum, copied)
		}
	}
	return online, momentum
}

// momentumName maps "visual_encoder.norm.weight" to "visual_encoder_m.norm.weight".
func momentumName(name string) string {
	part, rest, _ := strings.Cut(name, ".")
	return part + "_m." + rest
}

// MomentumUpdate moves the momentum model towards the online one:
// m = decay·m + (1-decay)·online, in one call. Buffers are not averaged.
func (m *Module) MomentumUpdate() { torch.Lerp(m.momentum, m.online, 1-m.config.MomentumDecay) }

// CopyToMomentum makes the momentum model equal to the online one.
func (m *Module) CopyToMomentum() {
	for i := range m.online {
		m.momentum[i].Copy(m.online[i])
	}
}
