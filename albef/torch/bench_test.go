package torch_test

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"vlab/albef/torch"

	"github.com/sugarme/gotch"
	"github.com/sugarme/gotch/libtch"
	"github.com/sugarme/gotch/ts"
)

// perScope is how many additions share a scope here: about as many operations
// as a few layers of the model.
const perScope = 100

// addIn adds 8x8 tensors, a scope for every perScope of them, while more says so.
func addIn(s *torch.Scope, more func() bool) {
	x := s.Zeros(torch.CPU, 8, 8)
	for going := true; going; {
		s.Do(func(in *torch.Scope) {
			y := in.Use(x)
			for range perScope {
				if going = more(); !going {
					return
				}
				y = x.Add(y)
			}
		})
	}
}

func TestAddTakesSixteenBytesOfGoHeap(t *testing.T) {
	const n, limit = 20_000, 16
	err := torch.Do(func(s *torch.Scope) {
		i := 0
		count := func() bool { i++; return i%n != 0 }
		addIn(s, count) // the scopes' own memory
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		addIn(s, count)
		runtime.ReadMemStats(&after)
		if got := float64(after.TotalAlloc-before.TotalAlloc) / n; got > limit+0.5 {
			t.Errorf("an addition takes %.1f bytes of Go heap, want %d", got, limit)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAdd8x8 times an addition of 8x8, result freed, through this package,
// through the functions of gotch that it calls, through gotch's own ts, and in
// PyTorch's eager Python.
func BenchmarkAdd8x8(b *testing.B) {
	b.Run("torch", func(b *testing.B) {
		b.ReportAllocs()
		if err := torch.Do(func(s *torch.Scope) { addIn(s, b.Loop) }); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("libtch", addLibtch)
	b.Run("ts", addTS)
	b.Run("python", addPython)
}

func addLibtch(b *testing.B) {
	b.ReportAllocs()
	x := ts.MustZeros([]int64{8, 8}, gotch.Float, gotch.CPU)
	defer x.MustDrop()
	handle, out := libtch.Ctensor(x.Ctensor()), [1]libtch.Ctensor{}
	for b.Loop() {
		libtch.AtgAdd(&out[0], handle, handle)
		libtch.AtFree(out[0])
	}
}

func addTS(b *testing.B) {
	b.ReportAllocs()
	x := ts.MustZeros([]int64{8, 8}, gotch.Float, gotch.CPU)
	y := ts.MustZeros([]int64{8, 8}, gotch.Float, gotch.CPU)
	for b.Loop() {
		next, err := x.Add(y, false)
		if err != nil {
			b.Fatal(err)
		}
		y.MustDrop()
		y = next
	}
	y.MustDrop()
	x.MustDrop()
}

// addPython lets Python time itself: starting it is no part of an addition.
func addPython(b *testing.B) {
	const script = `
import time, torch
x = y = torch.zeros(8, 8)
def add(n):
    global y
    z = y
    begin = time.perf_counter_ns()
    for _ in range(n):
        z = x + z
    return (time.perf_counter_ns() - begin) / n
add(20000)
print(add(300000))
`
	python := os.Getenv("VLAB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.CommandContext(b.Context(), python, "-c", "import torch").Run(); err != nil {
		b.Skipf("%s has no torch (VLAB_PYTHON names a Python that has): %v", python, err)
	}
	for b.Loop() {
		out, err := exec.CommandContext(b.Context(), python, "-c", script).Output()
		if err != nil {
			b.Fatalf("%s: %v", python, err)
		}
		ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(ns, "ns/op")
	}
}
