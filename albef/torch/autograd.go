package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// NoGrad runs fn without recording gradients and restores the mode it found,
// also after a panic.
func NoGrad(fn func()) { withGrad(0, fn) }

// WithGrad runs fn with gradients recorded, also within [NoGrad].
func WithGrad(fn func()) { withGrad(1, fn) }

func withGrad(mode int, fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := libtch.AtGradSetEnabled(mode)
	defer libtch.AtGradSetEnabled(was)
	fn()
}

// Autocast runs fn with matrix products and convolutions in bf16 on dev, the
// rest in fp32 as torch.autocast decides; off runs fn as it is.
func Autocast(on bool, dev Device, fn func()) {
	if !on {
		fn()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cuda := C.int(0)
	if dev.IsCUDA() {
		cuda = 1
	}
	if C.vt_autocast_enter(cuda) < 0 {
		failNative("autocast")
	}
	defer C.vt_autocast_leave(cuda)
	fn()
}

// FullPrecision runs fn without [Autocast] on dev.
func FullPrecision(dev Device, fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cuda := C.int(flag(dev.IsCUDA()))
	was := C.vt_autocast_set(cuda, 0)
	defer C.vt_autocast_set(cuda, was)
	fn()
}

// RequireGrad makes t a leaf whose gradient is recorded, or not.
func (t *Tensor) RequireGrad(on bool) *Tensor {
	check("requires_grad", func() C.int { return C.vt_set_requires_grad(t.c, C.int(flag(on))) })
	return t
}

// Backward adds the gradients of the scalar t to the leaves it came from.
func (t *Tensor) Backward() {
	check("backward", func() C.int { return C.vt_backward(t.c) })
	runtime.KeepAlive(t)
}

// Gradients returns the gradients of the scalar t with respect to inputs, and
// walks no further back than they are. One that t does not depend on gives nil.
func (t *Tensor) Gradients(inputs ...*Tensor) []*Tensor {
	in, out := pointers(inputs), make([]unsafe.Pointer, len(inputs))
	check("gradients", func() C.int {
		return C.vt_gradients(t.c, &in[0], C.int64_t(len(in)), 0, &out[0])
	})
	runtime.KeepAlive(inputs)
	return adoptAll(t.s, out)
}

// Grads returns the gradients that Backward left at params, in s; nil where
// there is none.
func Grads(s *Scope, params []*Tensor) []*Tensor {
	if len(params) == 0 {
		return nil
	}
	in, out := pointers(params), make([]unsafe.Pointer, len(params))
	check("grads", func() C.int { return C.vt_grads(&in[0], C.int64_t(len(in)), &out[0]) })
	runtime.KeepAlive(params)
	return adoptAll(s, out)
}

// ZeroGrad drops the gradients of params.
func ZeroGrad(params []*Tensor) {
	if len(params) == 0 {
		return
	}
	in := pointers(params)
	check("zero_grad", func() C.int { return C.vt_zero_grad(&in[0], C.int64_t(len(in))) })
	runtime.KeepAlive(params)
}

func adoptAll(s *Scope, ptrs []unsafe.Pointer) []*Tensor {
	out := make([]*Tensor, len(ptrs))
	for i, p := range ptrs {
		if p != nil {
			out[i] = s.adopt("grad", p)
		}
	}
	return out
}

func pointers(ts []*Tensor) []unsafe.Pointer {
	out := make([]unsafe.Pointer, len(ts))
	for i, t := range ts {
		if t.c == nil {
			panic(errFreed)
		}
		out[i] = t.c
	}
	return out
}
