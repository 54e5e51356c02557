package lab

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"vlab/albef/scenes"
	"vlab/albef/torch"
)

// WordScore tells, for each kind of change, how often ITM prefers a held-out
// scene's true caption to one with that change, which makes it false. The
// shares go from 0 to 1; guessing gives 0.5.
type WordScore struct {
	Scenes              int
	Colour, Shape, Size float64 // one word is another
	Relation            float64 // left is right, above is below or the like
	Binding             float64 // two objects have exchanged an attribute: the words are the same
	Order               float64 // two objects have changed places: the words are the same
	Tests               map[string]int
	correct             map[string]int
}

// String is a small table.
func (w *WordScore) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "true caption above a false one, %d held-out scenes (guessing: 50 %%)\n", w.Scenes)
	for _, kind := range scenes.Kinds() {
		k := kind.String()
		if w.Tests[k] == 0 {
			continue
		}
		fmt.Fprintf(&b, "  %-9s %6.1f %%   %4d tests\n", k, 100*w.share(k), w.Tests[k])
	}
	return b.String()
}

func (w *WordScore) share(kind string) float64 {
	if w.Tests[kind] == 0 {
		return 0
	}
	return float64(w.correct[kind]) / float64(w.Tests[kind])
}

// WordTests compares ITM's score for the full description of n scenes of the
// test split with that of the same text changed in one point, one text for each
// kind of change that the description allows.
func WordTests(ctx context.Context, m *Model, n int, seed uint64) (*WordScore, error) {
	return TestSet{N: n, Seed: seed}.Words(ctx, m)
}

// Words is [WordTests] on a set.
func (set TestSet) Words(ctx context.Context, m *Model) (*WordScore, error) {
	n := set.N
	out := &WordScore{Scenes: n, Tests: map[string]int{}, correct: map[string]int{}}
	err := m.work(ctx, "word tests", func(ctx context.Context, s *torch.Scope) error {
		if n < 1 {
			return fmt.Errorf("%d scenes, want 1 or more", n)
		}
		list := set.scenes(1, scenes.Options{Size: m.config.ImageRes})
		sentences, pairs, kinds := wordPairs(list, set.Seed)
		embeds, err := m.embedScenes(ctx, s, list)
		if err != nil {
			return err
		}
		t, err := m.encode(ctx, s, sentences)
		if err != nil {
			return err
		}
		verdicts, err := m.match(ctx, s, embeds, t, pairs)
		if err != nil {
			return err
		}
		truth := 0.0
		for i, v := range verdicts {
			if kinds[i] == "" {
				truth = v.logit
				continue
			}
			out.Tests[kinds[i]]++
			if truth > v.logit {
				out.correct[kinds[i]]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Colour, out.Shape, out.Size = out.share("colour"), out.share("shape"), out.share("size")
	out.Relation, out.Binding, out.Order = out.share("relation"), out.share("binding"), out.share("order")
	return out, nil
}

// wordPairs lists every scene's true description (kind "") followed by its
// false ones.
func wordPairs(list []scenes.Scene, seed uint64) (sentences []string, pairs []pair, kinds []string) {
	rng := rand.New(rand.NewPCG(seed, 1))
	add := func(i int, c scenes.Claim, kind string) {
		pairs = append(pairs, pair{i, len(sentences)})
		sentences = append(sentences, c.String())
		kinds = append(kinds, kind)
	}
	for i, scene := range list {
		truth := scenes.Describe(scene)
		add(i, truth, "")
		for _, kind := range scenes.Kinds() {
			for _, negative := range scenes.NegativesOf(scene, truth, rng, 1, kind) {
				add(i, negative.Claim, kind.String())
			}
		}
	}
	return sentences, pairs, kinds
}
