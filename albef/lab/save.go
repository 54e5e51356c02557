package lab

import (
	"encoding/json"
	"fmt"
	"strings"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch/weights"
)

// Save writes what queries need of the model as a .safetensors file: the online
// weights in half precision, tied ones once, with the sizes, the vocabulary, the
// layer that [Model.Ground] reads and the answers that [Model.Answer] chooses
// among as metadata. The momentum model, the queue and the supervised heads stay
// behind.
//
// Beside a pretrained model the file takes models of vlab vqa, ve and nlvr that
// were finetuned from it; of those it holds what finetuning changed, and whoever
// opens it can ask for everything. The heads that m itself was opened with stay
// behind unless they are given.
func (m *Model) Save(path string, finetuned ...*Model) error {
	if m == nil {
		return fmt.Errorf("save for queries: %w", errNoModel)
	}
	m.use.Lock()
	defer m.use.Unlock()
	return m.save(homePath(path), weights.F16, finetuned...)
}

// save is Save with another precision; the caller holds use.
func (m *Model) save(path string, dtype weights.DType, finetuned ...*Model) error {
	core := m.module()
	if core == nil {
		return fmt.Errorf("save for queries: %w", errClosed)
	}
	if !strings.HasSuffix(path, ".safetensors") {
		return hinted("end the name in .safetensors", "save for queries: %s is no .safetensors file", path)
	}
	c := m.config
	c.QueueSize, c.CellLabels = 0, nil
	sizes, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("save for queries: %w", err)
	}
	meta := map[string]string{"model": string(sizes)}
	if m.core != nil {
		meta[layerNote] = fmt.Sprint(m.layer)
	}
	if m.answers != nil {
		meta[task.AnswersNote] = strings.Join(m.answers, "\n")
	}
	if m.vocab != nil {
		meta["vocab"] = strings.Join(m.vocab, "\n")
	}
	state := weights.NewDict()
	for _, p := range core.Params() {
		if !p.Tied && isForQueries(p.Name) {
			state.Set(p.Name, albef.ToWeights(p.Tensor).To(dtype))
		}
	}
	for _, head := range finetuned {
		if m.core == nil || head == nil || head == m {
			return hinted("lab.Open a model of vlab pretrain and save it with those of vlab vqa, ve and nlvr", "save for queries: no pretrained model with heads beside it")
		}
		if err := addHead(state, meta, head, m.config.FusionLayer, dtype); err != nil {
			return fmt.Errorf("save for queries: %w", err)
		}
	}
	if err := weights.WriteSafetensors(path, state, meta); err != nil {
		return fmt.Errorf("save for queries: %w", err)
	}
	return nil
}

// isForQueries tells the weights that answer queries from those that only
// training needs.
func isForQueries(name string) bool {
	return !strings.Contains(name, "_m.") && !strings.HasSuffix(name, "_queue") && name != "queue_ptr" &&
		!strings.HasSuffix(name, "position_ids") && !strings.HasPrefix(name, "cell_head.")
}
