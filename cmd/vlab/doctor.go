//go:build !front

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"vlab/albef/lab"
	"vlab/albef/torch"
	"vlab/repl/session"
)

// finding is what came of one check.
type finding struct {
	Name   string `json:"name"`
	State  state  `json:"state"`
	Detail string `json:"detail"`
	Hint   string `json:"hint"` // what to do, or ""
}

// state says how a check ended.
type state string

// The states: missing things are not needed by everybody.
const (
	works   state = "works"
	missing state = "missing"
	broken  state = "broken"
)

func runDoctor(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "doctor", "[--json]")
	asJSON := f.Bool("json", false, "print one JSON object")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	findings := examine(ctx)
	ok := !slices.ContainsFunc(findings, func(one finding) bool { return one.State == broken })
	if *asJSON {
		if err := printJSON(e.stdout, map[string]any{"ok": ok, "checks": findings}); err != nil {
			return err
		}
	} else {
		printFindings(e.stdout, findings)
	}
	if !ok {
		return errors.New("doctor: something is broken")
	}
	return nil
}

// examine runs all checks, one after another.
func examine(ctx context.Context) []finding {
	checks := []func(context.Context) finding{
		checkBinary, checkTorch, checkCUDA, checkGraphs, checkModel, checkSession, checkKernel, checkTerminal,
	}
	out := make([]finding, len(checks))
	for i, check := range checks {
		out[i] = check(ctx)
	}
	return out
}

func printFindings(w io.Writer, findings []finding) {
	for _, one := range findings {
		fmt.Fprintf(w, "%-8s %-9s %s\n", one.State, one.Name, one.Detail)
		if one.Hint != "" {
			fmt.Fprintf(w, "%19s%s\n", "hint: ", one.Hint)
		}
	}
}

func checkBinary(context.Context) finding {
	return finding{"vlab", works, build(), ""}
}

// checkTorch multiplies two matrices.
func checkTorch(context.Context) finding {
	got := 0.0
	err := torch.Do(func(s *torch.Scope) {
		a := s.Floats([]float32{1, 2, 3, 4}, 2, 2)
		got = a.MatMul(a).Sum().Item()
	})
	if err == nil && got != 54 {
		err = fmt.Errorf("a product of two matrices sums up to %v, not to 54", got)
	}
	if err != nil {
		return finding{"libtorch", broken, err.Error(), "make setup fetches libtorch anew"}
	}
	return finding{"libtorch", works, fmt.Sprintf("%s in %s, %s, %d threads", torch.Version(), torch.LibDir(), torch.CPUCapability(), torch.Threads()), ""}
}

func checkCUDA(context.Context) finding {
	cuda := torch.LoadCUDA()
	if cuda.Devices > 0 {
		cards := make([]string, 0, len(cuda.Cards))
		for i, card := range cuda.Cards {
			cards = append(cards, fmt.Sprintf("cuda:%d %s of %d GiB", i, cmp.Or(card.Name, "a card without a name"), card.Memory>>30))
		}
		return finding{"cuda", works, fmt.Sprintf("%s, through %s", strings.Join(cards, "; "), cuda.Library), ""}
	}
	hint := "needed for training on a GPU only: make setup CUDA=1 fetches the libraries"
	if cuda.Library != "" {
		hint = "needed for training on a GPU only: nvidia-smi tells whether the driver sees one"
	}
	return finding{"cuda", missing, fmt.Sprint(cuda.Err), hint}
}

// checkGraphs tells whether libtorch's CUDA half has what recording a step takes.
func checkGraphs(context.Context) finding {
	cuda := torch.LoadCUDA()
	switch {
	case cuda.Library == "":
		return finding{"graphs", missing, "CUDA graphs come with libtorch's CUDA half, which isn't loaded", "needed for training on a GPU only: see cuda"}
	case cuda.Graphs != nil:
		return finding{"graphs", missing, cuda.Graphs.Error(), "training steps run unrecorded then; make setup CUDA=1 fetches a libtorch that has it"}
	}
	return finding{"graphs", works, "training steps can be recorded as CUDA graphs", ""}
}

// checkModel opens the embedded model.
func checkModel(context.Context) finding {
	m, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		return finding{"model", broken, err.Error(), ""}
	}
	defer m.Close()
	return finding{"model", works, m.String(), ""}
}

// checkSession runs a cell.
func checkSession(ctx context.Context) finding {
	began := time.Now()
	s, err := session.Start(ctx, session.Options{})
	if err != nil {
		return finding{"session", broken, err.Error(), ""}
	}
	defer s.Close()
	ready := time.Since(began)
	res, err := s.Eval(ctx, "20 + 22", nil)
	if got := fmt.Sprint(res.Data["text/plain"]); err == nil && got != "42" {
		err = fmt.Errorf("20 + 22 is %s", got)
	}
	if err != nil {
		return finding{"session", broken, err.Error(), ""}
	}
	return finding{"session", works, fmt.Sprintf("ready after %d ms", ready.Milliseconds()), ""}
}

// checkKernel asks Jupyter whether it knows the kernel.
func checkKernel(ctx context.Context) finding {
	const install = "vlab kernel install --user, or --sys-prefix in Jupyter's environment"
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	raw, err := exec.CommandContext(ctx, "jupyter", "kernelspec", "list", "--json").Output()
	if err != nil {
		return finding{
			"kernel", missing, fmt.Sprintf("ask jupyter for its kernels: %v", err),
			"needed for notebooks only: pip install jupyterlab, then " + install,
		}
	}
	var list struct {
		Kernelspecs map[string]struct {
			Dir  string `json:"resource_dir"`
			Spec struct {
				Argv []string `json:"argv"`
			} `json:"spec"`
		} `json:"kernelspecs"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return finding{"kernel", broken, fmt.Sprintf("read what jupyter says of its kernels: %v", err), ""}
	}
	for _, name := range slices.Sorted(maps.Keys(list.Kernelspecs)) {
		k := list.Kernelspecs[name]
		argv := k.Spec.Argv
		if len(argv) < 3 || argv[1] != "kernel" || argv[2] != "run" {
			continue
		}
		if _, err := os.Stat(argv[0]); err != nil {
			return finding{"kernel", broken, fmt.Sprintf("%s starts a binary that is gone: %v", k.Dir, err), install}
		}
		return finding{"kernel", works, fmt.Sprintf("%s in %s", name, k.Dir), ""}
	}
	return finding{"kernel", missing, "jupyter knows no kernel that is vlab", install}
}

// checkTerminal tells how pictures will look in vlab repl.
func checkTerminal(context.Context) finding {
	colour, term := os.Getenv("COLORTERM"), os.Getenv("TERM")
	switch {
	case columnsOf(os.Stdout) == 0:
		return finding{"terminal", missing, "standard output is none", "needed for vlab repl only"}
	case colour == "truecolor" || colour == "24bit":
		return finding{"terminal", works, "pictures in half blocks of 24-bit colour", ""}
	case strings.Contains(term, "256color"):
		return finding{"terminal", works, "pictures in half blocks of 256 colours", "COLORTERM=truecolor where the terminal has 24-bit colour"}
	}
	return finding{"terminal", missing, fmt.Sprintf("TERM=%s has no colours for pictures", term), "set COLORTERM=truecolor where the terminal has 24-bit colour"}
}
