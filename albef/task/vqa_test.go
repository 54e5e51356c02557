package task_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vlab/albef/scenes"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
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

// vqaAnswer is a line of the result file.
type vqaAnswer struct {
	QuestionID int64 `json:"question_id"`
	Answer     string
}

func readResult(t *testing.T, dir string, epoch int) []vqaAnswer {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "result", fmt.Sprintf("vqa_result_epoch%d.json", epoch)))
	if err != nil {
		t.Fatal(err)
	}
	var answers []vqaAnswer
	if err := json.Unmarshal(raw, &answers); err != nil {
		t.Fatal(err)
	}
	return answers
}

func TestVQALearns(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	corpus := t.TempDir()
	if err := scenes.Write(t.Context(), corpus, 700, 9, 64, nil); err != nil {
		t.Fatal(err)
	}
	run := task.Run{
		Config: config(t, fmt.Sprintf(vqaOnScenes, corpus)), Dir: t.TempDir(), Device: torch.CPU,
		Checkpoint: demoModel, Logger: quiet, Evaluate: true,
	}
	before, err := task.VQA(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	run.Evaluate = false
	after, err := task.VQA(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("VQA accuracy: %.1f %% before, %.1f %% after, the best constant answer %.1f %%",
		before["test_acc"], after["test_acc"], after["test_majority"])
	if after["test_acc"] < max(before["test_acc"], after["test_majority"])+8 {
		t.Error("want 8 more than before and than the constant answer")
	}
	ranked := readResult(t, run.Dir, 0)
	if len(ranked) == 0 || ranked[0].QuestionID == 0 {
		t.Errorf("the result file holds %d answers, the first %+v", len(ranked), ranked)
	}

	// What was trained to rank writes the same answers freely, nearly always.
	run.Evaluate, run.Checkpoint = true, filepath.Join(run.Dir, train.LastName)
	if err := run.Config.Set("inference", "generate"); err != nil {
		t.Fatal(err)
	}
	if _, err := task.VQA(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	same := 0
	for i, a := range readResult(t, run.Dir, 0) {
		if a == ranked[i] {
			same++
		}
	}
	if same < len(ranked)*4/5 {
		t.Errorf("%d of %d generated answers are those that ranking chose, want four of five", same, len(ranked))
	}
}

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
