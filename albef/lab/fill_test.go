package lab_test

import (
	"image"
	"math"
	"strings"
	"testing"

	"vlab/albef/lab"
	"vlab/albef/scenes"
)

// TestFillNamesWhatTheDemoModelSees asks the embedded model for the colours of
// scenes of one object, which it has not been trained on.
func TestFillNamesWhatTheDemoModelSees(t *testing.T) {
	m, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	asked, right := 0, 0
	for i := 0; asked < 12; i++ {
		scene := scenes.Generate(41, i, scenes.Options{Size: 64, Split: scenes.Test})
		if len(scene.Objects) != 1 {
			continue
		}
		o := scene.Objects[0]
		got, err := m.Fill(t.Context(), scene.Render(64), "a [MASK] "+o.Shape.String())
		if err != nil {
			t.Fatal(err)
		}
		asked++
		if got.Gaps[0].Hits[0].Word == o.Colour.String() && got.Best() == "a "+o.Colour.String()+" "+o.Shape.String() {
			right++
		}
	}
	if right < 9 {
		t.Errorf("%d of %d colours right", right, asked)
	}
}

func TestFillGaps(t *testing.T) {
	m := tiny(t)
	picture := image.NewRGBA(image.Rect(0, 0, 30, 20))
	got, err := m.Fill(t.Context(), picture, "The [MASK], zebra [mask]!")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Gaps) != 2 || strings.Join(got.Unknown, " ") != "zebra" {
		t.Fatalf("got %d gaps and unknown words %v, want 2 and zebra", len(got.Gaps), got.Unknown)
	}
	for i, g := range got.Gaps {
		for j, h := range g.Hits {
			if h.Rank != j+1 || math.IsNaN(h.Probability) || j > 0 && h.Probability > g.Hits[j-1].Probability {
				t.Errorf("gap %d: %+v out of order", i, g.Hits)
			}
		}
	}
	want := "The " + got.Gaps[0].Hits[0].Word + ", zebra " + got.Gaps[1].Hits[0].Word + "!"
	if got.Best() != want {
		t.Errorf("got best %q, want %q", got.Best(), want)
	}
	if got.Image() == nil || !strings.Contains(got.String(), "gap 2\n   1 ") {
		t.Errorf("it shows as %q", got)
	}
	var none *lab.Filling
	if none.Image() != nil || none.Best() != "" || none.String() == "" {
		t.Error("no filling shows something")
	}
}

func TestFillErrors(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 30, 20))
	for _, tt := range []struct {
		model    *lab.Model
		picture  image.Image
		sentence string
		want     string
	}{
		{tiny(t), picture, "a circle", `text "a circle" has no gap`},
		{tiny(t), picture, strings.Repeat("red ", 1000) + "[MASK]", "tokens, the model reads up to"},
		{tiny(t), nil, "a [MASK]", "no picture"},
		{asker(t, "yes"), picture, "a [MASK]", "fill: vqa.pth was trained for another task"},
		{nil, picture, "a [MASK]", "no model"},
	} {
		_, err := tt.model.Fill(t.Context(), tt.picture, tt.sentence)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20q: got %v, want %q", tt.sentence, err, tt.want)
		}
	}
}
