package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"vlab/albef"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"

	"gopkg.in/yaml.v3"
)

// Checkpoint is a training state on disk: the official keys model, optimizer,
// lr_scheduler, config and epoch, and under vlab what the official code does
// not keep: sizes, vocabulary, position in the epoch and random state.
type Checkpoint struct {
	State     *weights.Dict
	Optimizer weights.Value // nil in a file for queries
	Model     albef.Config  // zero where the file doesn't say
	Vocab     []string      // nil: bert-base-uncased
	At        Position
	Steps     int    // done over all epochs
	Random    []byte // of the CPU's generator
	OnCUDA    []byte // of the CUDA device's generator, nil for a run on a CPU
	Note      map[string]string
	TrainedOn []string // the config's train_file, nil where the file doesn't say

	mapping *weights.Mapping // in which the tensors of a file lie
}

// LastName is the file that a run writes when it is interrupted and every
// save_every steps; [EpochName] is what it writes after an epoch.
const LastName = "checkpoint_last.pth"

// EpochName returns the official name of an epoch's checkpoint.
func EpochName(epoch int) string { return fmt.Sprintf("checkpoint_%02d.pth", epoch) }

// Write stores the checkpoint under path, whole or not at all.
func (c *Checkpoint) Write(path string, schedule Schedule, config *Config) error {
	root := weights.NewMap()
	root.Set("model", c.State)
	if c.Optimizer != nil {
		root.Set("optimizer", c.Optimizer)
		root.Set("lr_scheduler", schedulerState(schedule))
	}
	if config != nil {
		var plain map[string]any
		raw, err := yaml.Marshal(mapNode(reflect.ValueOf(config).Elem()))
		if err == nil {
			err = yaml.Unmarshal(raw, &plain)
		}
		if err != nil {
			return fmt.Errorf("save checkpoint %s: its config: %w", path, err)
		}
		root.Set("config", pickled(plain))
	}
	root.Set("epoch", int64(max(c.At.Epoch, 0)-1))
	own, err := c.own()
	if err != nil {
		return err
	}
	root.Set("vlab", own)
	if err := weights.WritePTH(path, root); err != nil {
		return fmt.Errorf("save checkpoint: %w", err)
	}
	return nil
}

// Drop lets go of the checkpoint's training state, some five times the size of
// the weights: of the file that was mapped, or of memory, which the system gets
// back at once. The empty checkpoint that is left may be dropped, too.
func (c *Checkpoint) Drop() {
	m, held := c.mapping, c.State != nil
	*c = Checkpoint{}
	m.Close()
	if held && m == nil {
		debug.FreeOSMemory()
	}
}

func (c *Checkpoint) own() (*weights.OrderedMap, error) {
	sizes, err := json.Marshal(c.Model)
	if err != nil {
		return nil, err
	}
	own := weights.NewMap()
	own.Set("model", string(sizes))
	own.Set("epoch", int64(c.At.Epoch))
	own.Set("step", int64(c.At.Step))
	own.Set("steps", int64(c.Steps))
	if c.Vocab != nil {
		own.Set("vocab", strings.Join(c.Vocab, "\n"))
	}
	for _, g := range c.generators() {
		if state := *g.state; state != nil {
			own.Set(g.key, &weights.Tensor{DType: weights.U8, Shape: []int{len(state)}, Data: state})
		}
	}
	for k, v := range c.Note {
		own.Set("note."+k, v)
	}
	return own, nil
}

// generator is where the state of one stands in a file and here.
type generator struct {
	key   string
	state *[]byte
}

func (c *Checkpoint) generators() []generator {
	return []generator{{"random", &c.Random}, {"random_cuda", &c.OnCUDA}}
}

// KeepRandom takes the state of the generators that a run on dev draws from.
// Replayed steps draw on, too: libtorch counts what each of them draws.
func (c *Checkpoint) KeepRandom(dev torch.Device) {
	c.Random = torch.RandomState(torch.CPU)
	if dev.IsCUDA() {
		c.OnCUDA = torch.RandomState(dev)
	}
}

// RestoreRandom gives the generators that a run on dev draws from the state that
// the checkpoint has of them.
func (c *Checkpoint) RestoreRandom(dev torch.Device) {
	if c.Random != nil {
		torch.SetRandomState(torch.CPU, c.Random)
	}
	if c.OnCUDA != nil && dev.IsCUDA() {
		torch.SetRandomState(dev, c.OnCUDA)
	}
}

// schedulerState is what timm's CosineLRScheduler keeps of itself.
func schedulerState(s Schedule) *weights.OrderedMap {
	m := weights.NewMap()
	m.Set("param_group_field", "lr")
	m.Set("base_values", &weights.List{Items: []weights.Value{s.LR, s.LR}})
	m.Set("t_initial", int64(s.Epochs))
	m.Set("lr_min", s.MinLR)
	m.Set("warmup_t", int64(s.WarmupEpochs))
	m.Set("warmup_lr_init", s.WarmupLR)
	return m
}

// pickled turns YAML's plain values into those of a .pth.
func pickled(v any) weights.Value {
	switch v := v.(type) {
	case map[string]any:
		m := weights.NewMap()
		for _, k := range slices.Sorted(maps.Keys(v)) {
			m.Set(k, pickled(v[k]))
		}
		return m
	case []any:
		l := &weights.List{}
		for _, x := range v {
			l.Items = append(l.Items, pickled(x))
		}
		return l
	case int:
		return int64(v)
	}
	return v
}

// ReadCheckpoint reads a checkpoint of ours or of the official code, or a
// .safetensors file of weights, whose metadata become the note. The tensors stay in
// the file until they are looked at, see [weights.Mapping]: the caller drops the
// checkpoint as soon as a model has them.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	c := &Checkpoint{}
	read := c.readPTH
	if strings.HasSuffix(path, ".safetensors") {
		read = c.readSafetensors
	}
	if err := read(path); err != nil {
		c.mapping.Close()
		return nil, err
	}
	return c, nil
}

func (c *Checkpoint) readSafetensors(path string) (err error) {
	if c.State, c.Note, c.mapping, err = weights.MapSafetensors(path); err != nil {
		return fmt.Errorf("load checkpoint: %w", err)
	}
	if v := c.Note["vocab"]; v != "" {
		c.Vocab = strings.Split(v, "\n")
	}
	return c.readSizes(path, c.Note["model"])
}

func (c *Checkpoint) readPTH(path string) error {
	v, m, err := weights.MapPTH(path)
	if err != nil {
		return fmt.Errorf("load checkpoint: %w", err)
	}
	c.mapping = m
	if c.State, err = weights.StateDict(v); err != nil {
		return fmt.Errorf("load checkpoint %s: %w", path, err)
	}
	root, ok := v.(*weights.OrderedMap)
	if !ok {
		return nil
	}
	if o, ok := root.Get("optimizer"); ok {
		c.Optimizer = o
	}
	if epoch, ok := root.Get("epoch"); ok {
		if n, ok := epoch.(int64); ok {
			c.At.Epoch = int(n) + 1 // the file says which epoch is over
		}
	}
	c.TrainedOn = trainFiles(root.Map("config"))
	return c.readOwn(path, root.Map("vlab"))
}

// trainFiles are the names under train_file in a checkpoint's config, which may
// be one text.
func trainFiles(config *weights.OrderedMap) (files []string) {
	if config == nil {
		return nil
	}
	v, _ := config.Get("train_file")
	switch v := v.(type) {
	case string:
		return []string{v}
	case *weights.List:
		for _, item := range v.Items {
			if name, ok := item.(string); ok {
				files = append(files, name)
			}
		}
	}
	return files
}

func (c *Checkpoint) readOwn(path string, own *weights.OrderedMap) error {
	if own == nil {
		return nil
	}
	number := func(key string) int {
		v, _ := own.Get(key)
		n, _ := v.(int64)
		return int(n)
	}
	c.At, c.Steps = Position{number("epoch"), number("step")}, number("steps")
	c.Note = map[string]string{}
	for _, key := range own.Keys() {
		name, _ := key.(string)
		v, _ := own.Get(key)
		if text, ok := v.(string); ok && strings.HasPrefix(name, "note.") {
			c.Note[strings.TrimPrefix(name, "note.")] = text
		}
	}
	if v, _ := own.Get("vocab"); v != nil {
		words, _ := v.(string)
		c.Vocab = strings.Split(words, "\n")
	}
	for _, g := range c.generators() {
		v, _ := own.Get(g.key)
		if t, ok := v.(*weights.Tensor); ok {
			*g.state = slices.Clone(t.Data) // small, and of use without the file
		}
	}
	sizes, _ := own.Get("model")
	s, _ := sizes.(string)
	return c.readSizes(path, s)
}

func (c *Checkpoint) readSizes(path, sizes string) error {
	if sizes == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(sizes), &c.Model); err != nil {
		return fmt.Errorf("load checkpoint %s: its model sizes: %w", path, err)
	}
	return nil
}

// Sizes are those of the checkpoint's model, read from the tensors. imageRes,
// where it isn't 0, is the side of images to come.
func (c *Checkpoint) Sizes(imageRes int) (albef.Config, error) {
	config, err := albef.ConfigOf(c.State, c.Model)
	if imageRes > 0 {
		config.ImageRes = imageRes
	}
	return config, err
}

// Build makes the checkpoint's model on dev, of the sizes that
// [Checkpoint.Sizes] tells: position embeddings are interpolated to imageRes.
func (c *Checkpoint) Build(dev torch.Device, imageRes int) (*albef.Model, albef.LoadReport, error) {
	config, err := c.Sizes(imageRes)
	if err != nil {
		return nil, albef.LoadReport{}, err
	}
	build := albef.New
	if !slices.ContainsFunc(c.State.Keys(), func(key string) bool { return strings.Contains(key, "text_encoder.cls.") }) {
		build = albef.NewRetrieval // finetuned for retrieval or grounding: without the MLM head
	}
	m, err := build(config, dev, 1)
	if err != nil {
		return nil, albef.LoadReport{}, err
	}
	report, err := m.LoadState(c.State)
	if err != nil {
		m.Close()
		return nil, report, err
	}
	return m, report, nil
}

// Tokenizer returns the checkpoint's own vocabulary, or bert-base-uncased.
func (c *Checkpoint) Tokenizer() (*text.Tokenizer, error) {
	if c.Vocab == nil {
		return text.Default(), nil
	}
	return text.Load(strings.NewReader(strings.Join(c.Vocab, "\n") + "\n"))
}

// FindLast returns the newest checkpoint that a run left in dir.
func FindLast(dir string) (string, error) {
	last := filepath.Join(dir, LastName)
	if _, err := os.Stat(last); err == nil {
		return last, nil
	}
	found, _ := filepath.Glob(filepath.Join(dir, "checkpoint_*.pth"))
	if len(found) == 0 {
		return "", fmt.Errorf("resume: no checkpoint in %s", dir)
	}
	return found[len(found)-1], nil
}
