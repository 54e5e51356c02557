package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// Model is a trained ALBEF that answers queries, with its vocabulary. [Open]
// makes one, and the caller closes it. Queries may come from several goroutines
// and take turns.
type Model struct {
	core   *albef.Model // nil once closed
	config albef.Config
	device torch.Device
	size   int // parameters of the online model
	tok    *text.Tokenizer
	vocab  []string // nil: bert-base-uncased
	name   string

	layer     int // where Ground looks
	shortlist int // candidates of ITC that ITM ranks again

	owned  bool        // Close frees core
	live   bool        // core is being trained: features are not kept
	use    *sync.Mutex // held by whoever works with core
	closed atomic.Bool
	seen   galleryCache
}

// FromTrained wraps a model in training or just trained; nil gives nil. The
// model isn't owned: Close leaves it as it is. Queries must not run while a
// training step does.
func FromTrained(t *task.Trained) *Model {
	if t == nil || t.Model == nil || t.Tokenizer == nil {
		return nil
	}
	return newModel(t, "in training", false)
}

func newModel(t *task.Trained, name string, owned bool) *Model {
	c := t.Model.Config()
	return &Model{
		core: t.Model, config: c, device: t.Model.Device(), size: parameters(t.Model), tok: t.Tokenizer, vocab: t.Vocab, name: name,
		layer: middleLayer(c), shortlist: Shortlisted, owned: owned, live: !owned, use: &sync.Mutex{},
	}
}

// parameters counts the numbers of the online model.
func parameters(core *albef.Model) int {
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
	if m.owned && m.core != nil {
		m.core.Close()
	}
	m.core = nil
	m.closed.Store(true)
	m.seen = galleryCache{}
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

// work runs fn alone on the model, without gradients, in a scope of its own.
func (m *Model) work(ctx context.Context, what string, fn func(ctx context.Context, s *torch.Scope) error) error {
	if m == nil {
		return fmt.Errorf("%s: %w", what, errNoModel)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	m.use.Lock()
	defer m.use.Unlock()
	if m.core == nil {
		return fmt.Errorf("%s: %w", what, errClosed)
	}
	var failed error
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
