package train

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"vlab/albef/torch"
)

// Recording says whether a run's steps are recorded, see [Recorder]; "" is
// [RecordOff].
type Recording string

// The settings of cuda_graphs.
const (
	// RecordAuto is on CUDA; what can't be recorded runs as it is, and a line of the
	// log says why.
	RecordAuto Recording = "auto"
	// RecordOn ends the run where a step can't be recorded. On a CPU the step then
	// runs as often as it would be replayed: a check that it needs nothing of the host.
	RecordOn  Recording = "on"
	RecordOff Recording = "off"
)

// Recorder runs a training step that depends on nothing but tensors. The first
// times it runs as it is; then it is recorded, once for each combination of its
// tensors' shapes, and replayed: the device does its some thousand operations
// without being told each. One goroutine at a time.
type Recorder struct {
	Recorded, Replayed int // how many steps were

	dev    torch.Device
	must   bool
	log    *slog.Logger
	record func(work func() error) (*torch.Graph, error)

	ran    map[string]int      // steps that ran as they are, by form
	names  map[string][]string // of the losses, by form
	steps  map[string]*recorded
	recent []string // keys of steps, the one replayed last at the end
	inputs map[string]*torch.Tensor
	off    bool // recording has failed
}

// recorded is a step for one combination of shapes. It reads inputs and leaves
// its losses in values.
type recorded struct {
	graph  *torch.Graph
	inputs []*torch.Tensor
	values *torch.Tensor
}

const (
	// warmUp steps run before the first is recorded, as PyTorch asks for: libraries
	// load and choose what they will use.
	warmUp = 3
	// keptSteps is how many recorded steps are kept: texts have five lengths, and
	// the hidden words of a batch come in a handful of counts.
	keptSteps = 32
)

// NewRecorder makes a recorder for work on dev. It is nil where nothing is to be
// recorded. The caller closes it.
func NewRecorder(dev torch.Device, how Recording, log *slog.Logger) (*Recorder, error) {
	if how == "" || how == RecordOff || how == RecordAuto && !dev.IsCUDA() {
		return nil, nil //nolint:nilnil // nil is a recorder that records nothing, as the comment says
	}
	graphs, err := torch.NewGraphs(dev)
	if err != nil && how == RecordAuto {
		log.Warn("steps are not recorded", "reason", err)
		return nil, nil //nolint:nilnil // see above
	}
	if err != nil {
		return nil, err
	}
	return &Recorder{
		dev: dev, must: how == RecordOn, log: log, record: graphs.Record,
		ran: map[string]int{}, names: map[string][]string{}, steps: map[string]*recorded{}, inputs: map[string]*torch.Tensor{},
	}, nil
}

// StepFunc computes a step's losses from its tensors, nil where it has none, and
// does all else that a step does. What it makes belongs to s. What it takes from
// elsewhere has to be the same for all steps of a form.
type StepFunc func(s *torch.Scope, inputs []*torch.Tensor) []Loss

// Run takes a step and returns the names of its losses and their values, float32
// [n] in s. form names what of the step changes beside the tensors. Run has to be
// within [torch.Apart].
func (r *Recorder) Run(s *torch.Scope, form string, inputs []*torch.Tensor, step StepFunc) ([]string, *torch.Tensor, error) {
	form, key := keysOf(form, inputs)
	done, ok := r.steps[key]
	if !ok && r.isWarm(form) {
		var err error
		if done, err = r.begin(form, inputs, step); err == nil {
			r.keep(key, done)
		} else if err = r.failed(err); err != nil {
			return nil, nil, err
		}
	}
	if done != nil {
		values, err := r.replay(s, key, done, inputs)
		return r.names[form], values, err
	}
	r.ran[form]++
	names, values := stacked(step(s, inputs))
	r.names[form] = names
	return names, values, nil
}

// keysOf names the kind of a step, with which of its tensors there are, and that
// with their shapes.
func keysOf(form string, inputs []*torch.Tensor) (kind, key string) {
	var there, shapes strings.Builder
	for _, x := range inputs {
		if x == nil {
			there.WriteByte('-')
			continue
		}
		there.WriteByte('x')
		shapes.WriteString(describe(x))
	}
	kind = form + " " + there.String()
	return kind, kind + shapes.String()
}

func describe(x *torch.Tensor) string {
	m := x.Meta()
	return fmt.Sprint(" ", m.DType, m.Shape)
}

// isWarm reports whether a step of this form may be recorded. Each form runs once
// as it is: only then is all there that it keeps, such as AdamW's moments.
func (r *Recorder) isWarm(form string) bool {
	total := 0
	for _, n := range r.ran {
		total += n
	}
	return !r.off && total >= warmUp && r.ran[form] > 0
}

// begin records step for inputs like these.
func (r *Recorder) begin(form string, inputs []*torch.Tensor, step StepFunc) (*recorded, error) {
	done := &recorded{inputs: r.own(inputs), values: torch.Full(nil, 0, torch.Float32, r.dev, len(r.names[form]))}
	var err error
	done.graph, err = r.record(func() error {
		return torch.Do(func(s *torch.Scope) {
			_, values := stacked(step(s, use(s, done.inputs)))
			done.values.Copy(values)
		})
	})
	if err != nil {
		done.values.Close()
		return nil, err
	}
	r.Recorded++
	return done, nil
}

// own returns tensors like inputs that recorded steps read, the same ones for the
// same shapes.
func (r *Recorder) own(inputs []*torch.Tensor) []*torch.Tensor {
	out := make([]*torch.Tensor, len(inputs))
	for i, x := range inputs {
		if x == nil {
			continue
		}
		name := fmt.Sprint(i, describe(x))
		if r.inputs[name] == nil {
			m := x.Meta()
			r.inputs[name] = torch.Full(nil, 0, m.DType, m.Device, m.Shape...)
		}
		out[i] = r.inputs[name]
	}
	return out
}

// keep keeps a recorded step, and drops the one that was out of use the longest
// where there are too many.
func (r *Recorder) keep(key string, done *recorded) {
	r.log.Debug("step recorded", "step", key)
	r.steps[key] = done
	if r.recent = append(r.recent, key); len(r.recent) > keptSteps {
		r.drop(r.recent[0])
	}
}

func (r *Recorder) drop(key string) {
	done := r.steps[key]
	delete(r.steps, key)
	r.recent = slices.DeleteFunc(r.recent, func(k string) bool { return k == key })
	done.graph.Close()
	done.values.Close()
}

func (r *Recorder) replay(s *torch.Scope, key string, done *recorded, inputs []*torch.Tensor) (*torch.Tensor, error) {
	for i, x := range inputs {
		if x != nil {
			done.inputs[i].Copy(x)
		}
	}
	if err := done.graph.Replay(); err != nil {
		return nil, err
	}
	r.Replayed++
	at := slices.Index(r.recent, key)
	r.recent = append(slices.Delete(r.recent, at, at+1), key)
	return s.Use(done.values).Clone(), nil
}

// failed returns err where steps have to be recorded, else it sees to it that they
// go on as they are: a recording that CUDA broke off may have left libtorch in a
// state that the next one would fail in.
func (r *Recorder) failed(err error) error {
	if r.must {
		return fmt.Errorf("record a step: %w", err)
	}
	// What was recorded before draws from a generator that is no longer the device's.
	r.dropAll()
	r.off = true
	r.log.Warn("steps are not recorded any more, and run as they are", "reason", err)
	return nil
}

func (r *Recorder) dropAll() {
	for len(r.recent) > 0 {
		r.drop(r.recent[0])
	}
}

// Close frees what was recorded. A nil recorder has nothing to free.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	r.dropAll()
	for _, x := range r.inputs {
		x.Close()
	}
	clear(r.inputs)
}

// use returns aliases of ts that belong to s.
func use(s *torch.Scope, ts []*torch.Tensor) []*torch.Tensor {
	out := make([]*torch.Tensor, len(ts))
	for i, x := range ts {
		if x != nil {
			out[i] = s.Use(x)
		}
	}
	return out
}

// stacked returns the names of losses and their values, float32 [n].
func stacked(losses []Loss) (names []string, values *torch.Tensor) {
	all := make([]*torch.Tensor, len(losses))
	for i, l := range losses {
		names, all[i] = append(names, l.Name), l.Value.Detach().To(torch.Float32)
	}
	return names, torch.Stack(0, all...)
}
