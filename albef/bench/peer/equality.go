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
func (o options) equality(ctx context.Context, c contest) error {
	dir, err := os.MkdirTemp("", "bench-peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.config.Dropout = 0
	step := func(which ...string) (out []byte, err error) {
		args := append(o.command(c, which...), "--steps", strconv.Itoa(equalSteps))
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if out, err = cmd.Output(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", which[0], err, bytes.TrimSpace(errs.Bytes()))
		}
		return out, nil
	}
	if _, err := step("--official", o.official, "--record", dir); err != nil {
		return err
	}
	modern, err := step("--modern", "--repeat", dir)
	if err != nil {
		return err
	}
	torch.SetThreads(c.threads)
	fmt.Printf("\n%s, equal weights, inputs, masks and negatives, no dropout\n", c)
	return repeat(dir, c, modern)
}

// repeat does the steps recorded in dir; modern is what the modern model made of
// them, a list of three losses a line.
func repeat(dir string, c contest, modern []byte) error {
	state, err := weights.Read(filepath.Join(dir, "weights.pth"))
	if err != nil {
		return err
	}
	rec, err := readRecord(filepath.Join(dir, "steps.pth"), c.device)
	if err != nil {
		return err
	}
	m, err := albef.New(c.config, c.device, 1)
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
	return rec.compare(m, opt, c.dtype, modern)
}

func (r *record) compare(m *albef.Model, opt *train.AdamW, dtype string, modern []byte) error {
	fmt.Printf("%8s %28s %28s %8s %28s %8s\n",
		"step", "official: MLM ITC ITM", "modern", "apart", "ours", "apart")
	worst, others := 0.0, json.NewDecoder(bytes.NewReader(modern))
	for i := range equalSteps {
		want, err := r.losses(i)
		if err != nil {
			return err
		}
		batch, err := r.batch(i)
		if err != nil {
			return err
		}
		got, err := bench.Step(m, opt, batch, bench.Way{BF16: dtype == "bf16"})
		if err != nil {
			return err
		}
		var other [3]float64
		if err := others.Decode(&other); err != nil {
			return fmt.Errorf("the modern model's losses: %w", err)
		}
		theirs, mine := apart(other, want), apart(got.Losses, want)
		worst = max(worst, theirs, mine)
		fmt.Printf("%8d %28s %28s %8.1e %28s %8.1e\n", i+1, three(want), three(other), theirs, three(got.Losses), mine)
	}
	if !(worst <= tolerance(dtype)) {
		return fmt.Errorf("the losses are %.1e apart, at most %.0e is rounding", worst, tolerance(dtype))
	}
	return nil
}

// apart is the largest relative difference.
func apart(got, want [3]float64) (worst float64) {
	for k := range got {
		worst = max(worst, math.Abs(got[k]-want[k])/math.Abs(want[k]))
	}
	return worst
}

func three(v [3]float64) string { return fmt.Sprintf("%.6f %.6f %.6f", v[0], v[1], v[2]) }
