package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"

	"vlab/albef"
	"vlab/albef/bench"
)

// runner is one of those that are timed.
type runner struct {
	name    string
	command []string
	results []bench.Result // a round each
}

// runners are the official code, the same model in today's PyTorch, as it is
// and through torch.compile, and vlab.
func (o options) runners(c albef.Config, dtype string) []*runner {
	steps := []string{"--steps", strconv.Itoa(o.steps)}
	python := func(which ...string) []string {
		return append(append([]string{o.python, o.script}, which...), append(o.work(c, dtype), steps...)...)
	}
	ours := []string{
		o.vlab, "bench", "step", "--json", "--device", "cpu", "--size", o.size, "--batch", strconv.Itoa(o.batch),
		"--dtype", dtype, "--threads", strconv.Itoa(o.threads), "--steps", strconv.Itoa(o.steps),
	}
	return []*runner{
		{name: "official", command: python("--official", o.official)},
		{name: "modern", command: python("--modern")},
		{name: "compiled", command: python("--modern", "--compile")},
		{name: "ours", command: ours},
	}
}

// race times all by turns and prints medians and what ours is of each. Who
// begins changes from round to round, so that a machine that warms up favours
// nobody.
func (o options) race(ctx context.Context, c albef.Config, dtype string) error {
	all := o.runners(c, dtype)
	fmt.Printf("\n%s, %d steps a round: median (minimum, CPU) in ms\n%8s", dtype, o.steps, "round")
	for _, r := range all {
		fmt.Printf(" %28s", r.name)
	}
	fmt.Println()
	for round := range o.rounds {
		for i := range all {
			r := all[(i+round)%len(all)]
			result, err := run(ctx, r.command[0], r.command[1:]...)
			if err != nil {
				return err
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
	return nil
}

func describe(r bench.Result) string {
	return fmt.Sprintf("%.1f (%.1f, %.1f)", r.MedianMS, r.MinMS, r.CPUMS)
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
	for _, m := range []struct {
		what string
		get  func(bench.Result) float64
	}{
		{"median", func(r bench.Result) float64 { return r.MedianMS }},
		{"minimum", func(r bench.Result) float64 { return r.MinMS }},
		{"CPU ms", func(r bench.Result) float64 { return r.CPUMS }},
		{"MiB", func(r bench.Result) float64 { return r.PeakMB }},
	} {
		row(m.what, func(r *runner) string {
			v := middle(r.results, m.get)
			return fmt.Sprintf("%.1f (ours %.3f)", v, middle(ours.results, m.get)/v)
		})
	}
	rate := middle(ours.results, func(r bench.Result) float64 { return r.Matmul })
	row("share", func(r *runner) string {
		return fmt.Sprintf("%.1f %%", 100*ours.results[0].FLOPs/middle(r.results, func(r bench.Result) float64 { return r.MedianMS })/1e6/rate)
	})
	fmt.Printf("%8s of %.0f GFLOP/s, the machine's matrix products in the same run; %.1f GFLOP a step\n", "", rate, ours.results[0].FLOPs/1e9)
}

func middle(of []bench.Result, get func(bench.Result) float64) float64 {
	v := make([]float64, 0, len(of))
	for _, r := range of {
		v = append(v, get(r))
	}
	return bench.Median(v)
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
