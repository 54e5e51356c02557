package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// Scope owns the tensors made in it and frees them when it ends. It belongs
// to the goroutine that runs the function it was given to.
type Scope struct {
	parent *Scope
	depth  int
	owned  []*Tensor
	// inner is the last scope that ended within this one, and freed what it
	// handed to libtorch: the next one uses both again, so that a loop of scopes
	// costs no Go memory but its tensors' handles.
	inner *Scope
	freed []unsafe.Pointer
	tape  *Tape // nil: none
	// out is where operations put their results. It is shared by nested scopes,
	// and apart because cgo refuses memory that also holds Go pointers.
	out *[4]libtch.Ctensor
}

var live atomic.Int64

// Live returns how many tensor handles exist. A test that ends with another
// number than it began with leaks.
func Live() int64 { return live.Load() }

// Do runs fn in a scope of its own with the OS thread locked. Tensors made in
// the scope are freed when fn returns, but for those that [Scope.Keep] moved
// out. A failed operation ends fn and comes back as an [*Error]; any other
// panic goes on.
func Do(fn func(s *Scope)) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := &Scope{out: new([4]libtch.Ctensor)}
	defer func() {
		s.close()
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	fn(s)
	return nil
}

// Do runs fn in a scope within s, so that a loop's memory stays flat. A failed
// operation unwinds to the outermost [Do].
func (s *Scope) Do(fn func(s *Scope)) {
	inner := s.inner
	s.inner = nil
	if inner == nil {
		inner = &Scope{parent: s, depth: s.depth + 1, out: s.out}
	}
	inner.tape = s.tape
	defer func() {
		inner.close()
		s.inner = inner
	}()
	fn(inner)
}

// Aside runs fn, which copies data to dev as tensors of s, on a CUDA stream beside
// the one that computes: the copies of the next batch go on while a step is at
// work. What uses the tensors waits for them. On a CPU it just runs fn.
func (s *Scope) Aside(dev Device, fn func()) {
	if !dev.IsCUDA() {
		fn()
		return
	}
	from := len(s.owned)
	aside := C.vt_aside_begin(C.int(dev), 0)
	if aside == nil {
		failNative("stream")
	}
	defer func() {
		made := make([]unsafe.Pointer, 0, len(s.owned)-from+1)
		for _, t := range s.owned[from:] {
			if t.c != nil {
				made = append(made, t.c)
			}
		}
		if C.vt_aside_end(aside, unsafe.SliceData(made), C.int64_t(len(made))) != 0 {
			failNative("stream")
		}
	}()
	fn()
}

// Apart runs fn within one [Do] on a CUDA stream of its own, always the same: it
// begins after the work so far, and what comes after waits for it. A [Graph] can't
// be recorded on the stream that is used otherwise. On a CPU it just runs fn.
func Apart(dev Device, fn func()) {
	if !dev.IsCUDA() {
		fn()
		return
	}
	apart := C.vt_aside_begin(C.int(dev), 1)
	if apart == nil {
		failNative("stream")
	}
	defer func() {
		if C.vt_aside_end(apart, nil, 0) != 0 {
			failNative("stream")
		}
	}()
	fn()
}

// Keep moves x one scope out and returns it. At the outermost scope the caller
// owns it from then on and closes it with [Tensor.Close].
func (s *Scope) Keep(x *Tensor) *Tensor {
	if x.s != s {
		return x
	}
	for i := len(s.owned) - 1; i >= 0; i-- {
		if s.owned[i] == x {
			s.owned = append(s.owned[:i], s.owned[i+1:]...)
			break
		}
	}
	x.s = s.parent
	if x.s != nil {
		x.s.owned = append(x.s.owned, x)
	}
	return x
}

// Use returns an alias of x that belongs to s: work on parameters alone
// (which belong to no scope) then belongs to s as well.
func (s *Scope) Use(x *Tensor) *Tensor {
	if x.c == nil {
		panic(errFreed)
	}
	return s.adopt("alias", C.vt_alias(x.c))
}

// Free ends the life of tensors of s before the scope ends. Using one of them
// afterwards is a programmer's error and panics.
func (s *Scope) Free(xs ...*Tensor) {
	for _, x := range xs {
		if x.c == nil {
			continue
		}
		p := x.c
		x.c = nil
		C.vt_free(&p, 1)
		live.Add(-1)
	}
}

func (s *Scope) close() {
	for _, t := range s.owned {
		if t.c != nil {
			s.freed = append(s.freed, t.c)
			t.c = nil
		}
		t.s = nil
	}
	clear(s.owned)
	s.owned = s.owned[:0]
	freeAll(s.freed)
	s.freed = s.freed[:0]
}

func freeAll(ptrs []unsafe.Pointer) {
	if len(ptrs) == 0 {
		return
	}
	C.vt_free(&ptrs[0], C.int64_t(len(ptrs)))
	live.Add(-int64(len(ptrs)))
}

// adopt makes p, the result of a native operation, a tensor of s.
func (s *Scope) adopt(op string, p unsafe.Pointer) *Tensor {
	if p == nil {
		failNative(op)
	}
	t := &Tensor{c: p, s: s}
	live.Add(1)
	if s == nil {
		runtime.SetFinalizer(t, (*Tensor).Close)
		return t
	}
	s.owned = append(s.owned, t)
	return t
}

var errFreed = &Error{Op: "operand", Reason: "the tensor was freed: its scope has ended, or it was closed"}

// call is one operation on its way: where its results go and what must stay
// alive meanwhile.
type call struct {
	s    *Scope
	slot *libtch.Ctensor
	a, b *Tensor
}

func begin(a, b *Tensor) call {
	if a.c == nil || b != nil && b.c == nil {
		panic(errFreed)
	}
	s := a.s
	if b != nil && b.s != nil && (s == nil || b.s.depth > s.depth) {
		s = b.s
	}
	if s == nil {
		runtime.LockOSThread()
		return call{nil, &new([4]libtch.Ctensor)[0], a, b}
	}
	s.out[0] = nil
	return call{s, &s.out[0], a, b}
}

func (c call) end(op string) *Tensor {
	p := unsafe.Pointer(*c.slot)
	if c.s == nil {
		defer runtime.UnlockOSThread()
	}
	if p == nil {
		fail(op)
	}
	runtime.KeepAlive(c.a)
	runtime.KeepAlive(c.b)
	return c.s.adopt(op, p)
}

// innermost returns the deepest scope among xs, or nil.
func innermost(xs ...*Tensor) *Scope {
	var s *Scope
	for _, x := range xs {
		if x != nil && x.s != nil && (s == nil || x.s.depth > s.depth) {
			s = x.s
		}
	}
	return s
}

// native runs a native operation on the operands' innermost scope.
func native(op string, run func() unsafe.Pointer, operands ...*Tensor) *Tensor {
	for _, x := range operands {
		if x != nil && x.c == nil {
			panic(errFreed)
		}
	}
	s := innermost(operands...)
	if s == nil {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	t := s.adopt(op, run())
	runtime.KeepAlive(operands)
	return t
}

// check runs a native operation that makes no tensor.
func check(op string, run func() C.int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if run() != 0 {
		failNative(op)
	}
}
