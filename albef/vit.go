package albef

import (
	"fmt"
	"math/bits"

	"vlab/albef/torch"
)

const vitEps = 1e-6

// ImageEncoder is the vision transformer: pre-norm, learned positions, a CLS
// token first. Source: models/vit.py.
type ImageEncoder struct {
	cls, positions *torch.Tensor // [1, 1, C], [1, P, C]
	stem           []conv
	blocks         []vitBlock
	norm           torch.LayerNorm
	heads          int
}

type conv struct {
	weight, bias    *torch.Tensor
	stride, padding int
}

type vitBlock struct {
	norm1, norm2 torch.LayerNorm
	qkv, proj    linear
	fc1, fc2     linear
	heads        int
}

func newImageEncoder(b builder, c Config) *ImageEncoder {
	const std = 0.02
	w, grid := c.VisionWidth, c.Grid()
	e := &ImageEncoder{heads: c.VisionHeads}
	e.cls = b.param("cls_token", normal(std), 1, 1, w)
	e.positions = b.param("pos_embed", normal(std), 1, grid*grid+1, w)
	e.stem = newStem(b.in("patch_embed"), c)
	for i := range c.VisionDepth {
		in := b.in(fmt.Sprintf("blocks.%d", i))
		e.blocks = append(e.blocks, vitBlock{
			heads: c.VisionHeads,
			norm1: in.layerNorm("norm1", w, vitEps),
			qkv:   in.in("attn").linear("qkv", w, 3*w, normal(std)),
			proj:  in.in("attn").linear("proj", w, w, normal(std)),
			norm2: in.layerNorm("norm2", w, vitEps),
			fc1:   in.in("mlp").linear("fc1", w, c.VisionMLP, normal(std)),
			fc2:   in.in("mlp").linear("fc2", c.VisionMLP, w, normal(std)),
		})
	}
	e.norm = b.layerNorm("norm", w, vitEps)
	return e
}

// newStem is one convolution as wide as a patch, or a convolution of stride 2
// for each halving of the side, doubling the channels up to the full width.
func newStem(b builder, c Config) []conv {
	if c.Stem == PatchStem {
		return []conv{b.conv("proj", 3, c.VisionWidth, c.PatchSize, c.PatchSize, 0)}
	}
	halvings := bits.TrailingZeros(uint(c.PatchSize))
	var stem []conv
	in := 3
	for i := range halvings {
		out := max(c.VisionWidth>>(halvings-1-i), 16)
		stem = append(stem, b.conv(fmt.Sprintf("stem.%d", i), in, out, 3, 2, 1))
		in = out
	}
	return append(stem, b.conv("proj", in, c.VisionWidth, 1, 1, 0))
}

func (b builder) conv(name string, in, out, size, stride, padding int) conv {
	b = b.in(name)
	how := fanIn(in * size * size)
	return conv{b.param("weight", how, out, in, size, size), b.param("bias", how, out), stride, padding}
}

// patches embeds image [B, 3, R, R] as [B, P-1, C].
func (e *ImageEncoder) patches(image *torch.Tensor) *torch.Tensor {
	x := image
	for i, c := range e.stem {
		if i > 0 {
			x = x.Gelu()
		}
		x = x.Conv2D(c.weight, c.bias, c.stride, c.padding)
	}
	shape := x.Shape()
	return x.View(shape[0], shape[1], -1).Transpose(1, 2)
}

// tokens puts CLS in front of the patches and adds the positions: [B, P, C].
func (e *ImageEncoder) tokens(image *torch.Tensor) *torch.Tensor {
	x := e.patches(image)
	shape := x.Shape()
	cls := x.Scope().Use(e.cls).Expand(shape[0], 1, shape[2])
	return torch.Cat(1, cls, x).Add(e.positions)
}

// Forward encodes image [B, 3, R, R], normalised pixels, as embeds [B, P, C], in
// the type of matrix products.
func (e *ImageEncoder) Forward(image *torch.Tensor) *torch.Tensor {
	stream := [2]*torch.Tensor{segment(image.Scope(), func(s *torch.Scope) *torch.Tensor { return e.tokens(s.Use(image)) })}
	for _, b := range e.blocks {
		stream = torch.Advance(stream, b.forward)
	}
	return torch.Advance(stream, func(stream [2]*torch.Tensor) [2]*torch.Tensor { return [2]*torch.Tensor{e.finish(stream)} })[0]
}

// ForwardMap is Forward that also returns the attention probabilities of one
// block, [B, H, P, P], as a part of the graph.
func (e *ImageEncoder) ForwardMap(image *torch.Tensor, block int) (embeds, attention *torch.Tensor) {
	stream := [2]*torch.Tensor{e.tokens(image)}
	for i, b := range e.blocks {
		if i == block {
			stream, attention = b.forwardMap(stream)
			continue
		}
		stream = b.forward(stream)
	}
	return e.finish(stream), attention
}

// Depth returns the number of blocks.
func (e *ImageEncoder) Depth() int { return len(e.blocks) }

// finish takes the stream's last sum and normalises it.
func (e *ImageEncoder) finish(stream [2]*torch.Tensor) *torch.Tensor {
	_, embeds := e.norm.Before(stream[0], stream[1], 0)
	return embeds
}

// forward runs a block on a stream and what is still to be added to it, nil for
// nothing, both [B, P, C].
func (b vitBlock) forward(stream [2]*torch.Tensor) [2]*torch.Tensor {
	x, h := b.norm1.Before(stream[0], stream[1], 0)
	return b.mix(x, b.qkv.forward(h).Attend(torch.Attention{Heads: b.heads}))
}

func (b vitBlock) forwardMap(stream [2]*torch.Tensor) (out [2]*torch.Tensor, attention *torch.Tensor) {
	x, h := b.norm1.Before(stream[0], stream[1], 0)
	shape := h.Shape() // [B, P, C]
	qkv := b.qkv.forward(h).View(shape[0], shape[1], 3, b.heads, shape[2]/b.heads).Permute(2, 0, 3, 1, 4)
	attention = attentionMap(qkv.Select(0, 0), qkv.Select(0, 1), nil)
	return b.mix(x, joinHeads(attention.MatMul(qkv.Select(0, 2)))), attention
}

// mix is a block behind its attention.
func (b vitBlock) mix(x, context *torch.Tensor) [2]*torch.Tensor {
	x, h := b.norm2.Before(x, b.proj.forward(context), 0)
	return [2]*torch.Tensor{x, b.fc2.forward(b.fc1.forward(h).Gelu())}
}
