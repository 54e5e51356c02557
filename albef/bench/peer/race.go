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

// race times both by turns and prints medians and their ratio. Who begins
// changes from round to round, so that a machine that warms up favours nobody.
func (o options) race(ctx context.Context, c albef.Config, dtype string) error {
	official := append(o.work(c, dtype), "--steps", strconv.Itoa(o.steps))
	ours := []string{
		"bench", "step", "--json", "--device", "cpu", "--size", o.size, "--batch", strconv.Itoa(o.batch),
		"--dtype", dtype, "--threads", strconv.Itoa(o.threads), "--steps", strconv.Itoa(o.steps),
	}
	fmt.Printf("\n%s, %d steps a round\n%8s %34s %34s %8s\n", dtype, o.steps, "round", "official", "ours", "ratio")
	var theirs, mine []bench.Result
	for round := range o.rounds {
		var a, b bench.Result
		var err error
		sides := []func(){
			func() { a, err = run(ctx, o.python, official...) },
			func() { b, err = run(ctx, o.vlab, ours...) },
		}
		for i := range sides {
			if sides[(i+round)%2](); err != nil {
				return err
			}
		}
		theirs, mine = append(theirs, a), append(mine, b)
		fmt.Printf("%8d %34s %34s %8.3f\n", round+1, describe(a), describe(b), b.MedianMS/a.MedianMS)
	}
	summarise(theirs, mine)
	return nil
}

func describe(r bench.Result) string {
	return fmt.Sprintf("%.1f ms (min %.1f, CPU %.1f)", r.MedianMS, r.MinMS, r.CPUMS)
}

// summarise prints the ratios of the medians over all rounds.
func summarise(theirs, mine []bench.Result) {
	compare := func(what string, get func(bench.Result) float64) {
		a, b := middle(theirs, get), middle(mine, get)
		fmt.Printf("%8s %34.1f %34.1f %8.3f\n", what, a, b, b/a)
	}
	compare("median", func(r bench.Result) float64 { return r.MedianMS })
	compare("minimum", func(r bench.Result) float64 { return r.MinMS })
	compare("CPU ms", func(r bench.Result) float64 { return r.CPUMS })
	compare("MiB", func(r bench.Result) float64 { return r.PeakMB })
	rate := middle(mine, func(r bench.Result) float64 { return r.Matmul })
	share := func(of []bench.Result) float64 {
		return 100 * mine[0].FLOPs / middle(of, func(r bench.Result) float64 { return r.MedianMS }) / 1e6 / rate
	}
	fmt.Printf("%8s %33.1f%% %33.1f%%  of %.0f GFLOP/s, the machine's matrix products (%.1f GFLOP a step)\n",
		"share", share(theirs), share(mine), rate, mine[0].FLOPs/1e9)
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
