//go:build !front

package main

import (
	"context"
	"errors"
	"strings"

	"vlab/albef/bench"
	"vlab/albef/train"
)

func runBench(ctx context.Context, e env, args []string) error {
	known := strings.Join(bench.Works(), "|")
	f := newFlags(e, "bench", known+" [--size full|mid|tiny] [--batch N] [--dtype fp32|bf16] [--threads N] [--json]")
	size := f.String("size", "mid", "full (the official one), mid or tiny, as `size` of the model")
	batch := f.Int("batch", 0, "images at a time; 0: 16 for a step, 2 for a full one, 64 for rerank, 32 for decode, else 1")
	dtype := f.String("dtype", "fp32", "fp32 or bf16, as `type` of matrix products")
	accumulate := f.Int("accumulate", 1, "in how many parts a step works its batch off")
	checkpoint := f.Bool("checkpoint", false, "a step runs layers again in the backward, for less memory")
	steps := f.Int("steps", 10, "how many repetitions are timed")
	warm := f.Int("warm", 2, "how many go before")
	graphs := f.String("cuda-graphs", "auto", "whether a step is recorded as CUDA graphs, auto, on or off, as `choice`; on a CPU, on checks that it could be")
	profile := f.Bool("profile", false, "print what libtorch's operations took; small ones get slower")
	asJSON := f.Bool("json", false, "print one JSON object")
	device := f.deviceFlag()
	works, err := f.parse(args, 1)
	if err != nil {
		return err
	}
	if len(works) == 0 {
		return &usageError{"bench: what to time is missing", "one of " + strings.Join(bench.Works(), ", ")}
	}
	if err := errors.Join(f.oneOf("size", "mid", "full", "tiny"), f.oneOf("dtype", "fp32", "bf16"), f.oneOf("cuda-graphs", "auto", "on", "off")); err != nil {
		return err
	}
	if *batch < 0 || *accumulate < 1 || *steps < 1 || *warm < 0 {
		return &usageError{"bench: --steps and --accumulate are at least 1, --batch and --warm are not negative", f.help()}
	}
	dev, err := device()
	if err != nil {
		return err
	}
	m := newMeter(e)
	r, err := bench.Run(ctx, bench.Spec{
		Work: works[0], Size: *size, Batch: *batch, BF16: *dtype == "bf16", Device: dev, Warm: *warm, Steps: *steps, Profile: *profile,
		Accumulate: *accumulate, Checkpoint: *checkpoint, Recording: train.Recording(*graphs),
		Observe: func(done, total int) { m.show("bench "+works[0], done, total, "") },
	})
	m.end()
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(e.stdout, r)
	}
	r.Write(e.stdout)
	if *profile {
		r.WriteProfile(e.stdout)
	}
	return nil
}
