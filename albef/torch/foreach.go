package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// AdamW holds what one fused AdamW call needs beside the tensors.
type AdamW struct {
	LR, Beta1, Beta2, Decay, Eps float64
	// Rate is the learning rate on the parameters' device, see [NewRate]. It counts
	// in the place of LR; nil: LR counts.
	Rate *Tensor
}

// NewRate makes a learning rate, a scalar, in s on dev, of the type that AdamW
// reads there.
func NewRate(s *Scope, lr float64, dev Device) *Tensor {
	if dev.IsCUDA() {
		return Full(s, lr, Float32, dev)
	}
	return Full(s, lr, Float64, dev)
}

// Update takes one AdamW step (decoupled decay, bias-corrected) on all params
// at once. grads, m, v and steps belong to params entry by entry; steps are
// float32 scalars, counted up here. Source: torch.optim.AdamW(fused=True).
func (a AdamW) Update(params, grads, m, v, steps []*Tensor) {
	if len(params) == 0 {
		return
	}
	p, g, pm, pv, ps := pointers(params), pointers(grads), pointers(m), pointers(v), pointers(steps)
	check("fused_adamw", func() C.int {
		return C.vt_fused_adamw(&p[0], &g[0], &pm[0], &pv[0], &ps[0], C.int64_t(len(p)),
			C.double(a.LR), orNil(a.Rate), C.double(a.Beta1), C.double(a.Beta2), C.double(a.Decay), C.double(a.Eps))
	})
	runtime.KeepAlive([][]*Tensor{params, grads, m, v, steps, {a.Rate}})
}

// Backward walks back from the scalar loss as [Tensor.Backward] does, moves every
// parameter by [AdamW.Update] as soon as its gradient is complete, and frees the
// gradient. m, v and steps belong to params entry by entry; those that are nil
// are made at the first gradient, belong to no scope, and are put in.
// decays replaces Decay.
func (a AdamW) Backward(loss *Tensor, params, m, v, steps []*Tensor, decays []float64) {
	if len(params) == 0 {
		loss.Backward()
		return
	}
	p, pm, pv, ps := pointers(params), orNils(m), orNils(v), orNils(steps)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := C.vt_backward_adamw(loss.c, &p[0], &pm[0], &pv[0], &ps[0], (*C.double)(&decays[0]), C.int64_t(len(p)),
		C.double(a.LR), orNil(a.Rate), C.double(a.Beta1), C.double(a.Beta2), C.double(a.Eps))
	for _, made := range []struct {
		at  []unsafe.Pointer
		out []*Tensor
	}{{pm, m}, {pv, v}, {ps, steps}} {
		for i, at := range made.at {
			if made.out[i] == nil && at != nil {
				made.out[i] = (*Scope)(nil).adopt("adamw state", at)
			}
		}
	}
	runtime.KeepAlive([][]*Tensor{params, m, v, steps, {loss, a.Rate}})
	if status != 0 {
		failNative("backward")
	}
}

func orNils(ts []*Tensor) []unsafe.Pointer {
	out := make([]unsafe.Pointer, len(ts))
	for i, t := range ts {
		out[i] = orNil(t)
	}
	return out
}

// Lerp moves every ts[i] towards ends[i] by weight, in one call:
// t += weight*(end - t), outside of autograd.
func Lerp(ts, ends []*Tensor, weight float64) {
	if len(ts) == 0 {
		return
	}
	a, b := pointers(ts), pointers(ends)
	check("foreach_lerp", func() C.int {
		return C.vt_foreach_lerp(&a[0], &b[0], C.int64_t(len(a)), C.double(weight))
	})
	runtime.KeepAlive([][]*Tensor{ts, ends})
}

// TotalNorm returns the L2 norm of all ts taken together, as a scalar of s.
func TotalNorm(s *Scope, ts []*Tensor) *Tensor {
	in := pointers(ts)
	t := s.adopt("total norm", C.vt_total_norm(&in[0], C.int64_t(len(in))))
	runtime.KeepAlive(ts)
	return t
}

// ScaleAll multiplies every t itself by the scalar tensor factor.
func ScaleAll(ts []*Tensor, factor *Tensor) {
	in := pointers(ts)
	check("foreach_mul", func() C.int { return C.vt_foreach_scale(&in[0], C.int64_t(len(in)), factor.c) })
	runtime.KeepAlive(ts)
}
