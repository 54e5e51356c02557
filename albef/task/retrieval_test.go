package task_test

import (
	"errors"
	"fmt"
	"testing"

	"vlab/albef/scenes"
	"vlab/albef/task"
	"vlab/albef/torch"
)

const demoModel = "../lab/demo/demo.safetensors"

// retrievalOnScenes is a run on a drawn corpus.
const retrievalOnScenes = `
train_file: [%[1]s/retrieval_train.json]
test_file: %[1]s/retrieval_test.json
image_root: %[1]s
image_res: 32
batch_size_train: 32
batch_size_test: 16
queue_size: 128
k_test: 16
alpha: 0
optimizer: {opt: adamW, lr: 3e-4, weight_decay: 0.02}
schedular: {sched: cosine, epochs: 3, min_lr: 1e-6}
max_steps: 48
`

func TestRetrievalErrorsNameTheKey(t *testing.T) {
	corpus := t.TempDir()
	if err := scenes.Write(t.Context(), corpus, 10, 9, 16, nil); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ key, value, want string }{
		{"k_test", "0", "config: k_test is missing"},
		{"test_file", "", "config: neither val_file nor test_file says what to measure"},
		{"train_file", "", "config: train_file is missing"},
		{"official_quirks", "true", "config: k_test is 16, and test_file has 2 captions of 1 images"},
		{"accumulate", "3", "--set accumulate=3: accumulate is 3, and 4 pairs can't be cut into as many parts"},
		{"queue_size", "101", "batch: queue_size 101 is no multiple of the batch size 4"},
	} {
		c := config(t, fmt.Sprintf(retrievalOnScenes, corpus))
		if err := c.Set("batch_size_train", "4"); err != nil {
			t.Fatal(err)
		}
		if err := c.Set("official_quirks", fmt.Sprint(tt.key == "official_quirks")); err != nil {
			t.Fatal(err)
		}
		if err := c.Set(tt.key, tt.value); err != nil {
			t.Fatal(err)
		}
		run := task.Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet}
		_, err := task.Retrieval(t.Context(), run)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %s: got %v, want %q", tt.key, tt.value, err, tt.want)
		}
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || hinted.Hint() == "" {
			t.Errorf("%s: the error has no hint", tt.key)
		}
	}
}

// TestRetrievalInParts trains with the keys that pretraining has too.
func TestRetrievalInParts(t *testing.T) {
	corpus := t.TempDir()
	if err := scenes.Write(t.Context(), corpus, 40, 9, 32, nil); err != nil {
		t.Fatal(err)
	}
	run := task.Run{
		Config: config(t, fmt.Sprintf(retrievalOnScenes, corpus)+"accumulate: 4\ncheckpoint_activations: true\n"),
		Dir:    t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet,
	}
	if err := run.Config.Set("max_steps", "2"); err != nil {
		t.Fatal(err)
	}
	if _, err := task.Retrieval(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	for i, step := range losses(t, run.Dir) {
		if step["loss_ita"] <= 0 || step["loss_itm"] <= 0 {
			t.Errorf("step %d: losses %v", i+1, step)
		}
	}
}

// TestKeysThatATaskDoesNotKnow: no other task can be worked off in parts.
func TestKeysThatATaskDoesNotKnow(t *testing.T) {
	for key, value := range map[string]string{"accumulate": "2", "checkpoint_activations": "true"} {
		for _, name := range []string{"vqa", "ve", "nlvr", "pretrain-nlvr"} {
			c := config(t, "optimizer: {lr: 1e-4}\n")
			if err := c.Set(key, value); err != nil {
				t.Fatal(err)
			}
			_, err := task.Named(name)(t.Context(), task.Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet})
			want := fmt.Sprintf("--set %s=%s: this task has no %s", key, value, key)
			if err == nil || err.Error() != want {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
}
