package albef_test

import (
	"fmt"
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
)

// TestFuseAtEqualsFuse compares the rows that are asked for with those of all,
// whether the texts were entered before or not, for both orders of norms.
func TestFuseAtEqualsFuse(t *testing.T) {
	for _, norms := range []albef.Norms{albef.PostNorm, albef.PreNorm} {
		for _, layers := range []int{3, 5} { // one fusion layer, three
			t.Run(fmt.Sprintf("%s/%d layers", norms, layers), func(t *testing.T) {
				c := albef.Tiny()
				c.Norms, c.Layers, c.VocabSize, c.QueueSize, c.CellLabels = norms, layers, 50, 4, nil
				checkFuseAt(t, c)
			})
		}
	}
}

func checkFuseAt(t *testing.T, c albef.Config) {
	m, err := albef.New(c, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	err = torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			const texts, length = 3, 7
			ids, mask := make([]int64, texts*length), make([]int64, texts*length)
			for i := range ids {
				ids[i] = int64(i*13%49 + 1)
				if i%length < length-i/length {
					mask[i] = 1
				}
			}
			seen := s.Ints(mask, texts, length)
			embeds := m.Text.Encode(s.Ints(ids, texts, length), seen, 0)
			patches := c.Grid()*c.Grid() + 1
			image := m.Text.Image(s.Zeros(torch.CPU, 2, patches, c.VisionWidth).FillNormal(0, 1)).Pick(s.Ints([]int64{1, 0, 1}, texts))
			rows := []int64{0, 8, 14, 7, 2}
			want := m.Text.Fuse(embeds, seen, image, 0).View(texts*length, c.Hidden).IndexSelect(0, s.Ints(rows, len(rows))).Floats()
			at := s.Ints(rows, len(rows))
			fixture.Near(t, "at rows", m.Text.FuseAt(at, embeds, seen, image, 0).Floats(), want, 1e-4, 1e-5)
			entered := m.Text.Enter(embeds, seen)
			for name, m := range map[string]*torch.Tensor{"state": entered.State, "query": entered.Query} {
				if got := m.Shape(); !slices.Equal(got, []int{texts, length, c.Hidden}) {
					t.Errorf("%s: got %v", name, got)
				}
			}
			fixture.Near(t, "entered", m.Text.FuseEntered(at, entered, seen, image).Floats(), want, 1e-4, 1e-5)

			full := m.Match(m.Text.Fuse(embeds, seen, image, 0)).Floats()
			fixture.Near(t, "match", m.MatchTexts(embeds, seen, image, 0).Floats(), full, 1e-4, 1e-5)
			fixture.Near(t, "match of entered", m.MatchEntered(entered, seen, image).Floats(), full, 1e-4, 1e-5)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
