package task_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vlab/albef/internal/fixture"
	"vlab/albef/task"
)

// vqaEvaluation is what the official evaluation gave.
type vqaEvaluation struct {
	Normalise [][2]string `json:"vqa_eval_normalise"`
	Eval      struct {
		Items []struct {
			ID     int      `json:"question_id"`
			Given  []string `json:"gt_answers"`
			Answer string
		}
		Accuracy struct{ Overall float64 }
		Each     map[string]float64 `json:"evalQA"`
	} `json:"vqa_eval"`
}

func TestParityVQANormalisesAnswers(t *testing.T) {
	var want vqaEvaluation
	fixture.JSON(t, "vqa.json", &want)
	if len(want.Normalise) == 0 {
		t.Fatal("no answers are recorded")
	}
	for _, pair := range want.Normalise {
		if got := task.NormaliseAnswer(pair[0]); got != pair[1] {
			t.Errorf("%q: got %q, want %q", pair[0], got, pair[1])
		}
	}
}

func TestParityVQAAccuracy(t *testing.T) {
	var want vqaEvaluation
	fixture.JSON(t, "vqa.json", &want)
	const half = 0.005 + 1e-9 // the official figures are rounded to two places
	sum := 0.0
	for _, item := range want.Eval.Items {
		got := 100 * task.VQAAccuracy(item.Answer, item.Given)
		if w := want.Eval.Each[strconv.Itoa(item.ID)]; math.Abs(got-w) > half {
			t.Errorf("question %d, %q beside %q: got %g, want %g", item.ID, item.Answer, item.Given, got, w)
		}
		sum += got
	}
	if got := sum / float64(len(want.Eval.Items)); math.Abs(got-want.Eval.Accuracy.Overall) > half {
		t.Errorf("overall: got %g, want %g", got, want.Eval.Accuracy.Overall)
	}
}

// TestContractions compares the table with that of a checkout of the official
// code.
func TestContractions(t *testing.T) {
	dir := os.Getenv("ALBEF_OFFICIAL")
	if dir == "" {
		t.Skip("ALBEF_OFFICIAL names no checkout of the official code")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "vqaTools", "vqaEval.py"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "self.contractions = ")
	table, _, _ = strings.Cut(table, "}")
	var want map[string]string
	if err := json.Unmarshal([]byte(table+"}"), &want); err != nil {
		t.Fatal(err)
	}
	for from, to := range want {
		if from != strings.ToLower(from) { // nothing that is looked up has capitals
			continue
		}
		if got := task.NormaliseAnswer(from); got != to {
			t.Errorf("%q: got %q, want %q", from, got, to)
		}
	}
}

// TestVQAAccuracyOfFewAnswers shows what official_quirks leaves out: a single
// answer has no others that could agree with it.
func TestVQAAccuracyOfFewAnswers(t *testing.T) {
	for _, tt := range []struct {
		said           string
		given          []string
		want, official float64
	}{
		{"2", []string{"2"}, 1, 0},
		{"two", []string{"2"}, 1, 0},
		{"3", []string{"2"}, 0, 0},
		{"yes", []string{"yes", "no"}, 1, 1. / 6},
		{"yes", nil, 0, 0},
	} {
		if got := task.VQAAccuracy(tt.said, task.RepeatAnswers(tt.given)); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%q beside %q: got %g, want %g", tt.said, tt.given, got, tt.want)
		}
		if got := task.VQAAccuracy(tt.said, tt.given); math.Abs(got-tt.official) > 1e-9 {
			t.Errorf("%q beside %q, officially: got %g, want %g", tt.said, tt.given, got, tt.official)
		}
	}
}

// TestNormaliseAnswerDrops32Stops: the official code passes a flag in the place
// of the count.
func TestNormaliseAnswerDrops32Stops(t *testing.T) {
	if got := task.NormaliseAnswer(strings.Repeat("b.", 40)); got != strings.Repeat("b", 33)+strings.Repeat(".b", 7)+"." {
		t.Errorf("got %q", got)
	}
}
