package lab

import (
	"cmp"
	_ "embed" // for the demo model
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// demo is the model that is always there: a small ALBEF trained on drawn
// scenes.
//
//go:embed demo/demo.safetensors
var demo []byte

// demoName opens the embedded model.
const demoName = "demo"

// Option changes how [Open] opens a model.
type Option func(*opening)

type opening struct {
	device    string
	imageRes  int
	shortlist int
	config    string
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

// WithConfig names a configuration in the official format, whose image_res and
// k_test count, and whose bert_config and model tell the heads of a checkpoint
// that doesn't tell them itself: the official ones. "" is none.
func WithConfig(path string) Option { return func(o *opening) { o.config = path } }

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
	defer ck.Drop()
	tok, err := ck.Tokenizer()
	if err != nil {
		return nil, err
	}
	if err := o.configure(ck); err != nil {
		return nil, err
	}
	names, err := headNames(cutHeads(ck.State), ck)
	if err != nil {
		return nil, err
	}
	var m *Model
	keepRandom(dev, func() { m, err = build(ck, dev, o.imageRes, tok, label, true) })
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		m.heads = &heads{names: names, file: name, from: o}
	}
	if rows := m.config.VocabSize; rows != tok.Size() {
		m.Close()
		return nil, hinted("the file lacks its vocabulary, or has another model's",
			"%d words in the vocabulary, %d in the weights", tok.Size(), rows)
	}
	if o.shortlist > 0 {
		m.shortlist = o.shortlist
	}
	if err := m.readNote(ck.Note); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// configure takes over what a configuration says.
func (o *opening) configure(ck *train.Checkpoint) error {
	if o.config == "" {
		return nil
	}
	c, err := task.ReadConfig(homePath(o.config))
	if err != nil {
		return err
	}
	o.imageRes, o.shortlist = cmp.Or(o.imageRes, c.ImageRes), cmp.Or(o.shortlist, c.KTest)
	if ck.Model.Layers == 0 {
		ck.Model, err = task.Untold(c)
	}
	return err
}

// build makes the model of a checkpoint by what it was trained for; without load
// the weights of one of another task stay fresh.
func build(ck *train.Checkpoint, dev torch.Device, imageRes int, tok *text.Tokenizer, name string, load bool) (*Model, error) {
	switch {
	case albef.IsVQAState(ck.State):
		return buildVQA(ck, dev, imageRes, tok, name, load)
	case albef.ClassesOf(ck.State) > 0:
		return buildJudge(ck, dev, imageRes, tok, name, load)
	case albef.IsTAState(ck.State):
		return nil, hinted("finetune it with vlab nlvr", "a model of text assignment, which answers no query")
	}
	core, _, err := ck.Build(dev, imageRes)
	if err != nil {
		return nil, err
	}
	return newModel(&task.Trained{Model: core, Tokenizer: tok, Vocab: ck.Vocab}, name, true), nil
}

// buildVQA makes a model that vlab vqa trained.
func buildVQA(ck *train.Checkpoint, dev torch.Device, imageRes int, tok *text.Tokenizer, name string, load bool) (*Model, error) {
	config, err := ck.Sizes(imageRes)
	if err != nil {
		return nil, err
	}
	vqa, err := albef.NewVQA(config, dev, 1)
	if err != nil {
		return nil, err
	}
	if load {
		if _, err := vqa.LoadState(ck.State); err != nil {
			vqa.Close()
			return nil, err
		}
	}
	t := &task.Trained{VQA: vqa, Tokenizer: tok, Vocab: ck.Vocab}
	if list := ck.Note[task.AnswersNote]; list != "" {
		t.Answers = strings.Split(list, "\n")
	}
	return newModel(t, name, true), nil
}

// buildJudge makes a model that vlab ve or vlab nlvr trained.
func buildJudge(ck *train.Checkpoint, dev torch.Device, imageRes int, tok *text.Tokenizer, name string, load bool) (*Model, error) {
	config, err := ck.Sizes(imageRes)
	if err != nil {
		return nil, err
	}
	judge, pairs, err := newJudge(albef.ClassesOf(ck.State), config, dev)
	if err != nil {
		return nil, err
	}
	if load {
		if _, err := judge.LoadState(ck.State); err != nil {
			judge.Close()
			return nil, err
		}
	}
	return newModel(&task.Trained{Judge: judge, Pairs: pairs, Tokenizer: tok, Vocab: ck.Vocab}, name, true), nil
}

// newJudge makes the model whose head has so many classes, and says whether it
// is for pairs of pictures.
func newJudge(classes int, config albef.Config, dev torch.Device) (judge *albef.Classifier, pairs bool, err error) {
	switch classes {
	case len(albef.VEClasses):
		m, err := albef.NewVE(config, dev, 1)
		if err != nil {
			return nil, false, err
		}
		return &m.Classifier, false, nil
	case len(albef.NLVRClasses):
		m, err := albef.NewNLVR(config, dev, 1)
		if err != nil {
			return nil, false, err
		}
		return &m.Classifier, true, nil
	}
	return nil, false, hinted("entailment has 3 classes, NLVR2 has 2", "a head of %d classes, as no task has it", classes)
}

// layerNote is the note of a file for queries that names the layer that Ground
// reads.
const layerNote = "ground_layer"

// readNote takes over what a file for queries says beside its weights.
func (m *Model) readNote(note map[string]string) error {
	layer, ok := note[layerNote]
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(layer)
	if err != nil {
		return fmt.Errorf("%s is %q in the file, want a number", layerNote, layer)
	}
	return m.SetLayer(n)
}

// find reads the checkpoint that a name stands for, and gives it a short label.
func find(name string) (*train.Checkpoint, string, error) {
	if name == demoName {
		ck, err := readDemo()
		return ck, demoName, err
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
	ck, err := train.ReadCheckpoint(path)
	return ck, filepath.Base(path), err
}

// UnpackDemo writes the embedded model to a file of its own, for what reads
// files; remove removes it.
func UnpackDemo() (path string, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "vlab-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("unpack the demo model: %w", err)
	}
	path = filepath.Join(dir, "demo.safetensors")
	remove = func() error { return os.RemoveAll(dir) }
	if err := train.WriteWhole(path, demo); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return path, remove, nil
}

// readDemo reads the embedded model by way of a file, as weights are read.
func readDemo() (ck *train.Checkpoint, err error) {
	path, remove, err := UnpackDemo()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	return train.ReadCheckpoint(path)
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
	if err := m.haveCore(); err != nil {
		return nil, fmt.Errorf("untrained model: %w", err)
	}
	var core *albef.Model
	var err error
	keepRandom(m.device, func() { core, err = albef.New(m.config, m.device, seed) })
	if err != nil {
		return nil, fmt.Errorf("untrained model: %w", err)
	}
	fresh := newModel(&task.Trained{Model: core, Tokenizer: m.tok, Vocab: m.vocab}, "untrained", true)
	fresh.layer, fresh.shortlist = m.layer, m.shortlist
	if h := m.heads; h != nil {
		fresh.heads = &heads{names: h.names, file: h.file, from: h.from, fresh: true}
	}
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
