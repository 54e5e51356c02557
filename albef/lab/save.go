package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch/weights"
)

// SaveForQueries writes what queries need of a trained model as a .safetensors
// file: the online weights in half precision, tied ones once, with the sizes
// and the vocabulary as metadata. The momentum model, the queue, the
// optimiser's state and the supervised heads stay behind. note adds metadata;
// "ground_layer" sets the layer that Ground reads by default.
func SaveForQueries(t *task.Trained, path string, note map[string]string) error {
	if t == nil || t.Model == nil {
		return fmt.Errorf("save for queries: %w", errNoModel)
	}
	return save(t.Model, t.Vocab, path, note, weights.F16)
}

// Save writes the model for queries, as [SaveForQueries] does.
func (m *Model) Save(path string) error {
	if m == nil {
		return fmt.Errorf("save for queries: %w", errNoModel)
	}
	m.use.Lock()
	defer m.use.Unlock()
	if err := m.haveCore(); err != nil {
		return fmt.Errorf("save for queries: %w", err)
	}
	return save(m.core, m.vocab, homePath(path), map[string]string{"ground_layer": fmt.Sprint(m.layer)}, weights.F16)
}

func save(core *albef.Model, vocab []string, path string, note map[string]string, dtype weights.DType) error {
	if !strings.HasSuffix(path, ".safetensors") {
		return hinted("end the name in .safetensors", "save for queries: %s is no .safetensors file", path)
	}
	meta := maps.Clone(note)
	if meta == nil {
		meta = map[string]string{}
	}
	c := core.Config()
	c.QueueSize, c.CellLabels = 0, nil
	sizes, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("save for queries: %w", err)
	}
	meta["model"] = string(sizes)
	if vocab != nil {
		meta["vocab"] = strings.Join(vocab, "\n")
	}
	state := weights.NewDict()
	for _, p := range core.Params() {
		if !p.Tied && isForQueries(p.Name) {
			state.Set(p.Name, albef.ToWeights(p.Tensor).To(dtype))
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
