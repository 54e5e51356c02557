// Command peer does the same pretraining steps by the official code, by the same
// model in today's PyTorch and by vlab: first a few with equal weights, inputs
// and draws, whose losses it prints side by side; then timed ones by turns, each
// in a process of its own, whose medians it prints as ratios. run.sh sets up what it needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"vlab/albef"
	"vlab/albef/bench"
)

// options are the command line.
type options struct {
	python, script, official, vlab string
	size                           string
	dtypes                         []string
	batch, threads                 int
	rounds, steps                  int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = o.run(ctx)
	}
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-peer:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("peer", flag.ContinueOnError)
	f.StringVar(&o.python, "python", "python3", "a Python that has the packages of requirements.lock")
	f.StringVar(&o.script, "script", "albef/bench/peer/step.py", "the `script` of a step in PyTorch")
	f.StringVar(&o.official, "official", "", "the `folder` of the official code")
	f.StringVar(&o.vlab, "vlab", "bin/vlab", "the vlab that is timed")
	f.StringVar(&o.size, "size", "mid", "mid or full")
	dtypes := f.String("dtype", "fp32,bf16", "fp32, bf16 or both")
	f.IntVar(&o.batch, "batch", 0, "images a step; 0: 16 for mid, 2 for full")
	f.IntVar(&o.threads, "threads", 2, "threads of an operation, for all")
	f.IntVar(&o.rounds, "rounds", 3, "how often all are timed")
	f.IntVar(&o.steps, "steps", 10, "steps that are timed each time, after 2 that are not")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.dtypes = strings.Split(*dtypes, ",")
	for _, d := range o.dtypes {
		if !slices.Contains([]string{"fp32", "bf16"}, d) {
			return o, fmt.Errorf("--dtype %q: want fp32, bf16 or fp32,bf16", *dtypes)
		}
	}
	if o.official == "" {
		return o, errors.New("--official is missing: the folder of the official code")
	}
	if o.batch == 0 {
		o.batch = map[string]int{"mid": 16, "full": 2}[o.size]
	}
	return o, nil
}

func (o options) run(ctx context.Context) error {
	c, err := bench.SizeConfig(o.size)
	if err != nil {
		return err
	}
	fmt.Printf("pretraining step, size %s, batch %d, %d threads\nload before: %s", o.size, o.batch, o.threads, load())
	for _, dtype := range o.dtypes {
		if err := o.equality(ctx, c, dtype); err != nil {
			return fmt.Errorf("compare losses in %s: %w", dtype, err)
		}
	}
	for _, dtype := range o.dtypes {
		if err := o.race(ctx, c, dtype); err != nil {
			return fmt.Errorf("time %s: %w", dtype, err)
		}
	}
	fmt.Printf("\nload after: %sA load before above 0.3, or one after above %d, means that others had the machine too: the ratios are then not to be trusted.\n",
		load(), o.threads)
	return nil
}

// load is the machine's load over the last 1, 5 and 15 minutes, a line.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown\n"
	}
	return string(raw)
}

// work is the part of a PyTorch step's command line that says what to do.
func (o options) work(c albef.Config, dtype string) []string {
	return []string{"--config", sizes(c), "--batch", strconv.Itoa(o.batch), "--dtype", dtype, "--threads", strconv.Itoa(o.threads)}
}
