package lab_test

import (
	"errors"
	"image"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// asker opens an untrained VQA model of the scenes' size and words, that chooses
// among answers; none: it writes.
func asker(t *testing.T, answers ...string) *lab.Model {
	t.Helper()
	tok, vocab, err := task.SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	c := albef.Tiny()
	c.VocabSize = tok.Size()
	core, err := albef.NewVQA(c, torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	opt := train.NewAdamW(core, 0)
	defer opt.Close()
	path := filepath.Join(t.TempDir(), "vqa.pth")
	ck := &train.Checkpoint{State: core.State(), Optimizer: opt.State(1e-3), Model: core.Config(), Vocab: vocab}
	if len(answers) > 0 {
		ck.Note = map[string]string{task.AnswersNote: strings.Join(answers, "\n")}
	}
	config := train.DefaultConfig()
	if err := ck.Write(path, config.Schedule(), config); err != nil {
		t.Fatal(err)
	}
	m, err := lab.Open(path, lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestAnswer(t *testing.T) {
	m := asker(t, "yes", "no", "red")
	picture := image.NewRGBA(image.Rect(0, 0, 20, 30))
	for _, tt := range []struct {
		name string
		own  []string
		want []string // in any order
	}{
		{"the model's list", nil, []string{"yes", "no", "red"}},
		{"another list", []string{"circle", "blue square"}, []string{"circle", "blue square"}},
	} {
		got, err := m.Answer(t.Context(), picture, "is there a circle?", tt.own...)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var said []string
		sum := 0.0
		for i, h := range got.Hits {
			said, sum = append(said, h.Answer), sum+h.Probability
			if h.Rank != i+1 || i > 0 && h.Probability > got.Hits[i-1].Probability {
				t.Errorf("%s: %+v out of order", tt.name, got.Hits)
			}
		}
		if best := got.Best(); best != said[0] || got.Written {
			t.Errorf("%s: got best answer %q of %v, written: %v", tt.name, best, said, got.Written)
		}
		slices.Sort(said)
		slices.Sort(tt.want)
		if !slices.Equal(said, tt.want) || math.Abs(sum-1) > 1e-6 {
			t.Errorf("%s: got answers %v of probability %g together, want %v and 1", tt.name, said, sum, tt.want)
		}
		if got.Image() == nil || !strings.Contains(got.String(), "is there a circle?\n   1 ") {
			t.Errorf("%s: it shows as %q", tt.name, got)
		}
	}
}

func TestAnswerWritesWithoutAList(t *testing.T) {
	got, err := asker(t).Answer(t.Context(), image.NewRGBA(image.Rect(0, 0, 20, 30)), "what is the zebra?")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Written || len(got.Hits) != 3 || !(got.Hits[0].Probability > 0 && got.Hits[0].Probability < 1) {
		t.Errorf("got %+v, want three written answers", got)
	}
	if !slices.Equal(got.Unknown, []string{"zebra"}) {
		t.Errorf("unknown words: got %v, want zebra", got.Unknown)
	}
}

func TestAnswerErrors(t *testing.T) {
	m, closed := asker(t, "yes"), asker(t, "yes")
	closed.Close()
	picture := image.NewRGBA(image.Rect(0, 0, 20, 30))
	for _, tt := range []struct {
		model    *lab.Model
		picture  image.Image
		question string
		want     string
	}{
		{tiny(t), picture, "what is it?", "answer: in training was trained for another task"},
		{m, picture, " ?", `question " ?" has no words`},
		{m, picture, strings.Repeat("red ", 1000), "tokens, the model reads up to"},
		{m, nil, "what is it?", "no picture"},
		{closed, picture, "what is it?", "the model is closed"},
		{nil, picture, "what is it?", "no model"},
	} {
		_, err := tt.model.Answer(t.Context(), tt.picture, tt.question)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20q: got %v, want %q", tt.question, err, tt.want)
		}
	}
	_, err := m.Ground(t.Context(), picture, "a circle")
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(err.Error(), "another task") || hinted.Hint() == "" {
		t.Errorf("grounding with a VQA model: got %v, want an error with a hint", err)
	}
}
