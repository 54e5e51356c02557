package bench

import (
	"context"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/torch"
)

// GradCAMTokens is the number of tokens of the text that is explained.
const GradCAMTokens = 12

// Query is a batch of images [B, 3, R, R] with a text each: ids and their mask
// [B, T].
type Query struct{ Images, IDs, Mask *torch.Tensor }

// query is p with the first n tokens of its texts, in the scope that it gets.
func (p pairs) query(n int) func(s *torch.Scope) Query {
	return func(s *torch.Scope) Query {
		return Query{s.Use(p.images), s.Use(p.ids).Narrow(1, 0, n), s.Use(p.mask).Narrow(1, 0, n)}
	}
}

// GradCAMLayer is the layer that explains: the third fusion layer, as in the
// official Grounding.py, or the middle one where there are fewer.
func GradCAMLayer(c albef.Config) int { return c.FusionLayer + min(2, (c.Layers-c.FusionLayer)/2) }

// GradCAM explains the images with their texts, from pixels and token ids to the
// maps of every token, [B, T, G, G], and of the whole text, [B, G, G].
func GradCAM(m *albef.Model, query func(s *torch.Scope) Query, bf16 bool) (tokens, phrase []float32, err error) {
	err = inScope(m.Device(), bf16, func(s *torch.Scope) error {
		q := query(s)
		maps, err := m.GradCAM(m.Image.Forward(q.Images), q.IDs, q.Mask, GradCAMLayer(m.Config()))
		if err == nil {
			tokens, phrase = maps.Tokens.Floats(), maps.Phrase().Floats()
		}
		return err
	})
	return tokens, phrase, err
}

// gradCAMs explains one image with one text. The size full has the pictures of
// the official grounding, 384 pixels wide.
func gradCAMs(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	c := m.Config()
	p := newPairs(c, spec.Device, 1, textLength, rand.New(rand.NewPCG(1, 2)))
	defer p.close()
	r.Batch = 1
	r.FLOPs = GradCAMFLOPs(c, GradCAMTokens, GradCAMLayer(c))
	return spec.repeat(ctx, times, func() error {
		_, _, err := GradCAM(m, p.query(GradCAMTokens), spec.BF16)
		return err
	})
}

// Embed turns images and texts into their features in the joint space, [B, D]
// each.
func Embed(m *albef.Model, query func(s *torch.Scope) Query, bf16 bool) (images, texts []float32, err error) {
	err = inScope(m.Device(), bf16, func(s *torch.Scope) error {
		q := query(s)
		images = m.ImageProj(m.Image.Forward(q.Images).Select(1, 0)).Floats()
		texts = m.TextProj(m.Text.Encode(q.IDs, q.Mask, 0).Select(1, 0)).Floats()
		return nil
	})
	return images, texts, err
}

// embeddings turns a batch of images and of texts into features.
func embeddings(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	p := newPairs(m.Config(), spec.Device, spec.Batch, textLength, rand.New(rand.NewPCG(1, 2)))
	defer p.close()
	r.FLOPs = float64(spec.Batch) * EmbedFLOPs(m.Config(), EmbedTokens)
	return spec.repeat(ctx, times, func() error {
		_, _, err := Embed(m, p.query(EmbedTokens), spec.BF16)
		return err
	})
}

// inScope runs fn in a scope without gradients, in bf16 where asked for.
func inScope(dev torch.Device, bf16 bool, fn func(s *torch.Scope) error) error {
	var inner error
	err := torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			torch.Autocast(bf16, dev, func() { inner = fn(s) })
		})
	})
	if err != nil {
		return err
	}
	return inner
}
