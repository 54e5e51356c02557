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

// Linear returns t·weightᵀ + bias, t [..., in], weight [out, in]; bias may be nil.
// Under [Autocast] the result is bf16; on a CPU the weight's copy in bf16 is made
// anew by the backward rather than kept for it.
func (t *Tensor) Linear(weight, bias *Tensor) *Tensor {
	return native("linear", func() unsafe.Pointer { return C.vt_linear(t.c, weight.c, orNil(bias)) }, t, weight, bias)
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
	// A gradient of a few rows, where a zero for every word of the vocabulary
	// would be written and added. On CUDA taking the padding out waits for the device.
	sparse := flag(!weight.Meta().Device.Composes())
	libtch.AtgEmbedding(c.slot, weight.ct(), t.ct(), int64(padding), 0, sparse)
	return c.end("embedding")
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
