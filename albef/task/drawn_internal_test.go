package task

import (
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
)

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
