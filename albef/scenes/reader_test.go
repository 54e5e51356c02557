package scenes_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

// The reader understands the package's sentences from their words alone and judges them by the boxes, with no use
// of Claim.

// sentence is a text taken apart: the objects' words and the relation between the first two.
type sentence struct {
	objects  [][]string
	relation string
}

// read takes a sentence apart.
func read(t *testing.T, text string) sentence {
	t.Helper()
	text = strings.TrimPrefix(strings.TrimPrefix(text, "there is "), "a picture of ")
	text = strings.ReplaceAll(strings.ReplaceAll(text, " and there is ", " and "), " to the ", " ")
	var s sentence
	for _, relation := range []string{"left of", "right of", "above", "below"} {
		for _, words := range []string{" is " + relation + " ", " " + relation + " "} {
			if strings.Contains(text, words) && s.relation == "" {
				s.relation = relation
				text = strings.Replace(text, words, " and ", 1)
			}
		}
	}
	for _, part := range strings.Split(text, " and ") {
		words := strings.Fields(part)
		if len(words) < 2 || !slices.Contains([]string{"a", "an", "the"}, words[0]) {
			t.Fatalf("sentence %q: cannot read the part %q", text, part)
		}
		if an := strings.ContainsRune("aeiou", rune(words[1][0])); words[0] != "the" && an != (words[0] == "an") {
			t.Fatalf("sentence %q: wrong article in %q", text, part)
		}
		s.objects = append(s.objects, words[1:])
	}
	return s
}

// verdict is whether some choice of objects fits clearly, and whether some choice comes near enough to doubt.
func (s sentence) verdict(scene scenes.Scene) (holds, possible bool) {
	n := len(scene.Objects)
	for a := range n {
		for b := range n {
			for c := range n {
				chosen := []int{a, b, c}[:min(3, len(s.objects))]
				if hasRepeat(chosen) || !s.named(scene, chosen) {
					continue
				}
				gap := s.gap(scene, chosen)
				holds = holds || gap*8 >= float64(scene.Size)
				possible = possible || gap*32 > float64(scene.Size)
			}
		}
	}
	return holds, possible
}

func hasRepeat(list []int) bool {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return true
		}
	}
	return false
}

// named reports whether each chosen object has every word that is said of it.
func (s sentence) named(scene scenes.Scene, chosen []int) bool {
	for k, i := range chosen {
		o := scene.Objects[i]
		has := []string{"object", o.Shape.String(), o.Colour.String(), o.Size.String(), o.Texture.String()}
		for _, w := range s.objects[k] {
			if !slices.Contains(has, w) {
				return false
			}
		}
	}
	return true
}

// gap is how far the first object's centre lies in the relation's direction from the second's; the whole side
// where no relation is said.
func (s sentence) gap(scene scenes.Scene, chosen []int) float64 {
	if s.relation == "" {
		return float64(scene.Size)
	}
	a, b := scene.Objects[chosen[0]].Box, scene.Objects[chosen[1]].Box
	dx, dy := (b.X+b.W/2)-(a.X+a.W/2), (b.Y+b.H/2)-(a.Y+a.H/2)
	return map[string]float64{"left of": dx, "right of": -dx, "above": dy, "below": -dy}[s.relation]
}

func wantTrue(t *testing.T, scene scenes.Scene, text string) {
	t.Helper()
	if holds, _ := read(t, text).verdict(scene); !holds {
		t.Fatalf("got %q, want something true of %+v", text, scene.Objects)
	}
}

func wantFalse(t *testing.T, scene scenes.Scene, text string) {
	t.Helper()
	if _, possible := read(t, text).verdict(scene); possible {
		t.Fatalf("got %q, want something clearly false of %+v", text, scene.Objects)
	}
}

// wantAllowed fails where a text outside the held-out split mentions a held-out pair.
func wantAllowed(t *testing.T, split scenes.Split, text string) {
	t.Helper()
	if split == scenes.HeldOut {
		return
	}
	for _, p := range scenes.HeldOutPairs() {
		if strings.Contains(text, p.Colour.String()+" "+p.Shape.String()) {
			t.Fatalf("the %s split says %q, which has a held-out pair", split, text)
		}
	}
}

// each calls fn with n scenes of every split, each with a random source of its own.
func each(t *testing.T, n int, fn func(s scenes.Scene, rng *rand.Rand)) {
	t.Helper()
	for _, split := range scenes.Splits() {
		for i := range n {
			fn(scenes.Generate(11, i, scenes.Options{Split: split}), rand.New(rand.NewPCG(5, uint64(i))))
		}
	}
}
