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
			Asked  string `json:"question_type"`
			Kind   string `json:"answer_type"`
		}
		Accuracy struct {
			Overall float64
			Asked   map[string]float64 `json:"perQuestionType"`
			Kinds   map[string]float64 `json:"perAnswerType"`
		}
		Each map[string]float64 `json:"evalQA"`
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

// half is what rounding takes from the official figures, which have two places.
const half = 0.005 + 1e-9

// accuracies are those of questions by a name that several have in common.
type accuracies map[string][]float64

func (a accuracies) add(name string, value float64) { a[name] = append(a[name], value) }

func (a accuracies) check(t *testing.T, what string, want map[string]float64) {
	t.Helper()
	if len(a) != len(want) {
		t.Errorf("%s: got %d means, want %d", what, len(a), len(want))
	}
	for name, values := range a {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		w, ok := want[name]
		if got := sum / float64(len(values)); !ok || math.Abs(got-w) > half {
			t.Errorf("%s %q: got %g, want %g", what, name, got, w)
		}
	}
}

func TestParityVQAAccuracy(t *testing.T) {
	var want vqaEvaluation
	fixture.JSON(t, "vqa.json", &want)
	overall, asked, kinds := accuracies{}, accuracies{}, accuracies{}
	for _, item := range want.Eval.Items {
		got := 100 * task.VQAAccuracy(item.Answer, item.Given)
		if w := want.Eval.Each[strconv.Itoa(item.ID)]; math.Abs(got-w) > half {
			t.Errorf("question %d, %q beside %q: got %g, want %g", item.ID, item.Answer, item.Given, got, w)
		}
		overall.add("all", got)
		asked.add(item.Asked, got)
		kinds.add(item.Kind, got)
	}
	overall.check(t, "questions", map[string]float64{"all": want.Eval.Accuracy.Overall})
	asked.check(t, "question type", want.Eval.Accuracy.Asked)
	kinds.check(t, "answer type", want.Eval.Accuracy.Kinds)
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
