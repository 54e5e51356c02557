package lab

import (
	"testing"

	"vlab/albef/scenes"
	"vlab/albef/torch"
)

// TestITMDecidesBetweenWordsOfOneProbability gives the shape that is in the picture and
// eight that are not the same probability.
func TestITMDecidesBetweenWordsOfOneProbability(t *testing.T) {
	m, err := Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	shapes := map[string]int{}
	for id := range m.tok.Size() {
		switch w := m.tok.Token(id); w {
		case "circle", "square", "triangle", "star", "heart", "ring", "cross", "diamond":
			shapes[w] = id
		}
	}
	asked := 0
	list := TestSet{N: 60, Seed: 3}.scenes(1, scenes.Options{Size: m.config.ImageRes})
	for i, scene := range list {
		if _, known := shapes[scene.Objects[0].Shape.String()]; len(scene.Objects) != 1 || !known {
			continue
		}
		asked++
		p := make([]float32, m.tok.Size())
		for _, id := range shapes {
			p[id] = 1 / float32(len(shapes))
		}
		err := torch.Do(func(s *torch.Scope) {
			torch.NoGrad(func() {
				embeds, err := m.embedScenes(t.Context(), s, list[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				if err := m.check(t.Context(), s, []string{"the [MASK]"}, p, m.core.Text.Image(embeds)); err != nil {
					t.Fatal(err)
				}
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.tok.Token(likeliestIDs(p)[0]), scene.Objects[0].Shape.String(); got != want {
			t.Errorf("scene %d: %s is likelier than %s", i, got, want)
		}
		sum := float32(0)
		for _, v := range p {
			sum += v
		}
		if sum < 0.999 || sum > 1.001 {
			t.Errorf("probabilities sum to %v", sum)
		}
	}
	if asked < 5 {
		t.Errorf("%d scenes with one object were asked about, want 5 or more", asked)
	}
}
