package bench

import (
	"context"
	"fmt"
	"strings"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// Spec says what to measure.
type Spec struct {
	Work   string // one of [Works]
	Size   string // full, mid or tiny; empty: mid
	Batch  int    // images at a time; 0: what suits the work, see [DefaultBatch]; gradcam explains one
	Images int    // of a retrieval evaluation; 0: [RerankImages], with which others are compared
	BF16   bool   // matrix products in bf16, parameters stay fp32

	Accumulate int  // in how many parts a step works its batch off; 0: 1
	Checkpoint bool // a step runs layers again in the backward

	Device torch.Device
	// Recording says whether a training step is recorded, see [train.Recorder]; "": no.
	Recording train.Recording
	Warm      int // repetitions that don't count
	Steps     int // repetitions that do; 0: 10
	// Profile has the result say what libtorch's operations took, recorded or not. It
	// slows small ones down.
	Profile bool
	// Observe is told of every repetition, outside of what is timed; nil: nobody.
	Observe func(done, total int)
}

// Works names what can be measured: a training step, an evaluation of retrieval,
// a map for an image and its text, the features of images and texts, the answer
// to a question about an image, and the loading of pictures.
func Works() []string { return []string{"step", "rerank", "gradcam", "embed", "answer", "decode"} }

// textLength is how many tokens a text has, as the official captions at most.
const textLength = 25

// EmbedTokens is how many tokens the texts have that are turned into features;
// every second, third and fourth of four has so many times TextPadding of padding.
const (
	EmbedTokens = textLength
	TextPadding = 3
)

// groundingRes is the width of the official grounding's pictures, Grounding.yaml.
const groundingRes = 384

// SizeConfig returns the model of a size: mid, full, the official one, or tiny.
func SizeConfig(size string) (albef.Config, error) {
	switch size {
	case "mid":
		return albef.Mid(), nil
	case "full":
		return albef.Base(), nil
	case "tiny":
		return albef.Tiny(), nil
	}
	return albef.Config{}, &hintError{fmt.Errorf("bench: unknown size %q", size), "one of mid, full, tiny"}
}

// WorkConfig returns the model of a size with which a work is timed: gradcam at
// full takes the pictures of the official grounding, 384 pixels wide.
func WorkConfig(work, size string) (albef.Config, error) {
	c, err := SizeConfig(size)
	if work == "gradcam" && size == "full" {
		c.ImageRes = groundingRes
	}
	return c, err
}

// DefaultBatch is how many images are taken at a time where nobody says: 16 for a
// step, 2 at full; 64 for an evaluation of retrieval and 32 for the loading of
// pictures, else one.
func DefaultBatch(work, size string) int {
	switch {
	case work == "step" && size == "full":
		return 2
	case work == "step":
		return 16
	case work == "rerank":
		return rerankBatch
	case work == "decode":
		return decodeBatch
	}
	return 1
}

// Run measures on the threads that libtorch is set to. It sets libtorch's seed.
func Run(ctx context.Context, spec Spec) (Result, error) {
	defer torch.Pin()()
	work := works(spec.Work)
	if work == nil {
		return Result{}, &hintError{fmt.Errorf("bench: unknown work %q", spec.Work), "one of " + strings.Join(Works(), ", ")}
	}
	spec = spec.withDefaults()
	if spec.Profile {
		spec.Recording = train.RecordOff // what is recorded runs all at once
	}
	c, err := WorkConfig(spec.Work, spec.Size)
	if err != nil {
		return Result{}, err
	}
	if spec.Batch < 1 || spec.Steps < 1 {
		return Result{}, fmt.Errorf("bench: a batch of %d and %d steps, want at least 1 each", spec.Batch, spec.Steps)
	}
	if parts := max(spec.Accumulate, 1); spec.Batch%parts != 0 {
		return Result{}, &hintError{fmt.Errorf("bench: a batch of %d in %d parts", spec.Batch, parts), "--accumulate divides --batch"}
	}
	r := Result{Work: spec.Work, Size: spec.Size, Batch: spec.Batch, DType: "fp32", Threads: torch.Threads(), Width: matmulWidth(spec.Device)}
	if spec.BF16 {
		r.DType = "bf16"
	}
	if r.Matmul, err = MatmulRate(spec.Device, spec.dtype()); err != nil {
		return Result{}, err
	}
	var times clock
	if err := work(ctx, c, spec, &times, &r); err != nil {
		return Result{}, err
	}
	if r.Matmul, err = betterRate(r.Matmul, spec.Device, spec.dtype()); err != nil {
		return Result{}, err
	}
	r.DeviceMB = float64(torch.PeakCUDAMemory(spec.Device)) / (1 << 20)
	return r, times.summarise(&r)
}

// worker repeats one kind of work and fills times, loss and FLOPs.
type worker func(ctx context.Context, c albef.Config, spec Spec, times *clock, r *Result) error

func works(name string) worker {
	switch name {
	case "step":
		return with(albef.New, steps)
	case "rerank":
		return with(albef.NewRetrieval, reranks)
	case "gradcam":
		return with(albef.NewRetrieval, gradCAMs)
	case "embed":
		return with(albef.NewRetrieval, embeddings)
	case "answer":
		return with(albef.NewVQA, answerings)
	case "decode":
		return decodings
	}
	return nil
}

// with makes work on a model a worker that makes the model, with fresh weights.
func with[M interface{ Close() }](
	model func(c albef.Config, dev torch.Device, seed int64) (M, error),
	work func(ctx context.Context, m M, spec Spec, times *clock, r *Result) error,
) worker {
	return func(ctx context.Context, c albef.Config, spec Spec, times *clock, r *Result) error {
		m, err := model(c, spec.Device, 1)
		if err != nil {
			return err
		}
		defer m.Close()
		return work(ctx, m, spec, times, r)
	}
}

func (s Spec) withDefaults() Spec {
	if s.Size == "" {
		s.Size = "mid"
	}
	if s.Batch == 0 {
		s.Batch = DefaultBatch(s.Work, s.Size)
	}
	if s.Steps == 0 {
		s.Steps = 10
	}
	return s
}

func (s Spec) way() Way { return Way{BF16: s.BF16, Accumulate: s.Accumulate, Checkpoint: s.Checkpoint} }

func (s Spec) dtype() torch.DType {
	if s.BF16 {
		return torch.BFloat16
	}
	return torch.Float32
}

// repeat times fn spec.Steps times, after the warm-up, until ctx is cancelled.
func (s Spec) repeat(ctx context.Context, times *clock, fn func() error) error {
	if err := s.times(ctx, times, 0, s.Warm, fn); err != nil {
		return err
	}
	*times = clock{}
	if !s.Profile {
		return s.times(ctx, times, s.Warm, s.Warm+s.Steps, fn)
	}
	var err error
	times.ops = torch.Profile(s.Device, func() { err = s.times(ctx, times, s.Warm, s.Warm+s.Steps, fn) })
	return err
}

// times does repetitions from to to.
func (s Spec) times(ctx context.Context, times *clock, from, to int, fn func() error) error {
	for i := from; i < to; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := times.time(fn); err != nil {
			return err
		}
		if done := i + 1 - s.Warm; done == (s.Steps+9)/10 {
			if err := times.remember(); err != nil {
				return err
			}
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
