package lab

import (
	"context"
	"fmt"
	"strings"

	"vlab/albef/scenes"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// FillScore tells how often the likeliest of all words is the right one for the
// gap of a phrase, as in "the red [MASK]". The shares go from 0 to 1.
type FillScore struct {
	Scenes              int
	Shape, Colour, Size float64
	Tests               map[string]int // of each kind
}

// String is a small table.
func (f *FillScore) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the right word in a gap, %d held-out scenes\n", f.Scenes)
	for _, row := range []struct {
		kind  string
		share float64
	}{{"shape", f.Shape}, {"colour", f.Colour}, {"size", f.Size}} {
		fmt.Fprintf(&b, "  %-9s %6.1f %%   %4d tests\n", row.kind, 100*row.share, f.Tests[row.kind])
	}
	return b.String()
}

// blank is a phrase with a gap, and what is to stand there.
type blank struct{ phrase, word, kind string }

// FillTests asks for the shape, the colour and the size of the objects of n
// scenes of the test split, where what is left of the phrase fits one object. It
// takes a model with the head that MLM trains.
func FillTests(ctx context.Context, m *Model, n int, seed uint64) (*FillScore, error) {
	return TestSet{N: n, Seed: seed}.Fill(ctx, m)
}

// Fill is [FillTests] on a set.
func (t TestSet) Fill(ctx context.Context, m *Model) (*FillScore, error) {
	n := t.N
	out := &FillScore{Scenes: n, Tests: map[string]int{}}
	has := func() bool { return m.core != nil && m.core.Text.HasWords() }
	err := m.workWith(ctx, "fill tests", has, "it takes a model of vlab pretrain", func(ctx context.Context, s *torch.Scope) error {
		if n < 1 {
			return fmt.Errorf("%d scenes, want 1 or more", n)
		}
		list := t.scenes(1, scenes.Options{Size: m.config.ImageRes})
		embeds, err := m.embedScenes(ctx, s, list)
		if err != nil {
			return err
		}
		right := map[string]int{}
		for i, scene := range list {
			if err := ctx.Err(); err != nil {
				return err
			}
			blanks := blanksOf(scene)
			s.Do(func(s *torch.Scope) {
				var words []string
				words, err = m.filled(ctx, s.Use(embeds).Narrow(0, i, 1), blanks)
				for k, word := range words {
					out.Tests[blanks[k].kind]++
					if word == blanks[k].word {
						right[blanks[k].kind]++
					}
				}
			})
			if err != nil {
				return err
			}
		}
		share := func(kind string) float64 { return float64(right[kind]) / float64(max(out.Tests[kind], 1)) }
		out.Shape, out.Colour, out.Size = share("shape"), share("colour"), share("size")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// blanksOf lists the phrases of a scene that fit one object without a word of
// theirs. Where a colour is asked for the size is said: "the [MASK] circle" may be
// the small one.
func blanksOf(scene scenes.Scene) []blank {
	var out []blank
	add := func(kind, word string, known scenes.Description) {
		if scene.Count(known) != 1 {
			return
		}
		gap := func(part string, gapped bool) string {
			if gapped {
				return "[MASK]"
			}
			return part
		}
		words := []string{"the", gap(known.Size.String(), kind == "size"), gap(known.Colour.String(), kind == "colour"), gap(known.Shape.String(), kind == "shape")}
		out = append(out, blank{strings.Join(strings.Fields(strings.Join(words, " ")), " "), word, kind})
	}
	for _, o := range scene.Objects {
		add("shape", o.Shape.String(), scenes.Description{Colour: o.Colour})
		add("colour", o.Colour.String(), scenes.Description{Size: o.Size, Shape: o.Shape})
		add("size", o.Size.String(), scenes.Description{Colour: o.Colour, Shape: o.Shape})
	}
	return out
}

// filled returns the likeliest word of all for each gap, of one image's embeds
// [1, P, C], as [Model.Fill] does.
func (m *Model) filled(ctx context.Context, embeds *torch.Tensor, blanks []blank) ([]string, error) {
	s := embeds.Scope()
	phrases := make([]string, len(blanks))
	for i, b := range blanks {
		phrases[i] = b.phrase
	}
	if len(phrases) == 0 {
		return nil, nil
	}
	batch := m.tok.Batch(phrases, text.BatchOptions{})
	var gaps []int64
	for at, id := range batch.IDs {
		if id == int64(m.tok.MASK()) {
			gaps = append(gaps, int64(at))
		}
	}
	ids, mask := s.Ints(batch.IDs, batch.B, batch.T).ToDevice(m.device), s.Ints(batch.Mask, batch.B, batch.T).ToDevice(m.device)
	one := m.core.Text.Image(embeds)
	image := one.Pick(s.Ints(make([]int64, batch.B), batch.B).ToDevice(m.device))
	p := m.wordsAt(gaps, ids, mask, image).Softmax(1).Floats()
	if err := m.check(ctx, s, phrases, p, one); err != nil {
		return nil, err
	}
	words := make([]string, len(blanks))
	for i := range words {
		words[i] = m.tok.Token(likeliestIDs(p[i*m.tok.Size() : (i+1)*m.tok.Size()])[0])
	}
	return words, nil
}
