package lab

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"vlab/albef"
	"vlab/albef/torch"
)

// checkedWords is how many of the likeliest words for a gap are checked.
const checkedWords = 8

// check weighs MLM's likeliest words for the only gap of each sentence by the
// probability that ITM gives the sentence with the word in it, about the picture
// whose keys and values are in image. MLM alone goes by what words it has seen
// together as well: a colour that was never said of a shape rules the shape out.
// p has all words' probabilities for each sentence, [sentences, words], and is
// changed in place; what the checked words have together stays.
func (m *Model) check(ctx context.Context, s *torch.Scope, sentences []string, p []float32, image albef.KeyValues) error {
	words := m.tok.Size()
	n := min(checkedWords, words)
	var filled []string
	var ids []int
	for i, sentence := range sentences {
		row := p[i*words : (i+1)*words]
		for _, id := range likeliestIDs(row)[:n] {
			text := maskSpelling.ReplaceAllLiteralString(sentence, strings.TrimPrefix(m.tok.Token(id), "##"))
			filled, ids = append(filled, text), append(ids, i*words+id)
		}
	}
	t, err := m.encode(ctx, s, filled)
	if err != nil {
		return err
	}
	rows := make([]int, len(filled))
	for i := range rows {
		rows[i] = i
	}
	verdicts, err := m.matchOne(ctx, s, image, t, rows)
	if err != nil {
		return err
	}
	for at := 0; at < len(ids); at += n {
		before, after := float32(0), float32(0)
		group := ids[at : at+n]
		for k, id := range group {
			before += p[id]
			p[id] *= float32(verdicts[at+k].probability)
			after += p[id]
		}
		if after == 0 {
			continue
		}
		for _, id := range group {
			p[id] *= before / after
		}
	}
	return nil
}

// likeliestIDs returns the words' ids, the likeliest first.
func likeliestIDs(p []float32) []int {
	order := make([]int, len(p))
	for id := range order {
		order[id] = id
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a, b)) })
	return order
}
