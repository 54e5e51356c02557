package bench

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"vlab/albef/torch"
)

// Result is one measurement, with the keys that scripts read.
type Result struct {
	Work    string `json:"work"`
	Size    string `json:"size"`
	Batch   int    `json:"batch"`
	DType   string `json:"dtype"`
	Threads int    `json:"threads"`

	Repetitions int `json:"repetitions"` // that were timed

	MedianMS float64 `json:"median_ms"` // of one repetition, wall time
	MinMS    float64 `json:"min_ms"`
	CPUMS    float64 `json:"cpu_ms"` // median of the process's CPU time: steadier where others use the machine too

	// Where the time of a training step goes, medians of wall time; 0 for other work.
	ForwardMS  float64 `json:"forward_ms,omitempty"`
	BackwardMS float64 `json:"backward_ms,omitempty"`
	UpdateMS   float64 `json:"update_ms,omitempty"` // of the optimiser; 0 where it works within the backward

	// SlowestMS is the slowest repetition but for the first; 0 where there is one.
	SlowestMS float64 `json:"slowest_ms,omitempty"`

	PeakMB   float64 `json:"peak_rss_mb"`              // of the whole process, MiB
	DeviceMB float64 `json:"peak_device_mb,omitempty"` // taken of a CUDA device's memory, MiB
	EarlyMB  float64 `json:"rss_early_mb"`             // resident after a tenth of the repetitions
	LastMB   float64 `json:"rss_last_mb"`              // resident after the last
	Loss     float64 `json:"loss"`                     // the last step's total; 0 for work without one

	// Graphs says how many training steps were recorded and how many replayed, warm-up
	// included, see [train.Recorder]; "" on a CPU where nobody asked for it.
	Graphs string `json:"graphs,omitempty"`

	FLOPs  float64 `json:"flops"`         // of one repetition, see [StepFLOPs]
	Matmul float64 `json:"matmul_gflops"` // the machine's rate in the same run, see [MatmulRate]
	Share  float64 `json:"share"`         // FLOPs in the median time over Matmul
	Width  int     `json:"matmul_width"`  // of the matrices that Matmul is of

	Ops []torch.OpTime `json:"-"` // with [Spec.Profile], of all repetitions that count
}

// WriteProfile prints what libtorch's operations took, a repetition.
func (r Result) WriteProfile(w io.Writer) {
	const shown = 40
	n := time.Duration(r.Repetitions)
	fmt.Fprintf(w, "  %-60s %8s %10s\n", "operation", "calls", "ms")
	for _, op := range r.Ops[:min(shown, len(r.Ops))] {
		fmt.Fprintf(w, "  %-60s %8d %10.2f\n", op.Name, op.Calls/r.Repetitions, milliseconds(op.Own/n))
	}
}

// Write prints r for a person.
func (r Result) Write(w io.Writer) {
	fmt.Fprintf(w, "%s, size %s, batch %d, %s, %d threads\n", r.Work, r.Size, r.Batch, r.DType, r.Threads)
	fmt.Fprintf(w, "  median   %10.1f ms\n  minimum  %10.1f ms\n  CPU time %10.1f ms\n  memory   %10.0f MiB at most\n",
		r.MedianMS, r.MinMS, r.CPUMS, r.PeakMB)
	if r.DeviceMB != 0 {
		fmt.Fprintf(w, "  %-8s %10.0f MiB of the device's\n", "", r.DeviceMB)
	}
	fmt.Fprintf(w, "  %-8s %10.0f MiB after a tenth of the repetitions, %.0f after the last\n", "", r.EarlyMB, r.LastMB)
	if r.SlowestMS != 0 {
		fmt.Fprintf(w, "  slowest  %10.1f ms, but for the first\n", r.SlowestMS)
	}
	if r.ForwardMS != 0 {
		fmt.Fprintf(w, "  forward  %10.1f ms, backward with the optimiser %.1f ms\n", r.ForwardMS, r.BackwardMS)
	}
	if r.Loss != 0 {
		fmt.Fprintf(w, "  loss     %10.4f\n", r.Loss)
	}
	if r.Graphs != "" {
		fmt.Fprintf(w, "  graphs   %s\n", r.Graphs)
	}
	if r.FLOPs == 0 {
		return
	}
	fmt.Fprintf(w, "  %.1f GFLOP, %.0f %% of the machine's %.0f GFLOP/s (matrix product of %d x %d, %s)\n",
		r.FLOPs/1e9, 100*r.Share, r.Matmul, r.Width, r.Width, r.DType)
}

// clock collects the times of repetitions, and the memory after some of them.
type clock struct {
	wall, cpu         []float64 // milliseconds
	forward, backward []float64 // of training steps
	earlyMB           float64
	ops               []torch.OpTime
}

// part notes where the time of a training step went.
func (c *clock) part(forward, backward time.Duration) {
	c.forward, c.backward = append(c.forward, milliseconds(forward)), append(c.backward, milliseconds(backward))
}

// remember keeps the memory that is resident now.
func (c *clock) remember() (err error) {
	c.earlyMB, err = memoryMB("VmRSS")
	return err
}

func (c *clock) time(fn func() error) error {
	begin, began := time.Now(), cpuTime()
	err := fn()
	c.wall = append(c.wall, milliseconds(time.Since(begin)))
	c.cpu = append(c.cpu, milliseconds(cpuTime()-began))
	return err
}

// summarise fills the times of r and what follows from them.
func (c *clock) summarise(r *Result) (err error) {
	r.Repetitions = len(c.wall)
	r.MedianMS, r.MinMS, r.CPUMS = Median(c.wall), slices.Min(c.wall), Median(c.cpu)
	r.Share = r.FLOPs / (r.MedianMS / 1e3) / (r.Matmul * 1e9)
	if len(c.wall) > 1 {
		r.SlowestMS = slices.Max(c.wall[1:])
	}
	if len(c.forward) > 0 {
		r.ForwardMS, r.BackwardMS = Median(c.forward), Median(c.backward)
	}
	r.EarlyMB, r.Ops = c.earlyMB, c.ops
	if r.LastMB, err = memoryMB("VmRSS"); err != nil {
		return err
	}
	r.PeakMB, err = memoryMB("VmHWM")
	r.PeakMB = max(r.PeakMB, r.EarlyMB, r.LastMB) // the kernel counts in batches, each of the two in its own
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

// memoryMB reads one of the sizes that the kernel keeps for this process, MiB:
// VmRSS is what is resident, VmHWM the most that was. getrusage would tell the
// parent's peak where that was larger: a process is born with it.
func memoryMB(key string) (float64, error) {
	const path = "/proc/self/status"
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(raw), "\n"+key+":")
	var kB float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kB); err != nil {
		return 0, fmt.Errorf("read memory: no %s in %s", key, path)
	}
	return kB / 1024, nil
}
