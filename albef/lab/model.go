package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"vlab/albef"
	features "vlab/albef/gallery"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// Model is a trained ALBEF that answers queries, with its vocabulary. [Open]
// makes one, and the caller closes it. Queries may come from several goroutines
// and take turns.
type Model struct {
	core   *albef.Model      // of pretraining, retrieval or grounding; nil in other models, and once closed
	vqa    *albef.VQA        // nil in other models, and once closed
	judge  *albef.Classifier // of VE or NLVR2; nil in other models, and once closed
	pairs  bool              // judge is of NLVR2
	config albef.Config
	device torch.Device
	size   int // parameters of the online model
	tok    *text.Tokenizer
	vocab  []string // nil: bert-base-uncased
	name   string

	layer     int // where Ground looks
	shortlist int // candidates of ITC that ITM ranks again

	answers []string // what Answer chooses among; nil: it writes
	heads   *heads   // of other tasks; nil: none

	owned  bool        // Close frees the weights
	live   bool        // core is being trained: nothing that it makes of pictures is kept
	use    *sync.Mutex // held by whoever works with the weights
	closed atomic.Bool
	seen   galleryCache

	pictures pictures // that were asked about last
	hash     features.Hash
}

// FromTrained wraps a model in training or just trained; nil gives nil. The
// model isn't owned: Close leaves it as it is. Queries must not run while a
// training step does.
func FromTrained(t *task.Trained) *Model {
	if t == nil || moduleOf(t) == nil || t.Tokenizer == nil {
		return nil
	}
	return newModel(t, "in training", false)
}

func newModel(t *task.Trained, name string, owned bool) *Model {
	core := moduleOf(t)
	c := core.Config()
	return &Model{
		core: t.Model, vqa: t.VQA, judge: t.Judge, pairs: t.Pairs, answers: t.Answers,
		config: c, device: core.Device(), size: parameters(core), tok: t.Tokenizer, vocab: t.Vocab, name: name,
		layer: middleLayer(c), shortlist: Shortlisted, owned: owned, live: !owned, use: &sync.Mutex{},
		pictures: pictures{most: pictureBytes},
	}
}

// module is what the models of all tasks have.
type module interface {
	Config() albef.Config
	Device() torch.Device
	Params() []albef.Param
	Trained() (plain, decayed []albef.Param)
	Close()
}

// moduleOf is the model of a task, nil where there is none.
func moduleOf(t *task.Trained) module {
	switch {
	case t.Model != nil:
		return t.Model
	case t.VQA != nil:
		return t.VQA
	case t.Judge != nil:
		return t.Judge
	}
	return nil
}

// module is the model itself, nil once closed; the caller holds use.
func (m *Model) module() module {
	return moduleOf(&task.Trained{Model: m.core, VQA: m.vqa, Judge: m.judge})
}

// parameters counts the numbers of the online model.
func parameters(core module) int {
	n := 0
	plain, decayed := core.Trained()
	for _, p := range slices.Concat(plain, decayed) {
		size := 1
		for _, d := range p.Shape {
			size *= d
		}
		n += size
	}
	return n
}

// middleLayer is the fusion layer that grounds best by default: the third of
// six in the official size (Grounding.py block_num 8), the middle one in others.
func middleLayer(c albef.Config) int { return (c.FusionLayer + c.Layers - 1) / 2 }

// Close frees an opened model. Closing twice does nothing.
func (m *Model) Close() {
	if m == nil {
		return
	}
	m.use.Lock()
	defer m.use.Unlock()
	if core := m.module(); m.owned && core != nil {
		core.Close()
	}
	m.forget()
	m.heads.close()
	m.seen = galleryCache{}
}

// forget lets go of the weights and what they made of pictures; the caller holds
// use.
func (m *Model) forget() {
	m.pictures.clear()
	m.core, m.vqa, m.judge = nil, nil, nil
	m.closed.Store(true)
}

// Config returns the model's sizes.
func (m *Model) Config() albef.Config {
	if m == nil {
		return albef.Config{}
	}
	return m.config
}

// Layer returns the fusion layer whose attention [Model.Ground] reads unless
// told otherwise, counted over all layers of the text side.
func (m *Model) Layer() int {
	if m == nil {
		return 0
	}
	return m.layer
}

// SetLayer makes [Model.Ground] read another fusion layer unless told otherwise.
func (m *Model) SetLayer(layer int) error {
	if m == nil {
		return errNoModel
	}
	if c := m.config; layer < c.FusionLayer || layer >= c.Layers {
		return hinted(fmt.Sprintf("layers %d to %d attend to the picture", c.FusionLayer, c.Layers-1), "layer %d is no fusion layer", layer)
	}
	m.layer = layer
	return nil
}

// String tells sizes, device, parameters and vocabulary in one line.
func (m *Model) String() string {
	switch {
	case m == nil:
		return "no model"
	case m.closed.Load():
		return "ALBEF " + m.name + ", closed"
	}
	c := m.config
	return fmt.Sprintf("ALBEF %s: %d px, ViT %d wide x %d, text %d wide x %d (fusion from %d), %s parameters, %d words, on %s",
		m.name, c.ImageRes, c.VisionWidth, c.VisionDepth, c.Hidden, c.Layers, c.FusionLayer,
		countText(m.size), m.tok.Size(), m.device)
}

// Summary tells the model's size, type, memory and device in a few words.
func (m *Model) Summary() string {
	if m == nil || m.closed.Load() {
		return m.String()
	}
	return fmt.Sprintf("%s parameters, fp32, %.0f MB, on %s, %d px", countText(m.size), 4*float64(m.size)/1e6, m.device, m.config.ImageRes)
}

func countText(n int) string {
	if n < 1e6 {
		return fmt.Sprintf("%.0f k", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f M", float64(n)/1e6)
}

// UnknownWords returns the words of a text that the model has never seen,
// each once and in order: they all look the same to it.
func (m *Model) UnknownWords(sentence string) []string {
	if m == nil {
		return nil
	}
	clean := cleanText(sentence)
	ids := m.tok.Encode(clean, 0)
	var unknown []string
	for _, w := range m.tok.Words(clean) {
		if ids[w.First] == m.tok.UNK() && !slices.Contains(unknown, w.Text) {
			unknown = append(unknown, w.Text)
		}
	}
	return unknown
}

// unknownNote is a line on unknown words for results, "" without any.
func unknownNote(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "not in the model's vocabulary: " + strings.Join(words, ", ")
}

// isClosed reports whether there are no weights any more; the caller holds use.
func (m *Model) isClosed() bool { return m.module() == nil }

// work runs fn alone on the core, without gradients, in a scope of its own.
func (m *Model) work(ctx context.Context, what string, fn func(ctx context.Context, s *torch.Scope) error) error {
	return m.workWith(ctx, what, func() bool { return m.core != nil }, takesCore, fn)
}

// takesCore is a hint for what a model of another task can't do.
const takesCore = "it takes a model of vlab pretrain, retrieval or grounding"

// haveCore is an error where there is no core; the caller holds use.
func (m *Model) haveCore() error {
	switch {
	case m.isClosed():
		return errClosed
	case m.core == nil:
		return hinted(takesCore, "%s was trained for another task", m.name)
	}
	return nil
}

// workWith is work on what has finds; takes says which models have it.
func (m *Model) workWith(ctx context.Context, what string, has func() bool, takes string,
	fn func(ctx context.Context, s *torch.Scope) error,
) error {
	if m == nil {
		return fmt.Errorf("%s: %w", what, errNoModel)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	m.use.Lock()
	defer m.use.Unlock()
	if m.isClosed() {
		return fmt.Errorf("%s: %w", what, errClosed)
	}
	if !has() {
		return hinted(takes, "%s: %s was trained for another task", what, m.name)
	}
	var failed error
	defer torch.Pin()()
	err := torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			if failed = ctx.Err(); failed == nil {
				failed = fn(ctx, s)
			}
		})
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
