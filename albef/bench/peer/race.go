package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"

	"vlab/albef/bench"
)

// runner is one of those that are timed.
type runner struct {
	name    string
	command []string
	results []bench.Result // a round each
}

// runners are the official code, the same model in today's PyTorch, as it is
// and through torch.compile, and vlab, the last.
func (o options) runners(c contest) []*runner {
	python := func(which ...string) []string {
		return append(o.command(c, which...), "--steps", strconv.Itoa(c.steps), "--warmup", strconv.Itoa(c.warm))
	}
	all := []*runner{{name: "official", command: python("--official", o.official)}}
	if c.hasModern {
		all = append(all, &runner{name: "modern", command: python("--modern")})
	}
	if c.compiles {
		all = append(all, &runner{name: "compiled", command: python("--modern", "--compile")})
	}
	ours := []string{
		o.vlab, "bench", c.work, "--json", "--device", c.device.String(), "--size", c.size, "--batch", strconv.Itoa(c.batch),
		"--dtype", c.dtype, "--threads", strconv.Itoa(c.threads), "--steps", strconv.Itoa(c.steps), "--warm", strconv.Itoa(c.warm),
	}
	return append(all, &runner{name: "ours", command: ours})
}

// race times all by turns and prints medians and what ours is of each. Who
// begins changes from round to round, so that a machine that warms up favours
// nobody.
func (o options) race(ctx context.Context, c contest) ([]*runner, error) {
	all := o.runners(c)
	fmt.Printf("\n%s, batch %d, %d threads, %d repetitions a round: median (minimum, CPU) in ms\n%8s", c, c.batch, c.threads, c.steps, "round")
	for _, r := range all {
		fmt.Printf(" %28s", r.name)
	}
	fmt.Println()
	for round := range o.rounds {
		for i := range all {
			r := all[(i+round)%len(all)]
			result, err := run(ctx, r.command[0], r.command[1:]...)
			if err != nil {
				return nil, err
			}
			r.results = append(r.results, result)
		}
		fmt.Printf("%8d", round+1)
		for _, r := range all {
			fmt.Printf(" %28s", describe(r.results[round]))
		}
		fmt.Println()
	}
	summarise(all)
	return all, nil
}

func describe(r bench.Result) string {
	return fmt.Sprintf("%.1f (%.1f, %.1f)", r.MedianMS, r.MinMS, r.CPUMS)
}

// measure is a figure of a result that is compared.
type measure struct {
	name string
	get  func(bench.Result) float64
}

// measures are the figures that everyone has, and parts those of a step.
func measures() []measure {
	return []measure{
		{"median", func(r bench.Result) float64 { return r.MedianMS }},
		{"minimum", func(r bench.Result) float64 { return r.MinMS }},
		{"CPU ms", func(r bench.Result) float64 { return r.CPUMS }},
		{"MiB", func(r bench.Result) float64 { return r.PeakMB }},
		{"GPU MiB", func(r bench.Result) float64 { return r.DeviceMB }},
	}
}

func parts() []measure {
	return []measure{
		{"forward", func(r bench.Result) float64 { return r.ForwardMS }},
		{"backward", func(r bench.Result) float64 { return r.BackwardMS }},
		{"update", func(r bench.Result) float64 { return r.UpdateMS }},
	}
}

// summarise prints the medians over all rounds, what the last runner's are of
// them, and the share of the machine's rate that each reaches.
func summarise(all []*runner) {
	ours := all[len(all)-1]
	row := func(what string, show func(r *runner) string) {
		fmt.Printf("%8s", what)
		for _, r := range all {
			fmt.Printf(" %28s", show(r))
		}
		fmt.Println()
	}
	for _, m := range measures() {
		if ours.middle(m) == 0 {
			continue
		}
		row(m.name, func(r *runner) string { return compared(ours, r, m) })
	}
	for _, m := range parts() {
		if all[0].middle(m) != 0 {
			row(m.name, func(r *runner) string { return compared(ours, r, m) })
		}
	}
	if ours.results[0].FLOPs == 0 {
		return
	}
	row("share", func(r *runner) string { return fmt.Sprintf("%.1f %%", 100*share(ours, r)) })
	fmt.Printf("%8s of %.0f GFLOP/s, the machine's matrix products in the same run; %.1f GFLOP a repetition\n", "", rate(ours), ours.results[0].FLOPs/1e9)
}

// compared is a figure of r and what ours is of it, where both have it.
func compared(ours, r *runner, m measure) string {
	v, own := r.middle(m), ours.middle(m)
	switch {
	case v == 0:
		return "-"
	case own == 0:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.1f (ours %.3f)", v, own/v)
}

// middle is the median of a figure over all rounds.
func (r *runner) middle(m measure) float64 {
	v := make([]float64, 0, len(r.results))
	for _, result := range r.results {
		v = append(v, m.get(result))
	}
	return bench.Median(v)
}

// rate is how fast the machine multiplied matrices, GFLOP/s, as ours found.
func rate(ours *runner) float64 {
	return ours.middle(measure{get: func(r bench.Result) float64 { return r.Matmul }})
}

// share is how much of that rate r reaches with the operations that the work needs.
func share(ours, r *runner) float64 {
	return ours.results[0].FLOPs / r.middle(measures()[0]) / 1e6 / rate(ours)
}

// run runs a command that prints one JSON object.
func run(ctx context.Context, name string, args ...string) (bench.Result, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return bench.Result{}, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	var r bench.Result
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("%s printed %q: %w", name, out, err)
	}
	return r, nil
}
