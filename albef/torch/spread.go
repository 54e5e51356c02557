package torch

// #include "native.h"
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Spread calls fn with 0 to n-1, as many at a time as an operation may use
// threads, each on a thread of its own whose operations use no other: many small
// operations in a row then wait for each other nowhere. fn works in scopes of its
// own, with the caller's settings of gradients and autocast. On CUDA, where one
// thread feeds the device, fn is called in turn. What fn panics with, or the first
// of it, is panicked with here.
func Spread(dev Device, n int, fn func(i int)) {
	workers := min(Threads(), n)
	if workers <= 1 || dev.IsCUDA() {
		for i := range n {
			fn(i)
		}
		return
	}
	state := C.vt_state()
	defer C.vt_state_free(state)
	var next atomic.Int64
	var failed atomic.Pointer[any]
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			alone := C.vt_alone_begin(state)
			defer C.vt_alone_end(alone)
			defer func() {
				if r := recover(); r != nil {
					failed.CompareAndSwap(nil, &r)
				}
			}()
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				fn(i)
			}
		})
	}
	wait.Wait()
	if r := failed.Load(); r != nil {
		panic(*r)
	}
}
