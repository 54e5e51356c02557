package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Seed seeds the default generators of all devices: dropout, Draw and Multinomial
// repeat from it.
func Seed(seed int64) {
	check("seed", func() C.int { return C.vt_seed(C.int64_t(seed)) })
}

// RandomState returns the state of dev's default generator, to be saved in a
// checkpoint.
func RandomState(dev Device) []byte {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var none *Scope
	t := none.adopt("random state", C.vt_rng_state(C.int(dev)))
	defer t.Close()
	return t.Bytes()
}

// SetRandomState restores what [RandomState] returned.
func SetRandomState(dev Device, state []byte) {
	t := From(nil, state, Uint8, CPU, len(state))
	defer t.Close()
	check("set random state", func() C.int { return C.vt_set_rng_state(C.int(dev), t.c) })
}

// Draw draws n column indices a row with the row's weights, without replacement
// (int64), the same ones as [Tensor.Multinomial]. It does not look at the weights,
// which would have to be read: a row must have n that are more than 0, else others
// are drawn too.
func (t *Tensor) Draw(n int) *Tensor {
	return native("draw", func() unsafe.Pointer { return C.vt_draw(t.c, C.int64_t(n)) }, t)
}

// Multinomial draws n column indices a row with the row's weights, without
// replacement (int64). It reads whether the weights are numbers that can be drawn
// by, and fails where they aren't.
func (t *Tensor) Multinomial(n int) *Tensor {
	return native("multinomial", func() unsafe.Pointer { return C.vt_multinomial(t.c, C.int64_t(n)) }, t)
}

// FillUniform draws every element of t itself from [lo, hi).
func (t *Tensor) FillUniform(lo, hi float64) *Tensor {
	check("uniform", func() C.int { return C.vt_fill_uniform(t.c, C.double(lo), C.double(hi)) })
	return t
}

// FillNormal draws every element of t itself from a normal distribution.
func (t *Tensor) FillNormal(mean, std float64) *Tensor {
	check("normal", func() C.int { return C.vt_fill_normal(t.c, C.double(mean), C.double(std)) })
	return t
}
