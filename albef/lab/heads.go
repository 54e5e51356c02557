package lab

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// A file for queries can hold, beside a pretrained model, what other tasks'
// models that were finetuned from it have otherwise: under the name
// head.TASK.NAME each of their weights that isn't the pretrained one's. One file
// then answers all queries, and layers that finetuning left as they were are in
// it once.
const headPrefix = "head."

// headTasks are the tasks of heads.
var headTasks = []string{"vqa", "ve", "nlvr"}

// heads are the models of other tasks that a model's file has. They are built
// when they are asked first.
type heads struct {
	names []string
	file  string // that they are read from, as [Open] takes it
	from  opening
	fresh bool // with weights that have learned nothing, in the place of the file's

	mu    sync.Mutex
	built map[string]*Model
}

// cutHeads takes the weights of heads out of a checkpoint's.
func cutHeads(state *weights.Dict) map[string]*weights.Dict {
	out := map[string]*weights.Dict{}
	for _, key := range state.Keys() {
		rest, ok := strings.CutPrefix(key, headPrefix)
		if !ok {
			continue
		}
		name, inside, _ := strings.Cut(rest, ".")
		if out[name] == nil {
			out[name] = weights.NewDict()
		}
		t, _ := state.Get(key)
		out[name].Set(inside, t)
		state.Delete(key)
	}
	return out
}

// adapted are the weights that a task's model begins with.
func adapted(name string, state *weights.Dict, fusion int) (*weights.Dict, error) {
	switch name {
	case "vqa":
		return albef.VQAState(state, fusion)
	case "nlvr":
		return albef.PairState(state, fusion)
	}
	return state, nil
}

// taskOf names the task of a model that can be a head, "" of another.
func (m *Model) taskOf() string {
	switch {
	case m.vqa != nil:
		return "vqa"
	case m.judge != nil && m.pairs:
		return "nlvr"
	case m.judge != nil:
		return "ve"
	}
	return ""
}

// asks returns who answers a task's queries: m itself, or the head of its file.
func (m *Model) asks(name string) (*Model, error) {
	if m == nil || m.heads == nil || !slices.Contains(m.heads.names, name) || m.closed.Load() {
		return m, nil
	}
	h := m.heads
	h.mu.Lock()
	defer h.mu.Unlock()
	if found := h.built[name]; found != nil {
		return found, nil
	}
	built, err := h.build(name, m)
	if err != nil {
		return nil, fmt.Errorf("the head for %s of model %q: %w", name, h.file, err)
	}
	if h.built == nil {
		h.built = map[string]*Model{}
	}
	h.built[name] = built
	return built, nil
}

// Answers reports whether the model answers the queries of a task: vqa, ve or
// nlvr.
func (m *Model) Answers(task string) bool {
	return m != nil && (m.taskOf() == task || m.heads != nil && slices.Contains(m.heads.names, task))
}

// build makes the model of a head.
func (h *heads) build(name string, of *Model) (*Model, error) {
	ck, _, err := find(h.file)
	if err != nil {
		return nil, err
	}
	defer ck.Drop()
	own := cutHeads(ck.State)[name]
	if own == nil {
		return nil, hinted("open the model again", "it is no longer in the file")
	}
	if err := h.from.configure(ck); err != nil {
		return nil, err
	}
	if ck.State, err = withHead(name, ck.State, own, of.config.FusionLayer); err != nil {
		return nil, err
	}
	var m *Model
	keepRandom(of.device, func() { m, err = build(ck, of.device, h.from.imageRes, of.tok, of.name, !h.fresh) })
	return m, err
}

// withHead are the weights of a task's model: the pretrained ones, and a head's in
// their place.
func withHead(name string, state, own *weights.Dict, fusion int) (*weights.Dict, error) {
	begin, err := adapted(name, state, fusion)
	if err != nil {
		return nil, err
	}
	out := weights.NewDict()
	for key, t := range begin.All() {
		out.Set(key, t)
	}
	for key, t := range own.All() {
		if known, _ := albef.LookUp(begin, key); known != "" {
			key = known
		}
		out.Set(key, t)
	}
	return out, nil
}

// close frees the heads that were built.
func (h *heads) close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.built {
		m.Close()
	}
	h.built = nil
}

// addHead puts into state, the weights of a pretrained model, those of a model
// that was finetuned from it, as far as they differ, and into meta its answers.
func addHead(state *weights.Dict, meta map[string]string, of *Model, fusion int, dtype weights.DType) error {
	of.use.Lock()
	defer of.use.Unlock()
	name := of.taskOf()
	if name == "" {
		return hinted("heads are models of vlab vqa, ve and nlvr", "%s is no head", of.name)
	}
	begin, err := adapted(name, pretrainedOf(state), fusion)
	if err != nil {
		return err
	}
	added := 0
	for _, p := range of.module().Params() {
		if p.Tied || !isForQueries(p.Name) {
			continue
		}
		t := albef.ToWeights(p.Tensor).To(dtype)
		if _, known := albef.LookUp(begin, p.Name); known == nil || !bytes.Equal(known.Data, t.Data) {
			state.Set(headPrefix+name+"."+p.Name, t)
			added++
		}
	}
	if added == 0 {
		return fmt.Errorf("the head for %s has no weight of its own", name)
	}
	if of.answers != nil {
		meta[task.AnswersNote] = strings.Join(of.answers, "\n")
	}
	return nil
}

// pretrainedOf are the weights without those of heads.
func pretrainedOf(state *weights.Dict) *weights.Dict {
	out := weights.NewDict()
	for key, t := range state.All() {
		if !strings.HasPrefix(key, headPrefix) {
			out.Set(key, t)
		}
	}
	return out
}

// headNames lists the tasks of heads that a checkpoint has, in a fixed order, and
// refuses one that isn't known.
func headNames(found map[string]*weights.Dict, ck *train.Checkpoint) ([]string, error) {
	var names []string
	for _, name := range headTasks {
		if found[name] != nil {
			names = append(names, name)
		}
	}
	if len(names) < len(found) {
		return nil, hinted("heads are of "+strings.Join(headTasks, ", "), "the file of %d weights has a head for an unknown task", ck.State.Len())
	}
	return names, nil
}
