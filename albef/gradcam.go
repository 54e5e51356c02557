package albef

import (
	"fmt"

	"vlab/albef/torch"
)

// Maps are Grad-CAM maps of a batch of image-text pairs.
type Maps struct {
	// Attention and Gradient are the cross-attention probabilities of the layer
	// and the gradient of the match logit with respect to them, [B, H, T, N].
	Attention, Gradient *torch.Tensor
	// Tokens are the maps of every token, [B, T, G, G]: attention times positive
	// gradient, averaged over heads. Padding is 0.
	Tokens *torch.Tensor
	// Logits are the ITM logits, [B, 2].
	Logits *torch.Tensor
	// Heads are the maps before averaging, [B, H, T, G, G].
	Heads *torch.Tensor
}

// GradCAM explains the match of images with texts by the cross-attention of
// one layer (counted over all layers: the official block_num 8 is the third
// fusion layer of twelve): attention · max(gradient, 0), the gradient being
// that of the logit for "match". The backward walk ends at that layer.
// Source: Grounding.py val, mode itm; per token as in visualization.ipynb.
func (m *Model) GradCAM(embeds, ids, mask *torch.Tensor, layer int) (maps Maps, err error) {
	if err := m.isFusion(layer); err != nil {
		return maps, err
	}
	torch.NoGrad(func() { maps, err = m.GradCAMOf(m.Text.Image(embeds), ids, mask, layer) })
	return maps, err
}

// GradCAMOf is [Model.GradCAM] of images whose keys and values are there.
func (m *Model) GradCAMOf(images KeyValues, ids, mask *torch.Tensor, layer int) (Maps, error) {
	if err := m.isFusion(layer); err != nil {
		return Maps{}, err
	}
	var maps Maps
	torch.NoGrad(func() {
		text := m.Text.Encode(ids, mask, 0)
		torch.WithGrad(func() {
			// Gradients have to reach the layer's attention, no further: a leaf
			// made of the text's state starts the graph.
			text = text.Detach().RequireGrad(true)
			hidden, attention := m.Text.FuseMap(text, mask, images, layer)
			maps.Logits = m.Match(hidden)
			maps.Attention = attention
			maps.Gradient = maps.Logits.Select(1, 1).Sum().Gradients(attention)[0]
		})
		maps.Attention = maps.Attention.Detach()
		maps.Logits = maps.Logits.Detach()
		maps.Heads = m.weigh(maps.Attention, maps.Gradient, mask)
		maps.Tokens = maps.Heads.MeanDim(1, false)
	})
	return maps, nil
}

// isFusion is an error for a layer that doesn't attend to the image.
func (m *Model) isFusion(layer int) error {
	if layer >= m.config.FusionLayer && layer < m.config.Layers {
		return nil
	}
	return &hintError{
		fmt.Errorf("grad-cam: layer %d is no fusion layer", layer),
		fmt.Sprintf("layers %d to %d attend to the image", m.config.FusionLayer, m.config.Layers-1),
	}
}

// weigh is attention · max(gradient, 0) on the grid of patches, padding zeroed.
func (m *Module) weigh(attention, gradient, mask *torch.Tensor) *torch.Tensor {
	if m.config.CrossKeys == AllKeys { // the first key is the image's CLS
		n := attention.Size(3) - 1
		attention, gradient = attention.Narrow(3, 1, n), gradient.Narrow(3, 1, n)
	}
	shape := attention.Shape()
	grid := isqrt(shape[3])
	cam := attention.Mul(gradient.Relu()).View(shape[0], shape[1], shape[2], grid, grid)
	return cam.Mul(mask.To(torch.Float32).View(shape[0], 1, shape[2], 1, 1))
}

// Phrase averages the tokens' maps over all text positions, CLS and padding
// included, as Grounding.py does: [B, G, G].
func (g Maps) Phrase() *torch.Tensor { return g.Tokens.MeanDim(1, false) }

// ImageGradCAM explains the similarity of images with texts (ITC) by the
// self-attention of one block of the image encoder: the row of CLS, times
// positive gradient, averaged over heads, [B, G, G]. attention and gradient are
// that row, [B, H, P]. Source: Grounding.py val, mode itc.
func (m *Model) ImageGradCAM(images, ids, mask *torch.Tensor, block int) (cam, attention, gradient *torch.Tensor, err error) {
	if block < 0 || block >= m.config.VisionDepth {
		return nil, nil, nil, &hintError{
			fmt.Errorf("grad-cam: no block %d in the image encoder", block),
			fmt.Sprintf("blocks 0 to %d", m.config.VisionDepth-1),
		}
	}
	var text *torch.Tensor
	torch.NoGrad(func() { text = m.TextProj(m.Text.Encode(ids, mask, 0).Select(1, 0)) })
	torch.WithGrad(func() {
		embeds, att := m.Image.ForwardMap(images, block)
		sims := m.ImageProj(embeds.Select(1, 0)).Mul(text).Sum().Div(m.temp)
		attention, gradient = att, sims.Gradients(att)[0]
	})
	torch.NoGrad(func() {
		attention, gradient = attention.Detach().Select(2, 0), gradient.Select(2, 0)
		shape := attention.Shape() // [B, H, P]
		grid := isqrt(shape[2] - 1)
		n := shape[2] - 1
		cam = attention.Narrow(2, 1, n).Mul(gradient.Narrow(2, 1, n).Relu()).MeanDim(1, false).View(shape[0], grid, grid)
	})
	return cam, attention, gradient, nil
}
