package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vlab/albef/data"
	"vlab/albef/scenes"
	"vlab/albef/torch"
)

// Shortlisted is how many candidates ITC hands to ITM where nothing else is
// asked for.
const Shortlisted = 16

// RecallScore is retrieval among held-out scenes, as shares from 0 to 1.
type RecallScore struct {
	Scenes                   int
	Shortlist                int     // of ITC, that ITM ranks again
	TextToImage, ImageToText float64 // R@1 after that
	ITCToImage, ITCToText    float64 // R@1 by ITC alone
}

// String is a small table.
func (r *RecallScore) String() string {
	return fmt.Sprintf("R@1 among %d held-out scenes    ITC   after ITM re-ranking of %d\n"+
		"  text to image              %6.1f %%  %6.1f %%\n  image to text              %6.1f %%  %6.1f %%\n",
		r.Scenes, r.Shortlist, 100*r.ITCToImage, 100*r.TextToImage, 100*r.ITCToText, 100*r.ImageToText)
}

// RecallScenes measures retrieval among n different scenes of the test split
// with the full description of each: every scene's caption has to find its
// picture, and every picture its caption.
func RecallScenes(ctx context.Context, m *Model, n int, seed uint64) (*RecallScore, error) {
	return TestSet{N: n, Seed: seed}.Recall(ctx, m)
}

// RecallPictograms is [RecallScenes] among scenes of which two objects in three are
// pictograms.
func RecallPictograms(ctx context.Context, m *Model, n int, seed uint64) (*RecallScore, error) {
	return TestSet{N: n, Seed: seed}.RecallPictograms(ctx, m)
}

// Recall is [RecallScenes] on a set.
func (t TestSet) Recall(ctx context.Context, m *Model) (*RecallScore, error) {
	return t.recall(ctx, m, scenes.Options{})
}

// RecallPictograms is the function of this name on a set.
func (t TestSet) RecallPictograms(ctx context.Context, m *Model) (*RecallScore, error) {
	return t.recall(ctx, m, scenes.Options{Pictograms: 2.0 / 3})
}

func (t TestSet) recall(ctx context.Context, m *Model, of scenes.Options) (*RecallScore, error) {
	n := t.N
	out := &RecallScore{Scenes: n}
	err := m.work(ctx, "recall of scenes", func(ctx context.Context, s *torch.Scope) error {
		if n < 1 {
			return fmt.Errorf("%d scenes, want 1 or more", n)
		}
		of.Size, out.Shortlist = m.config.ImageRes, m.shortlist
		list, err := scenes.GenerateDistinct(t.Seed, n, t.of(of))
		if err != nil {
			return err
		}
		captions := make([]string, n)
		for i, scene := range list {
			captions[i] = scenes.Describe(scene).String()
		}
		embeds, err := m.embedScenes(ctx, s, list)
		if err != nil {
			return err
		}
		texts, err := m.encode(ctx, s, captions)
		if err != nil {
			return err
		}
		sims := m.imageFeats(embeds).MatMul(m.textFeats(texts).T()).Floats() // [image, text]
		return out.rank(sims, m.core.Temperature(), n, func(pairs []pair) ([]verdict, error) { return m.match(ctx, s, embeds, texts, pairs) })
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// rank fills the shares in from all similarities, n by n, and ITM's verdicts on
// the shortlists.
func (r *RecallScore) rank(sims []float32, temperature float64, n int, match func([]pair) ([]verdict, error)) error {
	place := map[pair]int{}
	var pairs []pair
	toText, toImage := make([][]pair, n), make([][]pair, n)
	for i := range n {
		for _, j := range best(n, r.Shortlist, func(j int) float32 { return sims[i*n+j] }) {
			toText[i] = append(toText[i], pair{i, j})
		}
		for _, j := range best(n, r.Shortlist, func(j int) float32 { return sims[j*n+i] }) {
			toImage[i] = append(toImage[i], pair{j, i})
		}
		for _, p := range slices.Concat(toText[i], toImage[i]) {
			if _, ok := place[p]; !ok {
				place[p] = len(pairs)
				pairs = append(pairs, p)
			}
		}
	}
	verdicts, err := match(pairs)
	if err != nil {
		return err
	}
	score := func(p pair) float64 { return verdicts[place[p]].with(sims[p.image*n+p.text], temperature) }
	top := func(list []pair) pair {
		return slices.MaxFunc(list, func(a, b pair) int { return cmp.Compare(score(a), score(b)) })
	}
	for i := range n {
		own, share := pair{i, i}, 1/float64(n)
		for _, hit := range []struct {
			found pair
			to    *float64
		}{{toText[i][0], &r.ITCToText}, {toImage[i][0], &r.ITCToImage}, {top(toText[i]), &r.ImageToText}, {top(toImage[i]), &r.TextToImage}} {
			if hit.found == own {
				*hit.to += share
			}
		}
	}
	return nil
}

// best returns the places of the k highest of n scores, the highest first and
// the earlier of equals first.
func best[N cmp.Ordered](n, k int, score func(i int) N) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score(b), score(a)) })
	return order[:min(k, n)]
}

// embedScenes draws scenes and encodes them, [N, P, C].
func (m *Model) embedScenes(ctx context.Context, s *torch.Scope, list []scenes.Scene) (*torch.Tensor, error) {
	res := m.config.ImageRes
	pixels := make([]float32, len(list)*3*res*res)
	transform := data.NewResized(res)
	for i, scene := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := transform.Apply(data.FromImage(scene.Render(res)), nil, pixels[i*3*res*res:(i+1)*3*res*res]); err != nil {
			return nil, err
		}
	}
	return m.embed(ctx, s, pixels)
}
