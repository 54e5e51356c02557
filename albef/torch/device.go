package torch

// #include <stdlib.h>
// #include "native.h"
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"
)

// Device says where a tensor lives: [CPU], [Hollow], or the number of a CUDA
// device.
type Device int32

// CPU is the host.
const CPU Device = -1

// Hollow is nowhere: a tensor there has a shape and a type, but no elements and
// no memory, and what is done to it is not computed. It is PyTorch's meta device.
const Hollow Device = -2

// IsCUDA reports whether d is a CUDA device.
func (d Device) IsCUDA() bool { return d >= 0 }

// String returns "cpu", "hollow" or "cuda:0".
func (d Device) String() string {
	switch {
	case d == Hollow:
		return "hollow"
	case d < 0:
		return "cpu"
	}
	return "cuda:" + strconv.Itoa(int(d))
}

// ParseDevice reads the --device flag: auto, cpu, cuda or cuda:N. auto is the
// first CUDA device where there is one, else the CPU. Asking for CUDA where it
// can't be used is an error that says why.
func ParseDevice(name string) (Device, error) {
	switch {
	case name == "cpu":
		return CPU, nil
	case name == "auto" || name == "":
		if cuda := LoadCUDA(); cuda.Devices > 0 {
			return 0, nil
		}
		return CPU, nil
	case name == "cuda" || strings.HasPrefix(name, "cuda:"):
		n := 0
		if _, num, ok := strings.Cut(name, ":"); ok {
			var err error
			if n, err = strconv.Atoi(num); err != nil || n < 0 {
				return CPU, fmt.Errorf("device %q: want cuda:N with N from 0", name)
			}
		}
		cuda := LoadCUDA()
		if n >= cuda.Devices {
			return CPU, &deviceError{name, cuda}
		}
		return Device(n), nil
	}
	return CPU, fmt.Errorf("device %q: want auto, cpu, cuda or cuda:N", name)
}

type deviceError struct {
	name string
	cuda CUDA
}

func (e *deviceError) Error() string {
	if e.cuda.Err != nil {
		return fmt.Sprintf("device %q: %v", e.name, e.cuda.Err)
	}
	return fmt.Sprintf("device %q: %d CUDA devices here", e.name, e.cuda.Devices)
}

func (e *deviceError) Hint() string {
	return "vlab doctor tells what CUDA needs; --device cpu works everywhere"
}

// CUDA is what came of loading libtorch's CUDA half.
type CUDA struct {
	Library string // libtorch_cuda.so as loaded, or ""
	Devices int    // how many devices can be used
	Cards   []Card // what the driver says of each
	Graphs  error  // why no [Graphs] can be made though the library has loaded, or nil
	Err     error  // why there are none, or nil
}

var loadCUDA = sync.OnceValue(func() CUDA {
	path := filepath.Join(LibDir(), "libtorch_cuda.so")
	if _, err := os.Stat(path); err != nil {
		return CUDA{Err: fmt.Errorf("load CUDA: %w", err)}
	}
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	if C.vt_load_cuda(c) != 0 {
		return CUDA{Err: fmt.Errorf("load CUDA: %s", C.GoString(C.vt_error()))}
	}
	out := CUDA{Library: path, Devices: int(C.vt_cuda_count()), Graphs: graphsLack()}
	for i := range out.Devices {
		out.Cards = append(out.Cards, cardOf(i))
	}
	if out.Devices == 0 {
		out.Err = fmt.Errorf("load CUDA: %s has loaded, but no driver or device answers", path)
	}
	return out
})

// Card is a CUDA device as its driver describes it.
type Card struct {
	Name   string // such as "NVIDIA H100 80GB HBM3", or "" where the driver doesn't say
	Memory uint64 // bytes
}

func cardOf(device int) Card {
	var name [128]C.char
	var memory C.uint64_t
	if C.vt_cuda_card(C.int(device), &name[0], C.int(len(name)), &memory) != 0 {
		return Card{}
	}
	return Card{Name: C.GoString(&name[0]), Memory: uint64(memory)}
}

// LoadCUDA loads libtorch_cuda.so once, before anything asks libtorch for
// CUDA: asked earlier, libtorch would remember for good that there is none.
func LoadCUDA() CUDA { return loadCUDA() }

// LibDir returns the folder that libtorch_cpu.so was loaded from.
func LibDir() string {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(maps)) {
		if i := strings.IndexByte(line, '/'); i >= 0 && strings.Contains(line[i:], "/libtorch_cpu.so") {
			return filepath.Dir(strings.TrimSpace(line[i:]))
		}
	}
	return ""
}

// Version returns libtorch's version, such as "2.11.0".
func Version() string { return C.GoString(C.vt_version()) }

// CPUCapability returns the instruction set that libtorch picked, such as AVX512.
func CPUCapability() string { return C.GoString(C.vt_cpu_capability()) }

// Threads returns how many threads an operation on the CPU may use.
func Threads() int { return int(C.vt_get_threads()) }

// SetThreads sets how many threads an operation on the CPU may use.
func SetThreads(n int) { C.vt_set_threads(C.int(n)) }

// Pin keeps the calling goroutine on its OS thread until release is called, and
// gives that thread's workers back then. OpenMP gives every thread that calls an
// operation workers of its own, and once there are more of them than processors
// none waits for work awake any more: waking them some thousand times a step
// costs a fifth of it.
func Pin() (release func()) {
	runtime.LockOSThread()
	return func() {
		C.vt_release_threads()
		runtime.UnlockOSThread()
	}
}

// DropCache gives the memory of freed CPU tensors, which is kept for the next
// ones of their sizes, back to the system.
func DropCache() { C.vt_drop_cache() }

// PeakMemory returns the most bytes that CPU tensors had at a time since it was
// last called.
func PeakMemory() int64 { return int64(C.vt_peak_memory()) }

// PeakCUDAMemory returns the most bytes that libtorch has taken of dev at a time,
// its cache and recorded graphs included; 0 for what isn't CUDA.
func PeakCUDAMemory(dev Device) int64 {
	if !dev.IsCUDA() {
		return 0
	}
	return int64(C.vt_cuda_peak(C.int(dev)))
}
