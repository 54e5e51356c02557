package task

import (
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
)

func TestDrawnRefusesWhatItCanNotDraw(t *testing.T) {
	tok, _, err := SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]DrawnConfig{"claims 3": {Claims: 3}, "pictograms 1.5": {Pictograms: 1.5}, "pictograms -1": {Pictograms: -1}} {
		if _, err := NewDrawn(c, albef.Tiny(), 4, tok, torch.CPU); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that names %s", err, want)
		}
	}
}

// BenchmarkDraw times the making of a batch of 128 scenes on one goroutine.
func BenchmarkDraw(b *testing.B) {
	tok, _, err := SceneTokenizer()
	if err != nil {
		b.Fatal(err)
	}
	c := albef.Tiny()
	c.VocabSize = tok.Size()
	d, err := NewDrawn(DrawnConfig{Seed: 1, Claims: 6, Phrases: 0.3, MaskWords: true, Pictograms: 0.25, Cells: true}, c, 128, tok, torch.CPU)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		d.draw(n)
	}
}
