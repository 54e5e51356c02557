package torch

// #include "native.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Sealed runs fn and fails where it reads a tensor's elements or sends some from
// the host to a device: what is left, a device does without waiting for anybody,
// and a [Graph] can hold it. What libtorch's own operations read is not seen.
func Sealed(fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := C.vt_seal(1)
	defer C.vt_seal(was)
	fn()
}

// IsSealed reports whether the calling goroutine's thread is within [Sealed].
func IsSealed() bool { return C.vt_sealed() != 0 }

// Composed runs fn as on CUDA, also on a CPU: operations are composed of
// libtorch's own where there are faster ones for a CPU. It is for tests, of what
// a device will be given that isn't there.
func Composed(fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := C.vt_compose(1)
	defer C.vt_compose(was)
	fn()
}

// Composes reports whether work on d is composed of libtorch's own operations: on
// CUDA, and within [Composed].
func (d Device) Composes() bool { return d.IsCUDA() || C.vt_composed() != 0 }

// Graphs are recordings of work on one device that share its memory: they run one
// at a time, and nothing that a graph makes outlives its run. Recording on CUDA
// goes by at::cuda::CUDAGraph.
type Graphs struct {
	dev  Device
	pool [2]C.uint64_t
}

// NewGraphs makes room for recordings on dev. It fails where libtorch's CUDA half
// lacks what they take.
func NewGraphs(dev Device) (*Graphs, error) {
	g := &Graphs{dev: dev}
	if !dev.IsCUDA() {
		return g, nil
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if C.vt_graph_pool(&g.pool[0]) != 0 {
		return nil, fmt.Errorf("cuda graphs: %s", firstLine(C.GoString(C.vt_error())))
	}
	return g, nil
}

// Graph is recorded work. Replayed, a device does all of it again at once, on the
// same memory: what shall change from run to run has to be written there before.
type Graph struct {
	c     unsafe.Pointer // NULL on a CPU
	again func() error
}

// Record records what work does, without doing it, [Sealed] and on the stream of
// [Apart], and within one [Do]. On a CPU, where nothing can be recorded, the graph
// keeps work itself and calls it, sealed, for every replay: all that work took from
// the host stays as it was when it was recorded, as on CUDA.
func (p *Graphs) Record(work func() error) (*Graph, error) {
	if !p.dev.IsCUDA() {
		return &Graph{again: work}, nil
	}
	g := &Graph{c: C.vt_graph_begin(C.int(p.dev), &p.pool[0])}
	if g.c == nil {
		return nil, graphError("begin")
	}
	err := sealed(work)
	if C.vt_graph_end(g.c) != 0 {
		err = errors.Join(err, graphError("end"))
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// Replay has the work done.
func (g *Graph) Replay() error {
	if g.c == nil {
		return sealed(g.again)
	}
	if C.vt_graph_replay(g.c) != 0 {
		return graphError("replay")
	}
	return nil
}

// Close frees the graph. A replay that is under way ends first.
func (g *Graph) Close() {
	if g.c != nil {
		C.vt_graph_free(g.c)
		g.c = nil
	}
}

func sealed(work func() error) (err error) {
	Sealed(func() { err = work() })
	return err
}

func graphError(op string) error {
	return &Error{Op: "cuda graph " + op, Reason: firstLine(C.GoString(C.vt_error()))}
}

// graphsLack says what of libtorch's CUDA half, which has been loaded, recording
// lacks; nil: nothing.
func graphsLack() error {
	if name := C.vt_graph_lacks(); name != nil {
		return fmt.Errorf("libtorch_cuda.so has no %s", C.GoString(name))
	}
	return nil
}
