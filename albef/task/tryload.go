package task

import (
	"fmt"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// TryLoad reports what would become of every name of a checkpoint if the run of a
// task, pretrain or one of [Names], began with it. The model that it makes for
// that has names and shapes, and no weights.
func TryLoad(name string, ck *train.Checkpoint) (albef.LoadReport, error) {
	config, err := ck.Sizes(0)
	if err != nil {
		return albef.LoadReport{}, err
	}
	m, state, err := emptyModel(name, config, ck.State)
	if err != nil {
		return albef.LoadReport{}, err
	}
	defer m.Close()
	fresh := func(name string) bool { return albef.IsClassHead(name) || albef.IsTAHead(name) }
	return m.TryState(state, fresh)
}

// loadable is a model that knows what weights it would take.
type loadable interface {
	TryState(state *weights.Dict, fresh ...func(name string) bool) (albef.LoadReport, error)
	Close()
}

// emptyModel makes a task's model of the sizes of some weights, without weights of
// its own, and those weights fit for it.
func emptyModel(name string, c albef.Config, state *weights.Dict) (m loadable, fit *weights.Dict, err error) {
	fit = state
	pairs := func() {
		fusion := c.FusionLayer
		if !albef.IsPairState(state) {
			c = c.ForPairs()
		}
		fit, err = albef.PairState(state, fusion)
	}
	switch name {
	case "pretrain":
		m, err = made(albef.New(c, torch.Hollow, 1))
	case "retrieval", "grounding":
		m, err = made(albef.NewRetrieval(c, torch.Hollow, 1))
	case "vqa":
		if fit, err = albef.VQAState(state, c.FusionLayer); err == nil {
			m, err = made(albef.NewVQA(c, torch.Hollow, 1))
		}
	case "ve":
		m, err = made(albef.NewVE(c, torch.Hollow, 1))
	case "nlvr":
		if pairs(); err == nil {
			m, err = made(albef.NewNLVR(c, torch.Hollow, 1))
		}
	case "pretrain-nlvr":
		if pairs(); err == nil {
			m, err = made(albef.NewTA(c, torch.Hollow, 1))
		}
	default:
		err = fmt.Errorf("no task %q", name)
	}
	return m, fit, err
}

// made is a model without its type.
func made[M loadable](m M, err error) (loadable, error) { return m, err }
