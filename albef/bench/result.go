package bench

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Result is one measurement, with the keys that scripts read.
type Result struct {
	Work    string `json:"work"`
	Size    string `json:"size"`
	Batch   int    `json:"batch"`
	DType   string `json:"dtype"`
	Threads int    `json:"threads"`

	MedianMS float64 `json:"median_ms"` // of one repetition, wall time
	MinMS    float64 `json:"min_ms"`
	CPUMS    float64 `json:"cpu_ms"` // median of the process's CPU time: steadier where others use the machine too

	PeakMB float64 `json:"peak_rss_mb"` // of the whole process, MiB
	Loss   float64 `json:"loss"`        // the last step's total; 0 for work without one

	FLOPs  float64 `json:"flops"`         // of one repetition, see [StepFLOPs]
	Matmul float64 `json:"matmul_gflops"` // the machine's rate in the same run, see [MatmulRate]
	Share  float64 `json:"share"`         // FLOPs in the median time over Matmul
}

// Write prints r for a person.
func (r Result) Write(w io.Writer) {
	fmt.Fprintf(w, "%s, size %s, batch %d, %s, %d threads\n", r.Work, r.Size, r.Batch, r.DType, r.Threads)
	fmt.Fprintf(w, "  median   %10.1f ms\n  minimum  %10.1f ms\n  CPU time %10.1f ms\n  memory   %10.0f MiB at most\n",
		r.MedianMS, r.MinMS, r.CPUMS, r.PeakMB)
	if r.Loss != 0 {
		fmt.Fprintf(w, "  loss     %10.4f\n", r.Loss)
	}
	fmt.Fprintf(w, "  %.1f GFLOP, %.0f %% of the machine's %.0f GFLOP/s (matrix product of 1024 x 1024, %s)\n",
		r.FLOPs/1e9, 100*r.Share, r.Matmul, r.DType)
}

// clock collects the times of repetitions.
type clock struct{ wall, cpu []float64 } // milliseconds

func (c *clock) time(fn func() error) error {
	begin, began := time.Now(), cpuTime()
	err := fn()
	c.wall = append(c.wall, milliseconds(time.Since(begin)))
	c.cpu = append(c.cpu, milliseconds(cpuTime()-began))
	return err
}

// summarise fills the times of r and what follows from them.
func (c *clock) summarise(r *Result) (err error) {
	r.MedianMS, r.MinMS, r.CPUMS = Median(c.wall), slices.Min(c.wall), Median(c.cpu)
	r.Share = r.FLOPs / (r.MedianMS / 1e3) / (r.Matmul * 1e9)
	r.PeakMB, err = peakMB()
	return err
}

// Median returns the middle of v, the mean of both where there are two. v is
// not empty and stays as it is.
func Median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// cpuTime is the CPU time of all threads, in user and kernel mode.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // both arguments are valid
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMB is the largest resident memory so far, MiB. getrusage would tell that
// of the parent where that was larger: a process is born with it.
func peakMB() (float64, error) {
	const path = "/proc/self/status"
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read peak memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(raw), "\nVmHWM:")
	var kB float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kB); err != nil {
		return 0, fmt.Errorf("read peak memory: no VmHWM in %s", path)
	}
	return kB / 1024, nil
}
