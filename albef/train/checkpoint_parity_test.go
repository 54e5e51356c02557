package train_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"

	"github.com/google/go-cmp/cmp"
)

// checkpointFile is what the official code wrote after three steps.
const checkpointFile = "checkpoint_00.pth"

// readCheckpoint reads the values and the weights of a checkpoint.
func readCheckpoint(t *testing.T, path string) (root *weights.OrderedMap, state *weights.Dict) {
	t.Helper()
	v, err := weights.ReadPTH(path)
	if err != nil {
		t.Fatal(err)
	}
	if state, err = weights.StateDict(v); err != nil {
		t.Fatal(err)
	}
	return v.(*weights.OrderedMap), state
}

// groups returns the parameter groups of an optimiser's state.
func groups(t *testing.T, optimizer *weights.OrderedMap) (out []*weights.OrderedMap) {
	t.Helper()
	v, _ := optimizer.Get("param_groups")
	list, ok := v.(*weights.List)
	if !ok {
		t.Fatalf("param_groups is %T, want a list", v)
	}
	for _, group := range list.Items {
		out = append(out, group.(*weights.OrderedMap))
	}
	return out
}

// checkValues compares what we write with what the official code wrote under the
// same keys.
func checkValues(t *testing.T, what string, got, want *weights.OrderedMap) {
	t.Helper()
	for key, v := range got.All() {
		official, _ := want.Get(key)
		if diff := cmp.Diff(official, v); diff != "" {
			t.Errorf("%s, %v (-want +got):\n%s", what, key, diff)
		}
	}
}

func TestParityCheckpointIsReadAndContinued(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	m.SetSampler(top1)
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	root, state := readCheckpoint(t, filepath.Join(fixture.Dir(t), checkpointFile))
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	if err := opt.LoadState(root.Map("optimizer")); err != nil {
		t.Fatal(err)
	}
	saved := groups(t, root.Map("optimizer"))
	for i, group := range groups(t, opt.State(lr)) {
		checkValues(t, fmt.Sprint("group ", i), group, saved[i])
	}
	want := load(t).ResumeStep3
	err := torch.Do(func(s *torch.Scope) {
		checkStep(t, s, m, 3, want, allowedAt(0), whole)
		opt.Step(s, lr)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkDigests(t, m, want.Digest, 5e-6, 1)
}

// TestParityCheckpointSchedule writes the schedule that the official checkpoint
// tells.
func TestParityCheckpointSchedule(t *testing.T) {
	root, state := readCheckpoint(t, filepath.Join(fixture.Dir(t), checkpointFile))
	want := root.Map("lr_scheduler")
	number := func(key string) float64 {
		v, _ := want.Get(key)
		n, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		return n
	}
	schedule := train.Schedule{
		LR: lr, MinLR: number("lr_min"), Epochs: int(number("t_initial")),
		WarmupLR: number("warmup_lr_init"), WarmupEpochs: int(number("warmup_t")),
	}
	path := filepath.Join(t.TempDir(), train.LastName)
	if err := (&train.Checkpoint{State: state, Optimizer: root.Map("optimizer")}).Write(path, schedule, nil); err != nil {
		t.Fatal(err)
	}
	ours, _ := readCheckpoint(t, path)
	checkValues(t, "lr_scheduler", ours.Map("lr_scheduler"), want)
}

// TestParityCheckpointSizes compares the sizes that weights tell with those
// that the official model was made with.
func TestParityCheckpointSizes(t *testing.T) {
	root, state := readCheckpoint(t, filepath.Join(fixture.Dir(t), checkpointFile))
	c := fixture.Config(t, state)
	for key, got := range map[string]any{
		"hidden": c.Hidden, "inter": c.Intermediate, "max_pos": c.MaxPositions, "bert_heads": c.Heads, "layers": c.Layers,
		"fusion": c.FusionLayer, "vocab": c.VocabSize, "vision_width": c.VisionWidth, "vit_depth": c.VisionDepth,
		"vit_heads": c.VisionHeads, "image_res": c.ImageRes, "embed_dim": c.EmbedDim, "queue_size": c.QueueSize,
		"mlm_probability": c.MaskProb, "temp": c.Temperature, "momentum": c.MomentumDecay,
	} {
		if want, _ := root.Map("config").Get(key); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}
