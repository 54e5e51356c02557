package bench

import (
	"context"
	"fmt"
	"strings"

	"vlab/albef"
	"vlab/albef/torch"
)

// Spec says what to measure.
type Spec struct {
	Work   string // one of [Works]
	Size   string // mid or full; empty: mid
	Batch  int    // images; 0: 16 for step at mid, 2 at full, else 1; gradcam explains one
	BF16   bool   // matrix products in bf16, parameters stay fp32
	Device torch.Device
	Warm   int // repetitions that don't count
	Steps  int // repetitions that do; 0: 10
	// Observe is told of every repetition, outside of what is timed; nil: nobody.
	Observe func(done, total int)
}

// Works names what can be measured.
func Works() []string { return []string{"step", "gradcam", "embed"} }

// textLength is how many tokens a text has, as the official captions at most.
const textLength = 25

// SizeConfig returns the model of a size: mid, or full, the official one.
func SizeConfig(size string) (albef.Config, error) {
	switch size {
	case "mid":
		return albef.Mid(), nil
	case "full":
		return albef.Base(), nil
	}
	return albef.Config{}, &hintError{fmt.Errorf("bench: unknown size %q", size), "one of mid, full"}
}

// Run measures on the threads that libtorch is set to. It sets libtorch's seed.
func Run(ctx context.Context, spec Spec) (Result, error) {
	work := works(spec.Work)
	if work == nil {
		return Result{}, &hintError{fmt.Errorf("bench: unknown work %q", spec.Work), "one of " + strings.Join(Works(), ", ")}
	}
	spec = spec.withDefaults()
	c, err := SizeConfig(spec.Size)
	if err != nil {
		return Result{}, err
	}
	if spec.Batch < 1 || spec.Steps < 1 {
		return Result{}, fmt.Errorf("bench: a batch of %d and %d steps, want at least 1 each", spec.Batch, spec.Steps)
	}
	r := Result{Work: spec.Work, Size: spec.Size, Batch: spec.Batch, DType: "fp32", Threads: torch.Threads()}
	if spec.BF16 {
		r.DType = "bf16"
	}
	if r.Matmul, err = MatmulRate(spec.Device, spec.dtype()); err != nil {
		return Result{}, err
	}
	m, err := albef.New(c, spec.Device, 1)
	if err != nil {
		return Result{}, err
	}
	defer m.Close()
	var times clock
	if err := work(ctx, m, spec, &times, &r); err != nil {
		return Result{}, err
	}
	if r.Matmul, err = betterRate(r.Matmul, spec.Device, spec.dtype()); err != nil {
		return Result{}, err
	}
	return r, times.summarise(&r)
}

// worker repeats one kind of work and fills times, loss and FLOPs.
type worker func(ctx context.Context, m *albef.Model, spec Spec, times *clock, r *Result) error

func works(name string) worker {
	switch name {
	case "step":
		return steps
	case "gradcam":
		return gradCAMs
	case "embed":
		return embeddings
	}
	return nil
}

func (s Spec) withDefaults() Spec {
	if s.Size == "" {
		s.Size = "mid"
	}
	switch {
	case s.Batch != 0:
	case s.Work != "step":
		s.Batch = 1
	case s.Size == "full":
		s.Batch = 2
	default:
		s.Batch = 16
	}
	if s.Steps == 0 {
		s.Steps = 10
	}
	return s
}

func (s Spec) dtype() torch.DType {
	if s.BF16 {
		return torch.BFloat16
	}
	return torch.Float32
}

// repeat times fn spec.Steps times, after the warm-up, until ctx is cancelled.
func (s Spec) repeat(ctx context.Context, times *clock, fn func() error) error {
	for i := range s.Warm + s.Steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i == s.Warm {
			*times = clock{}
		}
		if err := times.time(fn); err != nil {
			return err
		}
		if s.Observe != nil {
			s.Observe(i+1, s.Warm+s.Steps)
		}
	}
	return nil
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Hint() string  { return e.hint }
func (e *hintError) Unwrap() error { return e.error }
