package lab

import (
	"context"
	"fmt"
	"image"
	"regexp"
	"slices"
	"strings"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/viz"
)

// fillHits is how many words [Model.Fill] names for each gap.
const fillHits = 10

// Filling is a sentence about a picture with words for its gaps. It draws itself
// as bars beside the picture.
type Filling struct {
	Text    string
	Gaps    []Gap    // in the order of the text
	Unknown []string // words of the sentence that the model doesn't know

	picture image.Image
}

// Gap is one [MASK] of a sentence.
type Gap struct{ Hits []WordHit } // the likeliest first

// WordHit is a word for a gap.
type WordHit struct {
	Rank        int     // from 1
	Word        string  // a piece of a word begins with ##
	Probability float64 // among all words that the model knows
}

// Fill names the likeliest words for each [MASK] of a sentence about a picture,
// as in "a [MASK] circle": what MLM trains (ALBEF eq. 3). All gaps are filled at
// once, each by one word piece; where there is one, MLM's eight likeliest words are
// weighed by what ITM says of the sentence with each. It takes a model of vlab
// pretrain: finetuning for retrieval or grounding drops the head.
func (m *Model) Fill(ctx context.Context, img image.Image, sentence string) (*Filling, error) {
	out := &Filling{Text: sentence, picture: img}
	has := func() bool { return m.core != nil && m.core.Text.HasWords() }
	err := m.workWith(ctx, "fill", has, "it takes a model of vlab pretrain", func(ctx context.Context, s *torch.Scope) error {
		ids, gaps, err := m.gapsOf(sentence)
		if err != nil {
			return err
		}
		seen, err := m.see(ctx, s, img)
		if err != nil {
			return err
		}
		mask := torch.Full(s, 1, torch.Int64, m.device, 1, len(ids))
		p := m.wordsAt(gaps, s.Ints(ids, 1, len(ids)).ToDevice(m.device), mask, seen.image).Softmax(1).Floats()
		if len(gaps) == 1 {
			if err := m.check(ctx, s, []string{sentence}, p, seen.image); err != nil {
				return err
			}
		}
		for words := range slices.Chunk(p, m.tok.Size()) {
			out.Gaps = append(out.Gaps, m.likeliest(words))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Unknown = m.UnknownWords(maskSpelling.ReplaceAllString(sentence, " "))
	return out, nil
}

// wordsAt returns the logits of all words for gaps, places among the tokens of
// ids [B, T]: float32 [gaps, words].
func (m *Model) wordsAt(gaps []int64, ids, mask *torch.Tensor, image albef.KeyValues) *torch.Tensor {
	hidden := m.core.Text.Fuse(m.core.Text.Encode(ids, mask, 0), mask, image, 0)
	places := ids.Scope().Ints(gaps, len(gaps)).ToDevice(m.device)
	return m.core.Text.Words(hidden.View(-1, hidden.Size(2)).IndexSelect(0, places)).To(torch.Float32)
}

// maskSpelling is a gap in a sentence.
var maskSpelling = regexp.MustCompile(`(?i)\[mask\]`)

// gapsOf encodes a sentence with gaps and says at which tokens they are.
func (m *Model) gapsOf(sentence string) (ids, gaps []int64, err error) {
	parts := maskSpelling.Split(sentence, -1)
	for i, part := range parts { // clean-up would lower-case the token's name
		parts[i] = cleanText(part)
	}
	for i, id := range m.tok.Encode(strings.Join(parts, " [MASK] "), 0) {
		ids = append(ids, int64(id))
		if id == m.tok.MASK() {
			gaps = append(gaps, int64(i))
		}
	}
	switch most := m.config.MaxPositions; {
	case len(gaps) == 0:
		return nil, nil, hinted(`write [MASK] for the word that is asked for, as in "a [MASK] circle"`, "text %q has no gap", sentence)
	case len(ids) > most:
		return nil, nil, hinted("shorten it", "text %.40q... has %d tokens, the model reads up to %d", sentence, len(ids), most)
	}
	return ids, gaps, nil
}

// likeliest names the words with the highest of all words' probabilities.
func (m *Model) likeliest(probabilities []float32) Gap {
	order := likeliestIDs(probabilities)
	var g Gap
	for i, id := range order[:min(fillHits, len(order))] {
		g.Hits = append(g.Hits, WordHit{Rank: i + 1, Word: m.tok.Token(id), Probability: float64(probabilities[id])})
	}
	return g
}

// Best is the sentence with the likeliest word in each gap.
func (f *Filling) Best() string {
	if f == nil {
		return ""
	}
	at := 0
	return maskSpelling.ReplaceAllStringFunc(f.Text, func(gap string) string {
		if at++; at > len(f.Gaps) || len(f.Gaps[at-1].Hits) == 0 {
			return gap
		}
		return f.Gaps[at-1].Hits[0].Word
	})
}

// Image draws the words of every gap as bars, those of the second gap below
// those of the first.
func (f *Filling) Image() image.Image {
	if f == nil {
		return nil
	}
	shown := f.shownHits()
	var bars []viz.Bar
	for i, g := range f.Gaps {
		for _, h := range g.Hits[:min(shown, len(g.Hits))] {
			label := h.Word
			if len(f.Gaps) > 1 {
				label = fmt.Sprintf("%d: %s", i+1, h.Word)
			}
			bars = append(bars, viz.Bar{Label: label, Value: h.Probability})
		}
	}
	return viz.Bars(bars, viz.BarsOptions{Title: titled(f.Text, f.Unknown), Image: f.picture})
}

// shownHits is how many words of each gap are shown.
func (f *Filling) shownHits() int {
	if len(f.Gaps) > 1 {
		return 3
	}
	return 5
}

// PNG is the figure as a file.
func (f *Filling) PNG() []byte { return encodePNG(f.Image()) }

// String is a table of probabilities.
func (f *Filling) String() string {
	if f == nil {
		return "no filling"
	}
	var b strings.Builder
	b.WriteString(titled(f.Text, f.Unknown))
	for i, g := range f.Gaps {
		if len(f.Gaps) > 1 {
			fmt.Fprintf(&b, "\n  gap %d", i+1)
		}
		for _, h := range g.Hits[:min(f.shownHits(), len(g.Hits))] {
			fmt.Fprintf(&b, "\n%4d  %5.1f %%  %s", h.Rank, 100*h.Probability, h.Word)
		}
	}
	return b.String()
}
