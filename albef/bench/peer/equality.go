package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// equalSteps is how many steps are compared: the second and third also depend
// on the first's gradients, its AdamW, its momentum update and its queue.
const equalSteps = 3

// tolerance is how far losses may be apart, relatively. bf16 keeps 8 bits, and
// autocast rounds at other places where the order of work is another.
func tolerance(dtype string) float64 {
	if dtype == "bf16" {
		return 2e-2
	}
	return 1e-4
}

// equality lets the official code take a few steps, without dropout and with
// the likeliest negatives, repeats them with its weights, inputs and masks, and
// prints the losses of both.
func (o options) equality(ctx context.Context, c albef.Config, dtype string) error {
	dir, err := os.MkdirTemp("", "bench-peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Dropout = 0
	cmd := exec.CommandContext(ctx, o.python, append(o.work(c, dtype), "--record", dir, "--steps", strconv.Itoa(equalSteps))...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the official code: %w: %s", err, bytes.TrimSpace(out))
	}
	torch.SetThreads(o.threads)
	return repeat(dir, c, dtype)
}

func repeat(dir string, c albef.Config, dtype string) error {
	state, err := weights.Read(filepath.Join(dir, "weights.pth"))
	if err != nil {
		return err
	}
	rec, err := readRecord(filepath.Join(dir, "steps.pth"))
	if err != nil {
		return err
	}
	m, err := albef.New(c, torch.CPU, 1)
	if err != nil {
		return err
	}
	defer m.Close()
	if _, err := m.LoadState(state); err != nil {
		return err
	}
	m.SetSampler(func(w *torch.Tensor) *torch.Tensor { return w.Argmax(1) })
	opt := bench.NewOptimizer(m)
	defer opt.Close()
	return rec.compare(m, opt, dtype)
}

func (r *record) compare(m *albef.Model, opt *train.AdamW, dtype string) error {
	fmt.Printf("\n%s, equal weights, inputs, masks and negatives, no dropout\n%8s %34s %34s %8s\n",
		dtype, "step", "official: MLM ITC ITM", "ours", "apart")
	worst := 0.0
	for i := range equalSteps {
		want, err := r.losses(i)
		if err != nil {
			return err
		}
		batch, err := r.batch(i)
		if err != nil {
			return err
		}
		got, err := bench.Step(m, opt, batch, dtype == "bf16")
		if err != nil {
			return err
		}
		apart := 0.0
		for k := range got {
			apart = max(apart, math.Abs(got[k]-want[k])/math.Abs(want[k]))
		}
		worst = max(worst, apart)
		fmt.Printf("%8d %34s %34s %8.1e\n", i+1, three(want), three(got), apart)
	}
	if !(worst <= tolerance(dtype)) {
		return fmt.Errorf("the losses are %.1e apart, at most %.0e is rounding", worst, tolerance(dtype))
	}
	return nil
}

func three(v [3]float64) string { return fmt.Sprintf("%.6f %.6f %.6f", v[0], v[1], v[2]) }

// sizes is the configuration as the scripts read it.
func sizes(c albef.Config) string {
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // numbers and strings only
	}
	return string(raw)
}
