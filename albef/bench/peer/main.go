// Command peer does the same work by the official code, by the same model in
// today's PyTorch and by vlab: first with equal weights, inputs and draws, whose
// results it compares; then timed by turns, each in a process of its own, whose
// medians it prints as ratios. run.sh sets up what it needs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/torch"
)

// options are the command line.
type options struct {
	python, scripts, official, vlab string
	works, sizes, dtypes, compile   []string
	batch, threads                  int
	rounds, steps                   int
	device                          torch.Device
	pictures                        []string // paths of those that are decoded
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
	f.StringVar(&o.scripts, "scripts", "albef/bench/peer", "the `folder` of step.py and queries.py")
	f.StringVar(&o.official, "official", "", "the `folder` of the official code")
	f.StringVar(&o.vlab, "vlab", "bin/vlab", "the vlab that is timed")
	all, sizes, dtypes := strings.Join(works(), ","), "mid,full", "fp32,bf16"
	work := f.String("work", all, "what is done")
	size := f.String("size", sizes, "at which sizes; rerank and answer are done at mid alone")
	dtype := f.String("dtype", dtypes, "in which types; rerank, gradcam, answer and decode are done in fp32 alone")
	compile := f.String("compile", "mid", "the `sizes` at which torch.compile takes the modern step too, which at full takes it minutes; empty: none")
	f.IntVar(&o.batch, "batch", 0, "images at a time; 0: for step 16 at mid and 2 at full, for embed 16 and 4, 64 for rerank, 32 for decode, else 1")
	f.IntVar(&o.threads, "threads", 2, "threads of an operation, for all; decode has one")
	device := f.String("device", "cpu", "where: auto, cpu, cuda or cuda:N")
	f.IntVar(&o.rounds, "rounds", 3, "how often all are timed")
	f.IntVar(&o.steps, "steps", 0, "repetitions that are timed each time; 0: for step 10 at mid and 4 at full, one for rerank, else 5 to 30")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for _, list := range []struct {
		name, given, known string
		to                 *[]string
	}{{"work", *work, all, &o.works}, {"size", *size, sizes, &o.sizes}, {"dtype", *dtype, dtypes, &o.dtypes}, {"compile", *compile, sizes, &o.compile}} {
		var err error
		if *list.to, err = choices(list.name, list.given, list.known); err != nil {
			return o, err
		}
	}
	var err error
	if o.device, err = torch.ParseDevice(*device); err != nil {
		return o, err
	}
	if o.official == "" {
		return o, errors.New("--official is missing: the folder of the official code")
	}
	if o.rounds < 1 || o.steps < 0 || o.batch < 0 || o.threads < 1 {
		return o, errors.New("--rounds and --threads are at least 1, --steps and --batch are not negative")
	}
	return o, nil
}

// choices are the names of a list that has known ones alone.
func choices(name, given, known string) ([]string, error) {
	if given == "" && name == "compile" {
		return nil, nil
	}
	list := strings.Split(given, ",")
	for _, one := range list {
		if !slices.Contains(strings.Split(known, ","), one) {
			return nil, fmt.Errorf("--%s %q: want some of %s", name, given, known)
		}
	}
	return list, nil
}

func (o options) run(ctx context.Context) error {
	if slices.Contains(o.works, "decode") {
		dir, err := os.MkdirTemp("", "bench-peer-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if o.pictures, err = bench.WritePictures(dir); err != nil {
			return err
		}
	}
	contests, err := o.contests()
	if err != nil {
		return err
	}
	if len(contests) == 0 {
		return errors.New("nothing to do: rerank and answer are done at mid alone, gradcam, answer and decode in fp32")
	}
	fmt.Printf("%s, %d threads\nload before: %s", o.device, o.threads, load())
	for _, c := range contests {
		if err := o.compare(ctx, c); err != nil {
			return fmt.Errorf("compare %s: %w", c, err)
		}
	}
	var ends []ending
	for _, c := range contests {
		all, err := o.race(ctx, c)
		if err != nil {
			return fmt.Errorf("time %s: %w", c, err)
		}
		ends = append(ends, ending{c, all})
	}
	table(os.Stdout, ends)
	fmt.Printf("\nload after: %sA load before above 0.3, or one after above %d, means that others had the machine too: the ratios are then not to be trusted.\n",
		load(), o.threads)
	return nil
}

func (c contest) String() string { return fmt.Sprintf("%s, size %s, %s", c.work, c.size, c.dtype) }

// compare shows that all compute the same.
func (o options) compare(ctx context.Context, c contest) error {
	switch c.work {
	case "step":
		return o.equality(ctx, c)
	case "decode":
		fmt.Printf("\n%s: crops, flips and operations are drawn by chance, each by its own; that the same draws give the same pixels is what "+
			"`go test ./albef/data -run Parity` shows\n", c)
		return nil
	}
	return o.equalQuery(ctx, c)
}

// load is the machine's load over the last 1, 5 and 15 minutes, a line.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown\n"
	}
	return string(raw)
}

// command is the command line of a PyTorch peer; which says whose code, and what
// else it is to do.
func (o options) command(c contest, which ...string) []string {
	args := []string{o.python, filepath.Join(o.scripts, "queries.py"), c.work, "--shape", asJSON(c.shape)}
	if c.work == "step" {
		args = []string{o.python, filepath.Join(o.scripts, "step.py")}
	}
	args = append(args, which...)
	return append(args, "--config", sizes(c.config), "--batch", strconv.Itoa(c.batch), "--dtype", c.dtype, "--threads", strconv.Itoa(c.threads), "--device", c.device.String())
}

// sizes is the configuration as the scripts read it.
func sizes(c albef.Config) string { return asJSON(c) }

func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers, strings and lists of them
	}
	return string(raw)
}
