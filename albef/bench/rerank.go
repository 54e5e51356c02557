package bench

import (
	"context"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// What a retrieval evaluation is timed on: 200 images with two captions each, of
// which ITM ranks the 64 most similar either way. The official configurations
// have 1000 images with five captions and rank 128 (Flickr30k).
const (
	RerankImages     = 200
	CaptionsPerImage = 2
	RerankK          = 64
	rerankBatch      = 64 // images encoded at a time, batch_size_test of Retrieval_flickr.yaml
	captionPadding   = 30 // tokens of a padded caption (Retrieval.py:90)
	sepID            = 102
)

// CaptionTokens is how many tokens caption i of a retrieval evaluation has: 8 to
// 25, 13.4 in the mean, as Flickr30k's captions have about.
func CaptionTokens(i int) int {
	lengths := [...]int{8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 14, 15, 16, 18, 21, 25}
	return lengths[i*7%len(lengths)]
}

// Rerank evaluates retrieval as `vlab retrieval --evaluate` does, from pixels
// and token ids to the score matrices of both directions, [images, texts] and
// [texts, images], see [task.RetrievalScores]. batch images are encoded at a time.
func Rerank(ctx context.Context, m *albef.Model, p Pictures, tokens text.Batch, k, batch int, bf16 bool) (byImage, byText []float32, err error) {
	err = inScope(m.Device(), bf16, func(*torch.Scope) (err error) {
		byImage, byText, err = task.RetrievalScores(ctx, m, p, tokens, k, batch)
		return err
	})
	return byImage, byText, err
}

// Pictures are pixels in memory, a [3, R, R] after the other.
type Pictures struct {
	Pixels []float32
	N      int
}

// Len is the number of pictures.
func (p Pictures) Len() int { return p.N }

// Load copies picture i to dst.
func (p Pictures) Load(i int, _ *rand.Rand, dst []float32) (string, error) {
	copy(dst, p.Pixels[i*len(dst):(i+1)*len(dst)])
	return "", nil
}

// reranks evaluates retrieval.
func reranks(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	n, c, rng := spec.Images, m.Config(), rand.New(rand.NewPCG(1, 2))
	if n == 0 {
		n = RerankImages
	}
	p, tokens := randomPictures(c, n, rng), randomCaptions(c, n*CaptionsPerImage, rng)
	return spec.repeat(ctx, times, func() error {
		byImage, byText, err := Rerank(ctx, m, p, tokens, RerankK, spec.Batch, spec.BF16)
		if err == nil && r.FLOPs == 0 {
			r.FLOPs = rerankFLOPs(c, n, byImage, byText)
		}
		return err
	})
}

func randomPictures(c albef.Config, n int, rng *rand.Rand) Pictures {
	p := Pictures{make([]float32, n*3*c.ImageRes*c.ImageRes), n}
	for i := range p.Pixels {
		p.Pixels[i] = float32(rng.NormFloat64())
	}
	return p
}

// randomCaptions draws n captions of [CaptionTokens] tokens, padded as the
// official evaluation pads them.
func randomCaptions(c albef.Config, n int, rng *rand.Rand) text.Batch {
	b := text.Batch{B: n, T: captionPadding, IDs: make([]int64, n*captionPadding), Mask: make([]int64, n*captionPadding)}
	for i := range n {
		row, length := b.IDs[i*b.T:], CaptionTokens(i)
		for j := range length {
			row[j], b.Mask[i*b.T+j] = randomWord(c, rng), 1
		}
		row[0], row[length-1] = clsID, sepID
	}
	return b
}

// randomWord draws a token that is no special one.
func randomWord(c albef.Config, rng *rand.Rand) int64 {
	return 1000 + rng.Int64N(int64(min(30000, c.VocabSize)-1000))
}
