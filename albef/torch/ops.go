package torch

// #include "native.h"
import "C"

import (
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// asIs tells an operation to keep its operand's element type.
const asIs = -1

// Add returns t + o, broadcast.
func (t *Tensor) Add(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgAdd(c.slot, t.ct(), o.ct())
	return c.end("add")
}

// Sub returns t - o, broadcast.
func (t *Tensor) Sub(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgSub(c.slot, t.ct(), o.ct())
	return c.end("sub")
}

// Mul returns t * o elementwise, broadcast.
func (t *Tensor) Mul(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgMul(c.slot, t.ct(), o.ct())
	return c.end("mul")
}

// Div returns t / o elementwise, broadcast.
func (t *Tensor) Div(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgDiv(c.slot, t.ct(), o.ct())
	return c.end("div")
}

// MatMul returns the matrix product, batched over leading dimensions.
func (t *Tensor) MatMul(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgMatmul(c.slot, t.ct(), o.ct())
	return c.end("matmul")
}

// Scale returns t * v.
func (t *Tensor) Scale(v float64) *Tensor { return t.affine(v, 0) }

// Shift returns t + v.
func (t *Tensor) Shift(v float64) *Tensor { return t.affine(1, v) }

// Neg returns -t.
func (t *Tensor) Neg() *Tensor { return t.affine(-1, 0) }

func (t *Tensor) affine(scale, shift float64) *Tensor {
	return native("scale", func() unsafe.Pointer { return C.vt_scale_add(t.c, C.double(scale), C.double(shift)) }, t)
}

// Exp returns e^t.
func (t *Tensor) Exp() *Tensor {
	c := begin(t, nil)
	libtch.AtgExp(c.slot, t.ct())
	return c.end("exp")
}

// Relu returns max(t, 0).
func (t *Tensor) Relu() *Tensor {
	c := begin(t, nil)
	libtch.AtgRelu(c.slot, t.ct())
	return c.end("relu")
}

// Softmax returns the softmax along dim.
func (t *Tensor) Softmax(dim int) *Tensor {
	c := begin(t, nil)
	libtch.AtgSoftmax(c.slot, t.ct(), int64(dim), asIs)
	return c.end("softmax")
}

// LogSoftmax returns the logarithm of the softmax along dim.
func (t *Tensor) LogSoftmax(dim int) *Tensor {
	c := begin(t, nil)
	libtch.AtgLogSoftmax(c.slot, t.ct(), int64(dim), asIs)
	return c.end("log_softmax")
}

// Normalize divides by the L2 norm along dim, as F.normalize does.
func (t *Tensor) Normalize(dim int) *Tensor {
	return native("normalize", func() unsafe.Pointer { return C.vt_normalize(t.c, C.int64_t(dim)) }, t)
}

// Clamp limits every element to [lo, hi].
func (t *Tensor) Clamp(lo, hi float64) *Tensor {
	return native("clamp", func() unsafe.Pointer { return C.vt_clamp(t.c, C.double(lo), C.double(hi)) }, t)
}

// ClampInPlace limits t's own elements to [lo, hi], outside of autograd.
func (t *Tensor) ClampInPlace(lo, hi float64) {
	check("clamp", func() C.int { return C.vt_clamp_inplace(t.c, C.double(lo), C.double(hi)) })
}

// MaskedFill returns t with v where mask (bool, broadcast) is true.
func (t *Tensor) MaskedFill(mask *Tensor, v float64) *Tensor {
	return native("masked_fill", func() unsafe.Pointer { return C.vt_masked_fill(t.c, mask.c, C.double(v)) }, t, mask)
}

// ZeroDiagonal sets the diagonal of t itself to 0, outside of autograd.
func (t *Tensor) ZeroDiagonal() {
	check("zero diagonal", func() C.int { return C.vt_zero_diagonal(t.c) })
}

// Eq returns where t == v, as bool.
func (t *Tensor) Eq(v float64) *Tensor { return t.compare(v, 0) }

// Ne returns where t != v, as bool.
func (t *Tensor) Ne(v float64) *Tensor { return t.compare(v, 1) }

// Lt returns where t < v, as bool.
func (t *Tensor) Lt(v float64) *Tensor { return t.compare(v, 2) }

// Gt returns where t > v, as bool.
func (t *Tensor) Gt(v float64) *Tensor { return t.compare(v, 3) }

func (t *Tensor) compare(v float64, op int) *Tensor {
	return native("compare", func() unsafe.Pointer { return C.vt_compare(t.c, C.double(v), C.int(op)) }, t)
}

// EqTensor returns where t == o, broadcast, as bool.
func (t *Tensor) EqTensor(o *Tensor) *Tensor {
	c := begin(t, o)
	libtch.AtgEqTensor(c.slot, t.ct(), o.ct())
	return c.end("eq")
}

// FloorDivide divides whole numbers (int64) by n and drops the fraction.
func (t *Tensor) FloorDivide(n int) *Tensor {
	by := libtch.AtsInt(int64(n))
	defer libtch.AtsFree(by)
	c := begin(t, nil)
	libtch.AtgFloorDivideScalar(c.slot, t.ct(), by)
	return c.end("floor_divide")
}

// Mod returns the remainder of whole numbers (int64) by n.
func (t *Tensor) Mod(n int) *Tensor {
	return native("mod", func() unsafe.Pointer { return C.vt_mod(t.c, C.int64_t(n)) }, t)
}

// Sum returns the sum of all elements.
func (t *Tensor) Sum() *Tensor {
	c := begin(t, nil)
	libtch.AtgSum(c.slot, t.ct(), asIs)
	return c.end("sum")
}

// SumDim sums along dim.
func (t *Tensor) SumDim(dim int, keep bool) *Tensor {
	c := begin(t, nil)
	libtch.AtgSumDimIntlist(c.slot, t.ct(), []int64{int64(dim)}, 1, flag(keep), asIs)
	return c.end("sum")
}

// Mean returns the mean of all elements.
func (t *Tensor) Mean() *Tensor {
	c := begin(t, nil)
	libtch.AtgMean(c.slot, t.ct(), asIs)
	return c.end("mean")
}

// MeanDim averages along dim.
func (t *Tensor) MeanDim(dim int, keep bool) *Tensor {
	c := begin(t, nil)
	libtch.AtgMeanDim(c.slot, t.ct(), []int64{int64(dim)}, 1, flag(keep), asIs)
	return c.end("mean")
}

// Argmax returns the index of the largest element along dim, int64.
func (t *Tensor) Argmax(dim int) *Tensor {
	c := begin(t, nil)
	libtch.AtgArgmax(c.slot, t.ct(), int64(dim), 0, 0)
	return c.end("argmax")
}

// TopK returns the k largest along dim, sorted, and their indices (int64).
func (t *Tensor) TopK(k, dim int) (values, indices *Tensor) {
	s := t.s
	if s == nil {
		panic(&Error{Op: "topk", Reason: "needs a tensor that belongs to a scope"})
	}
	s.out[0], s.out[1] = nil, nil
	libtch.AtgTopk(&s.out[0], t.ct(), int64(k), int64(dim), 1, 1)
	if s.out[0] == nil {
		fail("topk")
	}
	return s.adopt("topk", unsafe.Pointer(s.out[0])), s.adopt("topk", unsafe.Pointer(s.out[1]))
}

// To converts to another element type.
func (t *Tensor) To(d DType) *Tensor {
	c := begin(t, nil)
	libtch.AtgToDtype(c.slot, t.ct(), int32(d), 0, 0)
	return c.end("to")
}

// ToDevice moves to another device; on the same device it is an alias. On the
// way to CUDA nothing waits for the copy.
func (t *Tensor) ToDevice(d Device) *Tensor {
	return native("to", func() unsafe.Pointer { return C.vt_to_device(t.c, C.int(d)) }, t)
}

// Detach returns t cut off from autograd, sharing its storage.
func (t *Tensor) Detach() *Tensor {
	c := begin(t, nil)
	libtch.AtgDetach(c.slot, t.ct())
	return c.end("detach")
}

// Data returns t cut off from autograd, sharing its storage, and with a count of
// its own of changes in place: autograd does not notice that what it kept of it
// was written to.
func (t *Tensor) Data() *Tensor {
	return native("data", func() unsafe.Pointer { return C.vt_data(t.c) }, t)
}

// Clone returns a copy of t.
func (t *Tensor) Clone() *Tensor {
	return native("clone", func() unsafe.Pointer { return C.vt_clone(t.c) }, t)
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
