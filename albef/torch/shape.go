package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// View returns t with another shape; one size may be -1. It copies only where
// the memory order demands it.
func (t *Tensor) View(shape ...int) *Tensor {
	var dims [8]C.int64_t
	n := fill(&dims, shape)
	return native("view", func() unsafe.Pointer { return C.vt_view(t.c, &dims[0], n) }, t)
}

// Expand repeats dimensions of size 1 without copying; -1 keeps a size.
func (t *Tensor) Expand(shape ...int) *Tensor {
	var dims [8]C.int64_t
	n := fill(&dims, shape)
	return native("expand", func() unsafe.Pointer { return C.vt_expand(t.c, &dims[0], n) }, t)
}

// Transpose swaps two dimensions.
func (t *Tensor) Transpose(a, b int) *Tensor {
	c := begin(t, nil)
	libtch.AtgTranspose(c.slot, t.ct(), int64(a), int64(b))
	return c.end("transpose")
}

// T returns the transpose of a matrix.
func (t *Tensor) T() *Tensor { return t.Transpose(0, 1) }

// Permute reorders the dimensions.
func (t *Tensor) Permute(dims ...int64) *Tensor {
	c := begin(t, nil)
	libtch.AtgPermute(c.slot, t.ct(), dims, len(dims))
	return c.end("permute")
}

// Contiguous returns t in row-major memory order.
func (t *Tensor) Contiguous() *Tensor {
	c := begin(t, nil)
	libtch.AtgContiguous(c.slot, t.ct())
	return c.end("contiguous")
}

// Unsqueeze inserts a dimension of size 1.
func (t *Tensor) Unsqueeze(dim int) *Tensor {
	c := begin(t, nil)
	libtch.AtgUnsqueeze(c.slot, t.ct(), int64(dim))
	return c.end("unsqueeze")
}

// Narrow returns length elements of dim from start on, without copying.
func (t *Tensor) Narrow(dim, start, length int) *Tensor {
	c := begin(t, nil)
	libtch.AtgNarrow(c.slot, t.ct(), int64(dim), int64(start), int64(length))
	return c.end("narrow")
}

// Select returns element index of dim, which goes away.
func (t *Tensor) Select(dim, index int) *Tensor {
	c := begin(t, nil)
	libtch.AtgSelect(c.slot, t.ct(), int64(dim), int64(index))
	return c.end("select")
}

// IndexSelect picks entries of dim by index (int64, one dimension).
func (t *Tensor) IndexSelect(dim int, index *Tensor) *Tensor {
	c := begin(t, index)
	libtch.AtgIndexSelect(c.slot, t.ct(), int64(dim), index.ct())
	return c.end("index_select")
}

// IndexCopy overwrites the entries of dim of t itself that index (int64, one
// dimension) names by those of src, outside of autograd.
func (t *Tensor) IndexCopy(dim int, index, src *Tensor) {
	check("index_copy", func() C.int { return C.vt_index_copy(t.c, C.int64_t(dim), index.c, src.c) })
	runtime.KeepAlive([]*Tensor{t, index, src})
}

// Gather picks along dim by index, as torch.gather does.
func (t *Tensor) Gather(dim int, index *Tensor) *Tensor {
	c := begin(t, index)
	libtch.AtgGather(c.slot, t.ct(), int64(dim), index.ct(), 0)
	return c.end("gather")
}

// Cat joins tensors along dim.
func Cat(dim int, xs ...*Tensor) *Tensor { return join("cat", libtch.AtgCat, dim, xs) }

// Stack joins tensors of one shape along a new dimension dim.
func Stack(dim int, xs ...*Tensor) *Tensor { return join("stack", libtch.AtgStack, dim, xs) }

func join(op string, run func(*libtch.Ctensor, []libtch.Ctensor, int, int64), dim int, xs []*Tensor) *Tensor {
	if len(xs) == 0 {
		panic(&Error{Op: op, Reason: "no tensors"})
	}
	ptrs := make([]libtch.Ctensor, len(xs))
	for i, x := range xs {
		if x.c == nil {
			panic(errFreed)
		}
		ptrs[i] = x.ct()
	}
	s := innermost(xs...)
	if s == nil {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	var out libtch.Ctensor
	run(&out, ptrs, len(ptrs), int64(dim))
	if out == nil {
		fail(op)
	}
	runtime.KeepAlive(xs)
	return s.adopt(op, unsafe.Pointer(out))
}
