package albef

import (
	"math"
	"testing"

	"vlab/albef/torch"
)

// TestAlignIsITCOfTheBatch by hand: the mean of both directions' cross-entropies
// over the batch's similarities, several right answers sharing the weight.
func TestAlignIsITCOfTheBatch(t *testing.T) {
	c := Tiny()
	c.VocabSize, c.ImageRes = 30, 32
	m, err := New(c, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = torch.Do(func(s *torch.Scope) {
		const n = 3
		b := Batch{IDs: s.Ints([]int64{2, 7, 9, 2, 8, 5, 2, 4, 6}, n, 3), Mask: torch.Full(s, 1, torch.Int64, torch.CPU, n, 3)}
		embeds := m.Image.Forward(s.Zeros(torch.CPU, n, 3, c.ImageRes, c.ImageRes).FillNormal(0, 1))
		image := m.ImageProj(embeds.Select(1, 0))
		text := m.TextProj(m.Text.Encode(b.IDs, b.Mask, 0).Select(1, 0))
		sims := image.MatMul(text.T()).Floats()
		for name, same := range map[string][]float32{"own alone": nil, "a text of two images": {1, 1, 0, 0, 1, 0, 0, 0, 1}} {
			b.Same = nil
			if same != nil {
				b.Same = s.Floats(same, n, n)
			}
			if got, want := m.Align(embeds, b).Item(), alignByHand(sims, same, n, c.Temperature); math.Abs(got-want) > 1e-4*want {
				t.Errorf("%s: got %g, want %g", name, got, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func alignByHand(sims, same []float32, n int, temperature float64) (loss float64) {
	direction := func(at func(i, j int) int) {
		for i := range n {
			sum, right, hit := 0.0, 0.0, 0.0
			for j := range n {
				sum += math.Exp(float64(sims[at(i, j)]) / temperature)
			}
			for j := range n {
				is := same == nil && i == j || same != nil && same[at(i, j)] == 1
				if is {
					right++
					hit += math.Log(sum) - float64(sims[at(i, j)])/temperature
				}
			}
			loss += hit / right / float64(2*n)
		}
	}
	direction(func(i, j int) int { return i*n + j })
	direction(func(i, j int) int { return j*n + i })
	return loss
}
