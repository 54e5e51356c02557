package task

import (
	"context"
	"slices"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
)

// Unranked is the score of a pair that is on no shortlist, as in the official
// score matrices (Retrieval.py:118).
const Unranked = -100

// RetrievalScores ranks the pictures of a source, one a sample, and texts as
// [Retrieval] does where it measures: the k most similar by ITC, ranked by ITM.
// It returns ITM's logits, [images, texts] by image and [texts, images] by text,
// with [Unranked] elsewhere. batch is how many pictures are encoded at a time.
func RetrievalScores(ctx context.Context, m *albef.Model, pictures data.Source, tokens text.Batch, k, batch int) (byImage, byText []float32, err error) {
	r := &ranker{model: m, k: k, batch: batch}
	found, err := r.rank(ctx, pictures, tokens)
	if err != nil {
		return nil, nil, err
	}
	return found.texts.matrix(tokens.B), found.images.matrix(pictures.Len()), nil
}

// matrix lays a shortlist out as the official score matrix over n candidates.
func (l shortlist) matrix(n int) []float32 {
	queries := len(l.found) / l.k
	out := slices.Repeat([]float32{Unranked}, queries*n)
	for q := range queries {
		for i, candidate := range l.of(q) {
			out[q*n+int(candidate)] = l.scores[q*l.k+i]
		}
	}
	return out
}
