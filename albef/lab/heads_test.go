package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/lab"
)

// TestDemoAnswersAllTasks asks the heads of the demo model about scenes that no
// training has seen, and untrained ones in their place.
func TestDemoAnswersAllTasks(t *testing.T) {
	m := demo(t)
	untrained, err := lab.Untrained(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer untrained.Close()
	set := lab.TestSet{N: 20, Seed: 3}
	for _, test := range []struct {
		task  string
		score func(m *lab.Model) (*lab.HeadScore, error)
		least float64
	}{
		{"vqa", func(m *lab.Model) (*lab.HeadScore, error) { return set.Questions(t.Context(), m) }, 0.9},
		{"ve", func(m *lab.Model) (*lab.HeadScore, error) { return set.Sentences(t.Context(), m) }, 0.85},
		{"nlvr", func(m *lab.Model) (*lab.HeadScore, error) { return set.Pairs(t.Context(), m) }, 0.85},
	} {
		if !m.Answers(test.task) {
			t.Errorf("%s: the demo model has no head", test.task)
		}
		got, err := test.score(m)
		if err != nil {
			t.Fatal(err)
		}
		chance, err := test.score(untrained)
		if err != nil {
			t.Fatal(err)
		}
		if got.Right < test.least || chance.Right > 0.7 || got.Tests < 40 || got.Majority <= 0 || got.Majority > 0.6 {
			t.Errorf("%s: got %v, want %.2f or more; untrained %v", test.task, got, test.least, chance)
		}
	}
	if m.Answers("retrieval") {
		t.Error("a head for retrieval")
	}
}

// TestHeadsAreSavedBesideTheirModel: one file answers as the finetuned model does,
// and is smaller than both.
func TestHeadsAreSavedBesideTheirModel(t *testing.T) {
	dir := t.TempDir()
	run, err := lab.Finetune(t.Context(), "ve", lab.Config{
		Dir: filepath.Join(dir, "run"), Steps: 2, Set: map[string]string{"freeze": "[visual_encoder.*]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	m := demo(t)
	path, alone := filepath.Join(dir, "both.safetensors"), filepath.Join(dir, "ve.safetensors")
	if err := m.Save(path, run.Model()); err != nil {
		t.Fatal(err)
	}
	if err := run.Model().Save(alone); err != nil {
		t.Fatal(err)
	}
	both, err := lab.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	finetuned, err := lab.Open(alone)
	if err != nil {
		t.Fatal(err)
	}
	defer finetuned.Close()
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	for _, text := range []string{"there is no dog", "a red circle left of a blue square"} {
		got, err := both.Entails(t.Context(), img, text)
		if err != nil {
			t.Fatal(err)
		}
		want, err := finetuned.Entails(t.Context(), img, text)
		if err != nil || got.String() != want.String() {
			t.Errorf("got %v, want %v (%v)", got, want, err)
		}
	}
	if both.Answers("vqa") || !both.Answers("ve") {
		t.Error("the file answers other tasks than were saved")
	}
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if err := m.Save(filepath.Join(dir, "m.safetensors")); err != nil {
		t.Fatal(err)
	}
	if got, apart := size(path), size(filepath.Join(dir, "m.safetensors"))+size(alone); got > apart*4/5 {
		t.Errorf("%d bytes together, %d apart", got, apart)
	}
	if err := run.Model().Save(path, m); err == nil || !strings.Contains(err.Error(), "no pretrained model") {
		t.Errorf("a head as the pretrained model: got %v", err)
	}
}

// demo opens the embedded model for a test.
func demo(t *testing.T) *lab.Model {
	t.Helper()
	m, err := lab.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}
