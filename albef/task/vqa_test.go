package task_test

import (
	"errors"
	"fmt"
	"testing"

	"vlab/albef/scenes"
	"vlab/albef/task"
	"vlab/albef/torch"
)

const vqaOnScenes = `
train_file: [%[1]s/vqa_train.json]
test_file: [%[1]s/vqa_test.json]
answer_list: %[1]s/answer_list.json
vqa_root: %[1]s
image_res: 64
batch_size_train: 32
batch_size_test: 64
k_test: 23
alpha: 0.4
distill: false
optimizer: {opt: adamW, lr: 1e-3, weight_decay: 0.02}
schedular: {sched: cosine, epochs: 2, min_lr: 1e-5}
grad_clip: 1
max_steps: 60
`

func TestVQAErrorsNameTheKey(t *testing.T) {
	corpus := t.TempDir()
	if err := scenes.Write(t.Context(), corpus, 10, 9, 16, nil); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ key, value, want string }{
		{"k_test", "0", "config: k_test is missing"},
		{"answer_list", "", "config: answer_list is missing"},
		{"test_file", "", "config: neither val_file nor test_file says what to ask"},
		{"train_file", "", "config: train_file is missing"},
		{"answer_list", "none.json", "read answers: open none.json: no such file or directory"},
	} {
		c := config(t, fmt.Sprintf(vqaOnScenes, corpus))
		if err := c.Set(tt.key, tt.value); err != nil {
			t.Fatal(err)
		}
		run := task.Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet}
		_, err := task.VQA(t.Context(), run)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %s: got %v, want %q", tt.key, tt.value, err, tt.want)
		}
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || hinted.Hint() == "" {
			t.Errorf("%s: the error has no hint", tt.key)
		}
	}
	c := config(t, fmt.Sprintf(vqaOnScenes, corpus))
	for key, value := range map[string]string{"k_test": "24", "official_quirks": "true"} {
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	all := task.Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet, Evaluate: true}
	if _, err := task.VQA(t.Context(), all); err == nil || err.Error() != "config: k_test is 24, and answer_list has 23 answers" {
		t.Errorf("k_test above the list with official_quirks: got %v", err)
	}
	c = config(t, fmt.Sprintf(vqaOnScenes, corpus))
	for key, value := range map[string]string{"inference": "generate", "eos": "the end"} {
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	run := task.Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: demoModel, Logger: quiet, Evaluate: true}
	if _, err := task.VQA(t.Context(), run); err == nil || err.Error() != `config: eos "the end" is 2 tokens` {
		t.Errorf("an eos of two words: got %v", err)
	}
}
