package albef

import (
	"strings"

	"vlab/albef/torch"
)

// pairs lists the trained parameters of the online encoders and the momentum
// copies beside them, by name.
func (m *Model) pairs() (online, momentum []*torch.Tensor) {
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
func (m *Model) MomentumUpdate() { torch.Lerp(m.momentum, m.online, 1-m.config.MomentumDecay) }

// CopyToMomentum makes the momentum model equal to the online one.
func (m *Model) CopyToMomentum() {
	for i := range m.online {
		m.momentum[i].Copy(m.online[i])
	}
}
