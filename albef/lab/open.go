package lab

import (
	_ "embed" // for the demo model
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// demo is the model that is always there: a small ALBEF trained on drawn
// scenes.
//
//go:embed demo/demo.safetensors
var demo []byte

// Option changes how [Open] opens a model.
type Option func(*opening)

type opening struct {
	device    string
	imageRes  int
	shortlist int
}

// WithDevice says where the model computes: auto (the default: a CUDA device
// where one can be used, else the CPU), cpu, or cuda:N.
func WithDevice(name string) Option { return func(o *opening) { o.device = name } }

// WithImageRes sets the side of the images that the model sees, in pixels, in
// place of the one it was trained with: position embeddings are interpolated.
func WithImageRes(pixels int) Option { return func(o *opening) { o.imageRes = pixels } }

// WithShortlist sets how many candidates of ITC are ranked again by ITM, in
// place of 16; the official k_test.
func WithShortlist(n int) Option { return func(o *opening) { o.shortlist = n } }

// Open opens a model for queries: "demo" is the embedded one; other names are
// paths of a checkpoint (.pth of vlab or of the official release, .safetensors)
// or of the folder of a training run. The caller closes it.
func Open(name string, opts ...Option) (*Model, error) {
	var o opening
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	m, err := open(name, o)
	if err != nil {
		return nil, fmt.Errorf("open model %q: %w", name, err)
	}
	return m, nil
}

func open(name string, o opening) (*Model, error) {
	if o.imageRes < 0 || o.shortlist < 0 {
		return nil, fmt.Errorf("image_res %d and shortlist %d can't be negative", o.imageRes, o.shortlist)
	}
	dev, err := torch.ParseDevice(o.device)
	if err != nil {
		return nil, err
	}
	ck, label, err := find(name)
	if err != nil {
		return nil, err
	}
	tok, err := ck.Tokenizer()
	if err != nil {
		return nil, err
	}
	var core *albef.Model
	keepRandom(dev, func() { core, _, err = ck.Build(dev, o.imageRes) })
	if err != nil {
		return nil, err
	}
	if rows := core.Config().VocabSize; rows != tok.Size() {
		core.Close()
		return nil, hinted("the file lacks its vocabulary, or has another model's",
			"%d words in the vocabulary, %d in the weights", tok.Size(), rows)
	}
	m := newModel(&task.Trained{Model: core, Tokenizer: tok, Vocab: ck.Vocab}, label, true)
	if o.shortlist > 0 {
		m.shortlist = o.shortlist
	}
	if err := m.readNote(ck.Note); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// readNote takes over what a file for queries says beside its weights.
func (m *Model) readNote(note map[string]string) error {
	layer, ok := note["ground_layer"]
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(layer)
	if c := m.config; err != nil || n < c.FusionLayer || n >= c.Layers {
		return fmt.Errorf("ground_layer is %q in the file, want %d to %d", layer, c.FusionLayer, c.Layers-1)
	}
	m.layer = n
	return nil
}

// find reads the checkpoint that a name stands for, and gives it a short label.
func find(name string) (*train.Checkpoint, string, error) {
	if name == "demo" {
		ck, err := readDemo()
		return ck, "demo", err
	}
	path := homePath(name)
	info, err := os.Stat(path)
	switch {
	case name == "" || errors.Is(err, fs.ErrNotExist):
		return nil, "", hinted("\"demo\" is built in; anything else is the path of a checkpoint or of a training run's folder", "no such file")
	case err != nil:
		return nil, "", err
	case info.IsDir():
		if path, err = train.FindLast(path); err != nil {
			return nil, "", err
		}
	}
	ck, err := readFile(path)
	return ck, filepath.Base(path), err
}

// readFile reads a checkpoint; of a .safetensors file also the note that
// [SaveForQueries] wrote.
func readFile(path string) (*train.Checkpoint, error) {
	if !strings.HasSuffix(path, ".safetensors") {
		return train.ReadCheckpoint(path)
	}
	state, meta, err := weights.ReadSafetensors(path)
	if err != nil {
		return nil, err
	}
	ck := &train.Checkpoint{State: state, Note: meta}
	if v := meta["vocab"]; v != "" {
		ck.Vocab = strings.Split(v, "\n")
	}
	if sizes := meta["model"]; sizes != "" {
		if err := json.Unmarshal([]byte(sizes), &ck.Model); err != nil {
			return nil, fmt.Errorf("its model sizes: %w", err)
		}
	}
	return ck, nil
}

// readDemo reads the embedded model by way of a file, as weights are read.
func readDemo() (ck *train.Checkpoint, err error) {
	f, err := os.CreateTemp("", "vlab-demo-*.safetensors")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(demo)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("unpack the demo model: %w", err)
	}
	return readFile(f.Name())
}

// Untrained returns a model of the same sizes and vocabulary as m with fresh
// weights drawn from seed: what figures are to be compared with. The caller
// closes it.
func Untrained(m *Model, seed int64) (*Model, error) {
	if m == nil {
		return nil, fmt.Errorf("untrained model: %w", errNoModel)
	}
	m.use.Lock()
	defer m.use.Unlock()
	if m.core == nil {
		return nil, fmt.Errorf("untrained model: %w", errClosed)
	}
	var core *albef.Model
	var err error
	keepRandom(m.device, func() { core, err = albef.New(m.config, m.device, seed) })
	if err != nil {
		return nil, fmt.Errorf("untrained model: %w", err)
	}
	fresh := newModel(&task.Trained{Model: core, Tokenizer: m.tok, Vocab: m.vocab}, "untrained", true)
	fresh.layer, fresh.shortlist = m.layer, m.shortlist
	return fresh, nil
}

// keepRandom runs fn, which seeds the generators, and puts their state back, so
// that making a model doesn't change the course of a run in the background.
func keepRandom(dev torch.Device, fn func()) {
	state := torch.RandomState(torch.CPU)
	defer torch.SetRandomState(torch.CPU, state)
	if dev.IsCUDA() {
		device := torch.RandomState(dev)
		defer torch.SetRandomState(dev, device)
	}
	fn()
}

// homePath replaces a leading ~/ by the home folder.
func homePath(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}
