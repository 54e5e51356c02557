package lab

import (
	"context"
	"fmt"
	"image"
	"strings"

	"vlab/albef/torch"
	"vlab/viz"
)

// The modes of grounding: by the cross-attention of a fusion layer, explaining
// ITM's match, or by the self-attention of an image block, explaining ITC's
// similarity.
const (
	modeITM = "itm"
	modeITC = "itc"
)

// meanHead asks for the mean over all attention heads.
const meanHead = -1

// Grounding is where the model looks for a text: a map for the whole, one for
// each word, the place of the peak and a box around it. It draws itself as the
// picture with its maps. Coordinates are pixels of the picture.
type Grounding struct {
	Text        string
	Mode        string     // itm or itc
	Peak        [2]float64 // x, y of the highest place of the text's map
	Box         [4]float64 // x, y, width, height of what is at least half as high around the peak; all 0 for an empty map
	Probability float64    // of a match, by ITM
	Logit       float64    // for a match, by ITM
	Unknown     []string   // words of the text that the model doesn't know

	model   *Model
	picture image.Image
	layer   int
	head    int
	at      int         // the word that is looked at; -1 for the whole text
	whole   viz.Map     // the text's map, or the word's
	words   []WordMap   // none in mode itc
	heads   [][]viz.Map // by head, then by token; in mode itc one map a head
	spans   []span
}

// span is a word of a text and its first and last token.
type span struct {
	word        string
	first, last int
}

// WordMap is where the model looks for one word.
type WordMap struct {
	Word string
	Map  viz.Map    // over the whole picture, whatever its shape
	Peak [2]float64 // in pixels of the picture
	Box  [4]float64 // x, y, width, height in pixels of the picture
}

// Ground shows where the model looks for a text in a picture: Grad-CAM on the
// cross-attention of the model's own layer, averaged over heads. A word's map is
// the mean over its tokens, the text's over all tokens, [CLS] included, as in
// the official evaluation.
func (m *Model) Ground(ctx context.Context, img image.Image, sentence string) (*Grounding, error) {
	g := &Grounding{Text: sentence, Mode: modeITM, model: m, picture: img, layer: m.Layer(), head: meanHead, at: -1}
	return g.measured(ctx)
}

// measured runs the model for a grounding that says what is wanted.
func (g *Grounding) measured(ctx context.Context) (*Grounding, error) {
	m := g.model
	err := m.work(ctx, "ground", func(ctx context.Context, s *torch.Scope) error {
		in, err := m.said(s, g.Text)
		if err != nil {
			return err
		}
		g.spans = nil
		for _, w := range m.tok.Words(cleanText(g.Text)) {
			g.spans = append(g.spans, span{w.Text, w.First, w.Last})
		}
		seen, err := m.see(ctx, s, g.picture)
		if err != nil {
			return err
		}
		if g.Mode == modeITC {
			return g.explainITC(s, in, seen)
		}
		return g.explainITM(in, seen)
	})
	if err != nil {
		return nil, err
	}
	g.Unknown = m.UnknownWords(g.Text)
	return g.read(g.head, g.at)
}

// asked is a text, and where it takes one a picture or a pair, as tensors.
type asked struct{ image, ids, mask *torch.Tensor }

func (g *Grounding) explainITM(in asked, seen picture) error {
	maps, err := g.model.core.GradCAMOf(seen.image, in.ids, in.mask, g.layer)
	if err != nil {
		return err
	}
	logits := maps.Logits.Floats()
	g.judge(verdictOf(logits[0], logits[1]))
	g.heads = cutMaps(maps.Heads.Floats(), maps.Heads.Size(1), maps.Heads.Size(2), maps.Heads.Size(3))
	return nil
}

// explainITC encodes the picture again, whatever is kept of it: its own
// attention has to be in the graph.
func (g *Grounding) explainITC(s *torch.Scope, in asked, seen picture) error {
	m := g.model.core
	pixels, err := g.model.pixelsOf(g.picture)
	if err != nil {
		return err
	}
	res := g.model.config.ImageRes
	_, attention, gradient, err := m.ImageGradCAM(s.Floats(pixels, 1, 3, res, res).ToDevice(g.model.device), in.ids, in.mask, g.layer)
	if err != nil {
		return err
	}
	logits := m.MatchTexts(m.Text.Encode(in.ids, in.mask, 0), in.mask, seen.image, 0).Floats()
	g.judge(verdictOf(logits[0], logits[1]))
	patches := attention.Size(2) - 1
	heads := attention.Narrow(2, 1, patches).Mul(gradient.Narrow(2, 1, patches).Relu())
	g.heads = cutMaps(heads.Floats(), heads.Size(1), 1, g.model.config.Grid())
	return nil
}

func (g *Grounding) judge(v verdict) { g.Logit, g.Probability = v.logit, v.probability }

// cutMaps makes maps [heads][tokens] of numbers [H, T, G, G].
func cutMaps(v []float32, heads, tokens, grid int) [][]viz.Map {
	out := make([][]viz.Map, heads)
	for h := range out {
		for t := range tokens {
			at := (h*tokens + t) * grid * grid
			out[h] = append(out[h], viz.Map{W: grid, H: grid, V: v[at : at+grid*grid]})
		}
	}
	return out
}

// read makes maps, peak and box of what was measured, for a head and a word.
func (g *Grounding) read(head, at int) (*Grounding, error) {
	if head < meanHead || head >= len(g.heads) {
		return nil, hinted(fmt.Sprintf("heads 0 to %d, and -1 for their mean", len(g.heads)-1), "ground: no head %d", head)
	}
	out := *g
	out.head, out.at = head, at
	tokens := make([]viz.Map, len(g.heads[0]))
	for t := range tokens {
		if head != meanHead {
			tokens[t] = g.heads[head][t]
			continue
		}
		all := make([]viz.Map, len(g.heads))
		for h := range all {
			all[h] = g.heads[h][t]
		}
		tokens[t] = viz.MeanMap(all...)
	}
	out.whole, out.words = viz.MeanMap(tokens...), nil
	size := g.picture.Bounds().Size()
	if g.Mode == modeITM {
		for _, s := range g.spans {
			w := WordMap{Word: s.word, Map: viz.MeanMap(tokens[s.first : s.last+1]...)}
			w.Peak, w.Box = spot(w.Map, size)
			out.words = append(out.words, w)
		}
	}
	if at >= 0 {
		out.whole = out.words[at].Map
	}
	out.Peak, out.Box = spot(out.whole, size)
	return &out, nil
}

// Word looks at one word of the text alone: its map gives peak and box. Of a
// word that comes twice the first counts.
func (g *Grounding) Word(word string) (*Grounding, error) {
	if g == nil {
		return nil, errNoGrounding
	}
	wanted := strings.ToLower(strings.TrimSpace(word))
	var known []string
	for i, w := range g.words {
		if strings.ToLower(w.Word) == wanted {
			return g.read(g.head, i)
		}
		known = append(known, w.Word)
	}
	if g.Mode == modeITC {
		return nil, hinted("words have maps in mode itm", "ground: ITC looks at the whole text")
	}
	return nil, hinted("its words: "+strings.Join(known, ", "), "ground: no word %q in %q", word, g.Text)
}

// Layer explains by another layer: in mode itm a fusion layer, counted over all
// layers of the text side; in mode itc a block of the image encoder.
func (g *Grounding) Layer(layer int) (*Grounding, error) {
	if g == nil {
		return nil, errNoGrounding
	}
	out := *g
	out.layer = layer
	return out.measured(context.Background())
}

// Head reads one attention head in place of the mean over all; -1 is the mean.
func (g *Grounding) Head(head int) (*Grounding, error) {
	if g == nil {
		return nil, errNoGrounding
	}
	return g.read(head, g.at)
}

// ITC explains the similarity of picture and text by the image encoder's own
// attention, two thirds of the way up. It has one map, none for each word.
func (g *Grounding) ITC() (*Grounding, error) {
	if g == nil {
		return nil, errNoGrounding
	}
	out := *g
	out.Mode, out.at, out.head = modeITC, -1, meanHead
	out.layer = g.model.config.VisionDepth * 2 / 3 // the official block 8 of 12
	return out.measured(context.Background())
}

// Maps returns the map of every word in order; none in mode itc.
func (g *Grounding) Maps() []WordMap {
	if g == nil {
		return nil
	}
	return g.words
}

// Map returns the map that Peak and Box are read from, over the whole picture.
func (g *Grounding) Map() viz.Map {
	if g == nil {
		return viz.Map{}
	}
	return g.whole
}

var errNoGrounding = hinted("m.Ground(ctx, picture, text) makes one", "no grounding: it is nil")
