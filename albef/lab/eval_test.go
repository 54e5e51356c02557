package lab_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"vlab/albef/lab"
	"vlab/albef/scenes"
	"vlab/albef/torch"
)

// TestPointingCountsPhrases checks that every phrase of the right scenes is
// asked, and that a layer changes the answer's layer and is checked.
func TestPointingCountsPhrases(t *testing.T) {
	m := tiny(t)
	got, err := lab.Pointing(t.Context(), m, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	count := func(o scenes.Options) int {
		phrases, found := 0, 0
		for i := 0; found < 4; i++ {
			if s := scenes.Generate(3, i, o); len(s.Objects) > 1 {
				phrases += len(scenes.Phrases(s))
				found++
			}
		}
		return phrases
	}
	if want := count(scenes.Options{Split: scenes.Test}); got.Phrases != want {
		t.Errorf("phrases: got %d, want %d", got.Phrases, want)
	}
	if want := count(scenes.Options{Split: scenes.Test, SameColour: true}); got.SameColourPhrases != want {
		t.Errorf("phrases in one colour: got %d, want %d", got.SameColourPhrases, want)
	}
	if got.Layer != 3 {
		t.Errorf("layer: got %d, want the middle one of 2, 3 and 4", got.Layer)
	}
	if _, err := lab.Pointing(t.Context(), m, 4, 3, 1); err == nil || hint(err) == "" {
		t.Errorf("layer 1, which has no cross-attention: got %v, want an error with a hint", err)
	}
}

// TestRecallIsPerfectWithinOneScene: a scene alone finds itself.
func TestRecallIsPerfectWithinOneScene(t *testing.T) {
	got, err := lab.RecallScenes(t.Context(), tiny(t), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got.ITCToImage != 1 || got.ITCToText != 1 || got.TextToImage != 1 || got.ImageToText != 1 {
		t.Errorf("R@1 of one scene: got %+v, want all 1", *got)
	}
}

func TestWordTestsCoverEveryKind(t *testing.T) {
	got, err := lab.WordTests(t.Context(), tiny(t), 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range scenes.Kinds() {
		if n := got.Tests[kind.String()]; n > 20 || (n == 0) != (kind == scenes.KindTexture) { // these scenes have none
			t.Errorf("%s: %d tests of 20 scenes", kind, n)
		}
	}
	if got.Tests["colour"] != 20 {
		t.Errorf("colour: got %d tests, want one a scene, 20", got.Tests["colour"])
	}
	if got.Colour <= 0 || got.Colour >= 1 {
		t.Errorf("an untrained model prefers the true caption in %.2f of tests", got.Colour)
	}
}

// TestFillTestsOfTheDemoModel: it knows sizes and colours well, and an untrained one nothing.
func TestFillTestsOfTheDemoModel(t *testing.T) {
	m, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := lab.FillTests(t.Context(), m, 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	untrained, err := lab.FillTests(t.Context(), tiny(t), 40, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"shape", "colour", "size"} {
		if got.Tests[kind] < 40 || got.Tests[kind] != untrained.Tests[kind] {
			t.Errorf("%s: %d tests of 40 scenes, %d of the untrained model", kind, got.Tests[kind], untrained.Tests[kind])
		}
	}
	t.Log(got)
	if !(got.Colour > untrained.Colour+0.3 && got.Size > untrained.Size+0.3 && got.Shape > untrained.Shape+0.3) {
		t.Errorf("trained:\n%v\nuntrained:\n%v", got, untrained)
	}
}

func TestRecallOfPictogramsIsPerfectWithinOneScene(t *testing.T) {
	got, err := lab.RecallPictograms(t.Context(), tiny(t), 1, 1)
	if err != nil || got.TextToImage != 1 || got.ImageToText != 1 {
		t.Errorf("got %+v, %v, want all 1", got, err)
	}
}

func TestMeasuresStopWithTheirContext(t *testing.T) {
	m := tiny(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := torch.Live()
	for name, run := range map[string]func() error{
		"pointing": func() error { _, err := lab.Pointing(ctx, m, 1000, 1); return err },
		"recall":   func() error { _, err := lab.RecallScenes(ctx, m, 1000, 1); return err },
		"words":    func() error { _, err := lab.WordTests(ctx, m, 1000, 1); return err },
		"gaps":     func() error { _, err := lab.FillTests(ctx, m, 1000, 1); return err },
	} {
		if err := run(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want the context's error", name, err)
		}
	}
	if after := torch.Live(); after != before {
		t.Errorf("tensors alive: %d, before %d", after, before)
	}
}

func TestMeasuresRefuseNonsense(t *testing.T) {
	m := tiny(t)
	for name, run := range map[string]func() error{
		"no model":       func() error { _, err := lab.Pointing(t.Context(), nil, 5, 1); return err },
		"no scenes":      func() error { _, err := lab.WordTests(t.Context(), m, 0, 1); return err },
		"no gaps":        func() error { _, err := lab.FillTests(t.Context(), m, 0, 1); return err },
		"minus 3 scenes": func() error { _, err := lab.RecallScenes(t.Context(), m, -3, 1); return err },
	} {
		if err := run(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// hint is what an error advises, "" for nothing.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return strings.TrimSpace(h.Hint())
	}
	return ""
}
