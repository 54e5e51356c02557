package torch

// #include "native.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// Tensor is a handle on a libtorch tensor. It is freed with its [Scope]; one
// that belongs to no scope is freed by [Tensor.Close] or, failing that, by the
// collector. The zero Tensor is not usable.
type Tensor struct {
	c unsafe.Pointer // torch::Tensor*
	s *Scope         // nil for parameters and kept tensors
}

func (t *Tensor) ct() libtch.Ctensor { return libtch.Ctensor(t.c) }

// Close frees a tensor that belongs to no scope. Closing twice, or closing a
// tensor that a scope owns, does nothing.
func (t *Tensor) Close() {
	if t == nil || t.c == nil || t.s != nil {
		return
	}
	runtime.SetFinalizer(t, nil)
	p := t.c
	t.c = nil
	C.vt_free(&p, 1)
	live.Add(-1)
}

// Meta is what a tensor is made of.
type Meta struct {
	Shape  []int
	DType  DType
	Device Device
}

// Meta returns shape, element type and device.
func (t *Tensor) Meta() Meta {
	var shape [8]C.int64_t
	var ndim, dtype, device C.int
	check("meta", func() C.int { return C.vt_meta(t.c, &shape[0], 8, &ndim, &dtype, &device) })
	m := Meta{Shape: make([]int, ndim), DType: DType(dtype), Device: Device(device)}
	for i := range m.Shape {
		m.Shape[i] = int(shape[i])
	}
	runtime.KeepAlive(t)
	return m
}

// Shape returns the sizes of all dimensions; a scalar has none.
func (t *Tensor) Shape() []int { return t.Meta().Shape }

// Size returns the size of dimension dim; a negative dim counts from the end.
func (t *Tensor) Size(dim int) int {
	shape := t.Shape()
	if dim < 0 {
		dim += len(shape)
	}
	if dim < 0 || dim >= len(shape) {
		panic(&Error{Op: "size", Reason: fmt.Sprintf("dimension %d of a tensor with shape %v", dim, shape)})
	}
	return shape[dim]
}

// Numel returns the number of elements.
func (t *Tensor) Numel() int {
	n := 1
	for _, d := range t.Shape() {
		n *= d
	}
	return n
}

// Scope returns the scope that owns t, or nil.
func (t *Tensor) Scope() *Scope { return t.s }

// Item returns the value of a tensor of one element. On CUDA it waits for the
// device.
func (t *Tensor) Item() float64 {
	var v C.double
	check("item", func() C.int { return C.vt_item(t.c, &v) })
	runtime.KeepAlive(t)
	return float64(v)
}

// Bytes copies the elements out in row-major order, little-endian.
func (t *Tensor) Bytes() []byte {
	m := t.Meta()
	n := m.DType.Bytes()
	for _, d := range m.Shape {
		n *= d
	}
	out := make([]byte, n)
	if n > 0 {
		check("copy to host", func() C.int { return C.vt_to_host(t.c, unsafe.Pointer(&out[0]), C.int64_t(n)) })
	}
	runtime.KeepAlive(t)
	return out
}

// Floats copies the elements out as float32 in row-major order.
func (t *Tensor) Floats() []float32 {
	out := make([]float32, t.Numel())
	t.copyOut(Float32, unsafe.Pointer(unsafe.SliceData(out)), 4*len(out))
	return out
}

// Ints copies the elements out as int64 in row-major order.
func (t *Tensor) Ints() []int64 {
	out := make([]int64, t.Numel())
	t.copyOut(Int64, unsafe.Pointer(unsafe.SliceData(out)), 8*len(out))
	return out
}

func (t *Tensor) copyOut(as DType, dst unsafe.Pointer, bytes int) {
	if bytes == 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	x := t
	if t.Meta().DType != as {
		x = t.To(as)
	}
	check("copy to host", func() C.int { return C.vt_to_host(x.c, dst, C.int64_t(bytes)) })
	runtime.KeepAlive(x)
	runtime.KeepAlive(t)
}

// Copy overwrites t with src (broadcast, converted to t's type and device),
// outside of autograd.
func (t *Tensor) Copy(src *Tensor) {
	check("copy", func() C.int { return C.vt_copy(t.c, src.c) })
	runtime.KeepAlive(t)
	runtime.KeepAlive(src)
}

// String describes the tensor as PyTorch's repr does in one line.
func (t *Tensor) String() string {
	if t == nil || t.c == nil {
		return "tensor(freed)"
	}
	m := t.Meta()
	return fmt.Sprintf("tensor%v %v %v", m.Shape, m.DType, m.Device)
}

// From makes a tensor in s (nil: of no scope) from raw little-endian elements
// in row-major order, copied. It panics with an [*Error] if data's length
// isn't that of shape.
func From(s *Scope, data []byte, dtype DType, dev Device, shape ...int) *Tensor {
	n := dtype.Bytes()
	for _, d := range shape {
		n *= d
	}
	if len(data) != n {
		panic(&Error{Op: "from", Reason: fmt.Sprintf("%d bytes for shape %v of %v, want %d", len(data), shape, dtype, n)})
	}
	return from(s, unsafe.Pointer(unsafe.SliceData(data)), dtype, dev, shape)
}

// Floats makes a float32 tensor on the CPU, copied from data.
func (s *Scope) Floats(data []float32, shape ...int) *Tensor {
	return s.sized(unsafe.Pointer(unsafe.SliceData(data)), len(data), Float32, shape)
}

// Ints makes an int64 tensor on the CPU, copied from data.
func (s *Scope) Ints(data []int64, shape ...int) *Tensor {
	return s.sized(unsafe.Pointer(unsafe.SliceData(data)), len(data), Int64, shape)
}

func (s *Scope) sized(p unsafe.Pointer, n int, dtype DType, shape []int) *Tensor {
	want := 1
	for _, d := range shape {
		want *= d
	}
	if n != want {
		panic(&Error{Op: "from", Reason: fmt.Sprintf("%d elements for shape %v", n, shape)})
	}
	return from(s, p, dtype, CPU, shape)
}

func from(s *Scope, p unsafe.Pointer, dtype DType, dev Device, shape []int) *Tensor {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var dims [8]C.int64_t
	n := fill(&dims, shape)
	return s.adopt("from", C.vt_from_data(p, &dims[0], n, C.int(dtype), C.int(dev)))
}

// Full makes a tensor in s (nil: of no scope) with every element v.
func Full(s *Scope, v float64, dtype DType, dev Device, shape ...int) *Tensor {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var dims [8]C.int64_t
	n := fill(&dims, shape)
	return s.adopt("full", C.vt_full(&dims[0], n, C.double(v), C.int(dtype), C.int(dev)))
}

// Arange makes whole numbers (int64) in s on dev: from, from + step and so on, all
// below to. They don't come from the host.
func (s *Scope) Arange(dev Device, from, to, step int) *Tensor {
	return s.adopt("arange", C.vt_arange(C.int64_t(from), C.int64_t(to), C.int64_t(step), C.int(dev)))
}

// Eye makes the identity matrix [n, n], float32, in s on dev.
func (s *Scope) Eye(dev Device, n int) *Tensor {
	return s.adopt("eye", C.vt_eye(C.int64_t(n), C.int(dev)))
}

// Zeros makes a float32 tensor of zeros in s on dev.
func (s *Scope) Zeros(dev Device, shape ...int) *Tensor { return Full(s, 0, Float32, dev, shape...) }

func fill(dims *[8]C.int64_t, shape []int) C.int {
	if len(shape) > len(dims) {
		panic(&Error{Op: "shape", Reason: fmt.Sprintf("%d dimensions, at most %d", len(shape), len(dims))})
	}
	for i, d := range shape {
		dims[i] = C.int64_t(d)
	}
	return C.int(len(shape))
}
