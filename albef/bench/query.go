package bench

import (
	"context"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/torch"
)

// gradCAMLength is the number of tokens of the text that is explained.
const gradCAMLength = 12

// gradCAMs explains one image with one text by the third fusion layer, as the
// official Grounding.py does, or by the middle one where there are fewer.
func gradCAMs(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	c := m.Config()
	layer := c.FusionLayer + min(2, (c.Layers-c.FusionLayer)/2)
	p := newPairs(c, spec.Device, 1, textLength, rand.New(rand.NewPCG(1, 2)))
	defer p.close()
	r.Batch = 1
	r.FLOPs = GradCAMFLOPs(c, gradCAMLength, layer)
	return spec.repeat(ctx, times, func() error {
		return inScope(m, spec.BF16, func(s *torch.Scope) error {
			ids, mask := s.Use(p.ids).Narrow(1, 0, gradCAMLength), s.Use(p.mask).Narrow(1, 0, gradCAMLength)
			maps, err := m.GradCAM(m.Image.Forward(s.Use(p.images)), ids, mask, layer)
			if err == nil {
				maps.Tokens.Floats()
			}
			return err
		})
	})
}

// embeddings turns a batch of images and of texts into features.
func embeddings(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error {
	p := newPairs(m.Config(), spec.Device, spec.Batch, textLength, rand.New(rand.NewPCG(1, 2)))
	defer p.close()
	r.FLOPs = float64(spec.Batch) * EmbedFLOPs(m.Config(), textLength)
	return spec.repeat(ctx, times, func() error {
		return inScope(m, spec.BF16, func(s *torch.Scope) error {
			m.ImageProj(m.Image.Forward(s.Use(p.images)).Select(1, 0)).Floats()
			m.TextProj(m.Text.Encode(s.Use(p.ids), s.Use(p.mask), 0).Select(1, 0)).Floats()
			return nil
		})
	})
}

// inScope runs fn in a scope without gradients, in bf16 where asked for.
func inScope(m *albef.Model, bf16 bool, fn func(s *torch.Scope) error) error {
	var inner error
	err := torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			torch.Autocast(bf16, m.Device(), func() { inner = fn(s) })
		})
	})
	if err != nil {
		return err
	}
	return inner
}
