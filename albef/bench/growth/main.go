// Command growth measures how the time of a pretraining step grows with the
// batch, the length of texts, the size of images and the depth, around the
// model of size mid, beside what the counted operations predict. It prints a
// table, and draws a picture with a panel for each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"vlab/albef/bench"
	"vlab/albef/torch"
)

// options are the command line.
type options struct {
	out                   string
	asJSON                bool
	dtype, device         string
	threads               int
	rounds, steps, warmup int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = o.run(ctx, around(reference()), os.Stdout, os.Stderr)
	}
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		var hinted interface{ Hint() string }
		if errors.As(err, &hinted) {
			fmt.Fprintln(os.Stderr, "hint:", hinted.Hint())
		}
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("growth", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "", "draw the picture into this PNG `file`; without it there is none")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object in place of the table")
	f.StringVar(&o.dtype, "dtype", "fp32", "fp32 or bf16, as `type` of matrix products")
	f.StringVar(&o.device, "device", "cpu", "cpu, cuda or cuda:`N`")
	f.IntVar(&o.threads, "threads", 0, "threads of an operation on the CPU; 0: one a core")
	f.IntVar(&o.rounds, "rounds", 3, "how often all sizes are gone through, so that a busy minute doesn't fall on one alone")
	f.IntVar(&o.steps, "steps", 4, "steps that are timed at each size in a round")
	f.IntVar(&o.warmup, "warm", 1, "steps before them that are not")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q: want flags alone, --help lists them", f.Arg(0))
	case o.dtype != "fp32" && o.dtype != "bf16":
		return o, fmt.Errorf("--dtype %q: want fp32 or bf16", o.dtype)
	case o.rounds < 1 || o.steps < 1 || o.warmup < 0 || o.threads < 0:
		return o, errors.New("--rounds and --steps are at least 1, --warm and --threads not negative")
	}
	return o, nil
}

// run measures axes and says what came of it on stdout, and how far it is on
// stderr.
func (o options) run(ctx context.Context, axes []axis, stdout, stderr io.Writer) error {
	dev, err := torch.ParseDevice(o.device)
	if err != nil {
		return fmt.Errorf("--device: %w", err)
	}
	if o.threads > 0 {
		torch.SetThreads(o.threads)
	}
	spec := bench.Spec{Device: dev, BF16: o.dtype == "bf16", Warm: o.warmup, Steps: o.steps}
	times, err := measure(ctx, axes, o.rounds, spec, stderr)
	if err != nil {
		return err
	}
	g := newGrowth(axes, times)
	g.DType, g.Device, g.Threads, g.Steps = o.dtype, dev.String(), torch.Threads(), o.rounds*o.steps
	if o.asJSON {
		err = json.NewEncoder(stdout).Encode(g)
	} else {
		err = g.write(stdout)
	}
	if err != nil || o.out == "" {
		return err
	}
	return g.save(o.out)
}

// save draws the picture into a file, whose folder it makes.
func (g growth) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("save the picture: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("save the picture: %w", err)
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := errors.Join(encoder.Encode(f, g.draw()), f.Close()); err != nil {
		return fmt.Errorf("save the picture: %w", err)
	}
	return nil
}
