package lab

import (
	"cmp"
	"context"
	"math"
	"slices"

	"vlab/albef"
	"vlab/albef/torch"
)

// pairBatch is how many image-text pairs are fused at a time, imageGroup for
// how many pictures keys and values are held at once.
const (
	pairBatch  = 64
	imageGroup = 16
)

// pair names a picture and a text by their places.
type pair struct{ image, text int }

// verdict is what ITM says of a pair.
type verdict struct {
	logit       float64 // for a match, the official re-ranking score
	probability float64 // of a match
}

// match asks ITM about pairs of pictures (embeds [N, P, C]) and texts; the
// result is in the pairs' order. A picture's keys and values are projected once
// for all its texts, and texts of like length go together.
func (m *Model) match(ctx context.Context, s *torch.Scope, embeds *torch.Tensor, t texts, pairs []pair) ([]verdict, error) {
	out := make([]verdict, len(pairs))
	order := make([]int, len(pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(pairs[a].image/imageGroup, pairs[b].image/imageGroup),
			cmp.Compare(t.lengths[pairs[a].text], t.lengths[pairs[b].text]), cmp.Compare(a, b))
	})
	var err error
	for at := 0; at < len(order) && err == nil; {
		first := pairs[order[at]].image / imageGroup * imageGroup
		end := at
		for end < len(order) && pairs[order[end]].image < first+imageGroup {
			end++
		}
		s.Do(func(s *torch.Scope) {
			group := s.Use(embeds).Narrow(0, first, min(imageGroup, embeds.Size(0)-first))
			err = m.matchGroup(ctx, s, m.core.Text.Image(group), t, pairs, order[at:end], first, out)
		})
		at = end
	}
	return out, err
}

// matchOne asks ITM about one picture and the texts that rows names; the result
// is in their order.
func (m *Model) matchOne(ctx context.Context, s *torch.Scope, seen albef.KeyValues, t texts, rows []int) ([]verdict, error) {
	pairs, order := make([]pair, len(rows)), make([]int, len(rows))
	for i, row := range rows {
		pairs[i], order[i] = pair{text: row}, i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.lengths[rows[a]], t.lengths[rows[b]]) })
	out := make([]verdict, len(rows))
	return out, m.matchGroup(ctx, s, seen, t, pairs, order, 0, out)
}

// matchGroup asks about the pairs that order names, whose pictures have their
// keys and values in kv, from picture first on.
func (m *Model) matchGroup(ctx context.Context, s *torch.Scope, kv albef.KeyValues, t texts, pairs []pair, order []int,
	first int, out []verdict,
) error {
	dev := m.device
	for part := range slices.Chunk(order, pairBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.Do(func(s *torch.Scope) {
			images, rows := make([]int64, len(part)), make([]int64, len(part))
			longest := 0
			for i, p := range part {
				images[i], rows[i] = int64(pairs[p].image-first), int64(pairs[p].text)
				longest = max(longest, t.lengths[pairs[p].text])
			}
			pick := s.Ints(rows, len(rows)).ToDevice(dev)
			embeds, mask := t.embeds.IndexSelect(0, pick).Narrow(1, 0, longest), t.mask.IndexSelect(0, pick).Narrow(1, 0, longest)
			logits := m.core.MatchTexts(embeds, mask, kv.In(s).Pick(s.Ints(images, len(images)).ToDevice(dev)), 0).Floats()
			for i, p := range part {
				out[p] = verdictOf(logits[2*i], logits[2*i+1])
			}
		})
	}
	return nil
}

// with is the score by which a shortlist is ranked again: the logarithms of what
// ITM and ITC think of the pair, up to a constant. The official evaluation ranks
// by ITM's logit alone, which can't put the text that says all before one that
// says less and is true as well.
func (v verdict) with(similarity float32, temperature float64) float64 {
	return math.Log(max(v.probability, math.SmallestNonzeroFloat32)) + float64(similarity)/temperature
}

// order returns the places of the k best of a shortlist, the best first.
func (m *Model) order(verdicts []verdict, sims []float32, k int) []int {
	temperature := m.core.Temperature()
	return best(len(verdicts), k, func(i int) float64 { return verdicts[i].with(sims[i], temperature) })
}

func verdictOf(no, yes float32) verdict {
	return verdict{float64(yes), 1 / (1 + math.Exp(float64(no)-float64(yes)))}
}
