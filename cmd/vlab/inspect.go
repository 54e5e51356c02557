//go:build !front

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"unsafe"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// inspection is what vlab inspect tells of a checkpoint.
type inspection struct {
	File      string         `json:"file"`
	FileBytes int64          `json:"file_bytes"`
	Kind      kind           `json:"kind"`
	Epoch     int            `json:"epochs_done"`
	Step      int            `json:"steps_into_epoch"`
	Optimizer bool           `json:"optimizer"`
	Words     int            `json:"own_vocabulary"` // 0: bert-base-uncased
	Tensors   int            `json:"tensors"`
	Params    int            `json:"params"` // tied names counted once
	DTypes    map[string]int `json:"dtypes"` // tensors of each
	Parts     []part         `json:"parts"`
	Sizes     *albef.Config  `json:"sizes"`         // null where they can't be read
	Guessed   bool           `json:"heads_guessed"` // weights don't tell heads: where the file doesn't either, they are the official choice
	TrainedOn []string       `json:"trained_on"`    // train_file of the config in the file
	As        string         `json:"as"`            // the task whose model is made of it
	Load      *loading       `json:"load"`
	Refused   string         `json:"refused"` // why that model can't be made of it, or ""
}

// part is what a checkpoint holds under one first name, such as visual_encoder.
type part struct {
	Name    string `json:"name"`
	Tensors int    `json:"tensors"`
	Params  int    `json:"params"`
}

// loading is what becomes of each name when the model is made.
type loading struct {
	Loaded   int      `json:"loaded"`
	Missing  []string `json:"missing"`
	LeftOver []string `json:"left_over"`
}

func runInspect(_ context.Context, e env, args []string) error {
	f := newFlags(e, "inspect", "CHECKPOINT [--as TASK] [--json]")
	as := f.String("as", "", "the `task` whose model is made of it: "+strings.Join(taskNames(), ", ")+"; without, its own")
	asJSON := f.Bool("json", false, "print one JSON object")
	files, err := f.parse(args, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{"inspect: no checkpoint", "vlab inspect FILE, a .pth or a .safetensors"}
	}
	if *as != "" && !slices.Contains(taskNames(), *as) {
		return &usageError{fmt.Sprintf("inspect: no task %q", *as), "one of " + strings.Join(taskNames(), ", ")}
	}
	found, err := inspect(files[0], *as)
	if err != nil {
		return err
	}
	if *asJSON {
		return printJSON(e.stdout, found)
	}
	found.print(e.stdout)
	return nil
}

// taskNames lists the tasks that a checkpoint may be loaded for.
func taskNames() []string { return append([]string{pretrainTask}, task.Names()...) }

func inspect(path, as string) (*inspection, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	ck, err := train.ReadCheckpoint(path)
	if err != nil {
		return nil, err
	}
	defer ck.Drop()
	out := &inspection{
		File: path, FileBytes: info.Size(), Kind: kindOf(ck.State), Optimizer: ck.Optimizer != nil, Words: len(ck.Vocab),
		Epoch: ck.At.Epoch, Step: ck.At.Step, Tensors: ck.State.Len(), DTypes: map[string]int{}, As: as,
		TrainedOn: append([]string{}, ck.TrainedOn...),
	}
	if as == "" {
		out.As = out.Kind.task()
	}
	out.count(ck.State)
	if sizes, err := albef.ConfigOf(ck.State, ck.Model); err == nil {
		out.Sizes, out.Guessed = &sizes, ck.Model.Heads == 0
	}
	if out.As == "" {
		out.Refused = "no task's checkpoint"
	} else if err := out.tryLoad(ck); err != nil {
		out.Refused = err.Error()
	}
	return out, nil
}

// count fills in what the tensors sum up to.
func (i *inspection) count(state *weights.Dict) {
	seen := map[*byte]bool{}
	at := map[string]int{}
	for name, t := range state.All() {
		i.DTypes[t.DType.String()]++
		first, _, _ := strings.Cut(name, ".")
		if _, ok := at[first]; !ok {
			at[first] = len(i.Parts)
			i.Parts = append(i.Parts, part{Name: first})
		}
		p := &i.Parts[at[first]]
		p.Tensors++
		data := unsafe.SliceData(t.Data)
		if data != nil && seen[data] {
			continue // tied
		}
		seen[data] = true
		p.Params += t.Numel()
		i.Params += t.Numel()
	}
}

// tryLoad makes the model of a task of it.
func (i *inspection) tryLoad(ck *train.Checkpoint) error {
	report, err := task.TryLoad(i.As, ck)
	var missing *albef.MissingError
	if err == nil || errors.As(err, &missing) {
		i.Load = &loading{len(report.Loaded), append([]string{}, report.Missing...), append([]string{}, report.Unexpected...)}
	}
	return err
}

func (i *inspection) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", i.File, i.Kind)
	fmt.Fprintf(w, "  file        %s\n", byteText(i.FileBytes))
	fmt.Fprintf(w, "  holds       %d tensors, %s numbers (%s)", i.Tensors, countText(i.Params), dtypeText(i.DTypes))
	if i.Optimizer {
		fmt.Fprint(w, ", optimizer state")
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "  trained     %d epochs and %d steps, as far as the file says\n", i.Epoch, i.Step)
	if len(i.TrainedOn) > 0 {
		fmt.Fprintf(w, "              on %s\n", strings.Join(i.TrainedOn, ", "))
	}
	if c := i.Sizes; c != nil {
		fmt.Fprintf(w, "  pictures    %d px, patches of %d px, stem %s; ViT %d wide, %d deep, %d heads\n",
			c.ImageRes, c.PatchSize, c.Stem, c.VisionWidth, c.VisionDepth, c.VisionHeads)
		fmt.Fprintf(w, "  texts       %d words; %d wide, %d layers, fusion from %d, %d heads, norms %s\n",
			c.VocabSize, c.Hidden, c.Layers, c.FusionLayer, c.Heads, c.Norms)
	}
	if i.Sizes != nil && i.Guessed {
		fmt.Fprintf(w, "  heads       guessed, as weights don't tell them: channels / 64\n")
	}
	if i.Words > 0 {
		fmt.Fprintf(w, "  vocabulary  its own, %d words\n", i.Words)
	}
	fmt.Fprintln(w, "  parts")
	for _, p := range i.Parts {
		fmt.Fprintf(w, "    %-20s %5d tensors  %10s\n", p.Name, p.Tensors, countText(p.Params))
	}
	i.printLoad(w)
}

func (i *inspection) printLoad(w io.Writer) {
	if i.Load != nil {
		fmt.Fprintf(w, "  for %-7s %d loaded, %d missing, %d left over\n", i.As, i.Load.Loaded, len(i.Load.Missing), len(i.Load.LeftOver))
		if n := len(i.Load.Missing); n > 0 && i.Refused == "" {
			fmt.Fprintln(w, "              what is missing is needed for training alone, and made anew")
		}
		printNames(w, "missing", i.Load.Missing)
		printNames(w, "left over", i.Load.LeftOver)
	}
	if i.Refused != "" {
		fmt.Fprintf(w, "  refused     %s\n", strings.TrimPrefix(fmt.Sprintf("for %s: %s", i.As, i.Refused), "for : "))
	}
}

// printNames lists names, those of one part in one line.
func printNames(w io.Writer, what string, names []string) {
	count := map[string]int{}
	first := map[string]string{}
	for _, name := range names {
		part, _, _ := strings.Cut(name, ".")
		if count[part]++; count[part] == 1 {
			first[part] = name
		}
	}
	for _, part := range slices.Sorted(maps.Keys(count)) {
		more := ""
		if n := count[part] - 1; n > 0 {
			more = fmt.Sprintf(" and %d more of %s", n, part)
		}
		fmt.Fprintf(w, "    %-9s %s%s\n", what, first[part], more)
	}
}

func dtypeText(dtypes map[string]int) string {
	parts := make([]string, 0, len(dtypes))
	for _, name := range slices.Sorted(maps.Keys(dtypes)) {
		parts = append(parts, fmt.Sprintf("%d %s", dtypes[name], name))
	}
	return strings.Join(parts, ", ")
}

func countText(n int) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f k", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f M", float64(n)/1e6)
}

func byteText(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
