package gallery_test

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vlab/albef/gallery"
)

// synthetic writes n random features of length 1.
func synthetic(tb testing.TB, n, dim int) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "synthetic.vgal")
	w, err := gallery.Create(path, n, dim, gallery.Hash{1})
	if err != nil {
		tb.Fatal(err)
	}
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		if err := w.Add(gallery.Picture{Name: fmt.Sprintf("%07d.jpg", i)}, direction(draw, dim)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Finish(nil); err != nil {
		tb.Fatal(err)
	}
	return path
}

// direction is a random vector of length 1.
func direction(draw *rand.Rand, dim int) []float32 {
	x, square := make([]float32, dim), 0.0
	for i := range x {
		v := draw.NormFloat64()
		x[i], square = float32(v), square+v*v
	}
	for i := range x {
		x[i] /= float32(math.Sqrt(square))
	}
	return x
}

// BenchmarkTopK finds the best 10 of a million features of 256 numbers. The
// file takes 790 MB of the folder for temporary files.
func BenchmarkTopK(b *testing.B) {
	if testing.Short() {
		b.Skip("writes 790 MB")
	}
	path := synthetic(b, 1_000_000, 256)
	draw := rand.New(rand.NewPCG(3, 4))
	for _, queries := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("million/queries=%d", queries), func(b *testing.B) {
			f, err := gallery.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			debug.FreeOSMemory()
			resetPeak(b)
			asked := make([][]float32, queries)
			var took []float64 // ms
			before := cpuMS(b)
			for b.Loop() {
				for i := range asked {
					asked[i] = direction(draw, f.Dim())
				}
				begin := time.Now()
				if hits, err := f.Search(b.Context(), asked, 10); err != nil || len(hits[queries-1]) != 10 {
					b.Fatal(hits, err)
				}
				took = append(took, float64(time.Since(begin).Microseconds())/1000)
			}
			b.ReportMetric((cpuMS(b)-before)/float64(len(took)), "cpu-ms")
			b.ReportMetric(took[0], "first-ms")
			slices.Sort(took)
			b.ReportMetric(took[0], "min-ms")
			b.ReportMetric(took[len(took)/2], "median-ms")
			b.ReportMetric(peakMB(b), "peak-MB")
		})
	}
}

// cpuMS is the process's CPU time, in milliseconds.
func cpuMS(tb testing.TB) float64 {
	tb.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// resetPeak makes the process's peak what it has now.
func resetPeak(tb testing.TB) {
	tb.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		tb.Skip(err)
	}
}

// peakMB is the most memory that the process has had, mapped files included.
func peakMB(tb testing.TB) float64 {
	tb.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		tb.Skip(err)
	}
	defer func() { _ = f.Close() }()
	var kb float64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return kb / 1000
}
