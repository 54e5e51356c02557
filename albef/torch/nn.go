package torch

// #include "native.h"
import "C"

import (
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

func optional(t *Tensor) libtch.Ctensor {
	if t == nil {
		return nil
	}
	return t.ct()
}

// Linear returns t·weightᵀ + bias, weight [out, in]; bias may be nil.
func (t *Tensor) Linear(weight, bias *Tensor) *Tensor {
	c := begin(t, weight)
	libtch.AtgLinear(c.slot, t.ct(), weight.ct(), optional(bias))
	return c.end("linear")
}

// LayerNorm normalises over the last dimension, whose size is width.
func (t *Tensor) LayerNorm(weight, bias *Tensor, width int, eps float64) *Tensor {
	c := begin(t, weight)
	libtch.AtgLayerNorm(c.slot, t.ct(), []int64{int64(width)}, 1, weight.ct(), bias.ct(), eps, 1)
	return c.end("layer_norm")
}

// Conv2D convolves [B, C, H, W] with weight [O, C, k, k]; bias may be nil.
func (t *Tensor) Conv2D(weight, bias *Tensor, stride, padding int) *Tensor {
	c := begin(t, weight)
	st, pad := int64(stride), int64(padding)
	libtch.AtgConv2d(c.slot, t.ct(), weight.ct(), optional(bias), []int64{st, st}, 2, []int64{pad, pad}, 2, []int64{1, 1}, 2, 1)
	return c.end("conv2d")
}

// Embedding looks the rows of weight [V, C] up by t (int64); the row padding
// gets no gradient from the look-up (-1: every row does).
func (t *Tensor) Embedding(weight *Tensor, padding int) *Tensor {
	c := begin(t, weight)
	libtch.AtgEmbedding(c.slot, weight.ct(), t.ct(), int64(padding), 0, 0)
	return c.end("embedding")
}

// Dropout zeroes a share p of the elements and scales the rest; p 0 is t itself.
func (t *Tensor) Dropout(p float64) *Tensor {
	if p == 0 {
		return t
	}
	c := begin(t, nil)
	libtch.AtgDropout(c.slot, t.ct(), p, 1)
	return c.end("dropout")
}

// Attention returns softmax(t·kᵀ/sqrt(d) + mask)·v for t, k, v [B, H, N, d],
// in one fused operation where libtorch has one. mask is added and broadcasts
// to [B, H, N, M]; nil masks nothing.
func (t *Tensor) Attention(k, v, mask *Tensor, dropout float64) *Tensor {
	var m unsafe.Pointer
	if mask != nil {
		m = mask.c
	}
	return native("attention", func() unsafe.Pointer { return C.vt_sdpa(t.c, k.c, v.c, m, C.double(dropout)) }, t, k, v, mask)
}

// CrossEntropy is the mean cross-entropy of logits t [N, K] and class indices
// [N]; targets equal to ignore don't count.
func (t *Tensor) CrossEntropy(targets *Tensor, ignore int) *Tensor {
	const mean = 1
	c := begin(t, targets)
	libtch.AtgCrossEntropyLoss(c.slot, t.ct(), targets.ct(), nil, mean, int64(ignore), 0)
	return c.end("cross_entropy")
}

// ResizeBicubic resizes [B, C, H, W] to h x w with align_corners false, as
// F.interpolate(mode='bicubic') does.
func (t *Tensor) ResizeBicubic(h, w int) *Tensor {
	c := begin(t, nil)
	libtch.AtgUpsampleBicubic2d(c.slot, t.ct(), []int64{int64(h), int64(w)}, 2, 0, 0, 1, 0, 1)
	return c.end("upsample_bicubic2d")
}
