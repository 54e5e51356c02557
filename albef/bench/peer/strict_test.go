package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// official is a small configuration that the official classes can have: their
// patches, norms and keys.
func official() albef.Config {
	c := albef.Base()
	c.ImageRes, c.VisionWidth, c.VisionDepth, c.VisionHeads, c.VisionMLP = 64, 32, 2, 2, 128
	c.Hidden, c.Intermediate, c.Layers, c.FusionLayer, c.Heads = 32, 64, 5, 2, 2
	c.VocabSize, c.MaxPositions, c.EmbedDim, c.QueueSize = 120, 40, 16, 8
	return c
}

// TestCheckpointsLoadIntoTheOfficialClasses writes a checkpoint of every task's
// model and has the official code load it strictly, with the optimiser's state.
func TestCheckpointsLoadIntoTheOfficialClasses(t *testing.T) {
	dir := os.Getenv("ALBEF_OFFICIAL")
	if dir == "" {
		t.Skip("ALBEF_OFFICIAL names no checkout of the official code")
	}
	c := official()
	args := []string{"strict.py", dir, sizes(c)}
	moved := map[string]int{}
	for _, kind := range []struct {
		name string
		make func() (module, error)
	}{
		{"pretrain", func() (module, error) { return albef.New(c, torch.CPU, 1) }},
		{"retrieval", func() (module, error) { return albef.NewRetrieval(c, torch.CPU, 1) }},
		{"vqa", func() (module, error) { return albef.NewVQA(c, torch.CPU, 1) }},
		{"ve", func() (module, error) { return albef.NewVE(c, torch.CPU, 1) }},
		{"nlvr", func() (module, error) { return albef.NewNLVR(c.ForPairs(), torch.CPU, 1) }},
		{"pretrain_nlvr", func() (module, error) { return albef.NewTA(c.ForPairs(), torch.CPU, 1) }},
	} {
		m, err := kind.make()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), kind.name+".pth")
		moved[kind.name] = write(t, path, m)
		m.Close()
		args = append(args, kind.name+"="+path)
	}
	cmd := exec.CommandContext(t.Context(), python(t), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	for line := range strings.Lines(out.String()) {
		var got struct {
			Kind    string `json:"kind"`
			Tensors int    `json:"tensors"`
			InOrder bool   `json:"in_order"`
			Moments int    `json:"moments"`
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		t.Logf("%s: %d tensors load strictly, and the state of %d parameters", got.Kind, got.Tensors, got.Moments)
		if want := moved[got.Kind]; got.Moments != want || !got.InOrder {
			t.Errorf("%s: the state of %d parameters, want %d; names in the official order: %v", got.Kind, got.Moments, want, got.InOrder)
		}
		delete(moved, got.Kind)
	}
	if len(moved) > 0 {
		t.Errorf("nothing is told of %v", moved)
	}
}

// module is a task's model.
type module interface {
	train.Model
	Close()
}

// write saves a model after one step of the optimiser, and returns how many
// parameters it moved.
func write(t *testing.T, path string, m module) int {
	t.Helper()
	opt := train.NewAdamW(m, 0.02)
	defer opt.Close()
	plain, decayed := m.Trained()
	err := torch.Do(func(s *torch.Scope) {
		var sum *torch.Tensor
		for _, p := range slices.Concat(plain, decayed) {
			one := s.Use(p.Tensor).Sum()
			if sum == nil {
				sum = one
			}
			sum = sum.Add(one)
		}
		sum.Backward()
		opt.Step(s, 1e-4)
	})
	if err != nil {
		t.Fatal(err)
	}
	config := train.DefaultConfig()
	ck := &train.Checkpoint{State: m.State(), Optimizer: opt.State(1e-4), Model: m.Config()}
	if err := ck.Write(path, config.Schedule(), config); err != nil {
		t.Fatal(err)
	}
	return len(plain) + len(decayed)
}

// python is one that has what the official code needs; it is installed where it
// isn't there.
func python(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "./setup.sh")
	cmd.Env = append(os.Environ(), "PYTHON=python3")
	cmd.Stderr = os.Stderr
	path, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(path))
}
