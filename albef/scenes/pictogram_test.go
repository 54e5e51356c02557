package scenes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"math/rand/v2"
	"testing"

	"vlab/albef/scenes"
)

// eachWithPictograms calls fn with n scenes of every split, of which half the
// objects are pictograms.
func eachWithPictograms(n int, fn func(s scenes.Scene, rng *rand.Rand)) {
	for _, split := range scenes.Splits() {
		for i := range n {
			s := scenes.Generate(13, i, scenes.Options{Split: split, Pictograms: 0.5})
			fn(s, rand.New(rand.NewPCG(6, uint64(i))))
		}
	}
}

func TestPictogramsAreNamedTruly(t *testing.T) {
	pictograms, objects := 0, 0
	eachWithPictograms(300, func(s scenes.Scene, rng *rand.Rand) {
		for _, o := range s.Objects {
			objects++
			if o.Shape.IsPictogram() {
				pictograms++
			}
			if o.Shape.IsPictogram() != (o.Colour == scenes.NoColour) {
				t.Fatalf("%+v: pictograms and they alone have no colour to say", o)
			}
		}
		c := scenes.Caption(s, rng)
		wantTrue(t, s, c.String())
		wantTrue(t, s, scenes.Describe(s).String())
		for _, n := range scenes.Negatives(s, c, rng, 4) {
			wantFalse(t, s, n.String())
			checkKind(t, c.String(), n.String(), n.Kind)
		}
		named := map[int]bool{}
		for _, p := range scenes.Phrases(s) {
			named[p.Object] = true
			wantTrue(t, s, p.Text)
			without := s
			without.Objects = nil
			for i, o := range s.Objects {
				if i != p.Object {
					without.Objects = append(without.Objects, o)
				}
			}
			wantFalse(t, without, p.Text)
		}
		if len(named) != len(s.Objects) {
			t.Fatalf("phrases for %d objects of %+v", len(named), s.Objects)
		}
	})
	if share := float64(pictograms) / float64(objects); share < 0.3 || share > 0.6 {
		t.Errorf("%.2f of the objects are pictograms, want about a half", share)
	}
}

// TestPictogramsFillTheirBoxes: nothing is painted outside, and something at every edge.
func TestPictogramsFillTheirBoxes(t *testing.T) {
	const size = 256
	for i := range scenes.PictogramCount {
		s := scenes.Scene{Size: size, Objects: []scenes.Object{{
			Shape: scenes.Pictogram(i), Size: scenes.Large, Box: scenes.Box{X: 64, Y: 32, W: 96, H: 96},
		}}}
		empty := scenes.Scene{Size: size}
		painted := painting(s.Render(size), empty.Render(size))
		if !painted.In(image.Rect(64, 32, 160, 128)) || painted.Dx() < 92 || painted.Dy() < 92 {
			t.Errorf("%s is painted in %v, want all of its box", scenes.Pictogram(i), painted)
		}
	}
}

// painting is the box of the pixels that differ.
func painting(a, b *image.RGBA) (box image.Rectangle) {
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

func TestPictogramsArePinned(t *testing.T) {
	hash := sha256.New()
	for i := range 8 {
		s := scenes.Generate(3, i, scenes.Options{Pictograms: 0.7})
		hash.Write(s.Render(64).Pix)
		hash.Write(s.Render(224).Pix)
	}
	const want = "64d5aac789b42d5c524c4974"
	if got := hex.EncodeToString(hash.Sum(nil)[:12]); got != want {
		t.Errorf("digest of the pixels: got %s, want %s", got, want)
	}
}

// TestContrasts are of one form, one of them true and one false.
func TestContrasts(t *testing.T) {
	made := map[scenes.Kind]int{}
	eachWithPictograms(200, func(s scenes.Scene, rng *rand.Rand) {
		for _, kind := range scenes.Kinds() {
			c, ok := scenes.ContrastOf(s, kind, rng)
			if !ok {
				continue
			}
			made[kind]++
			wantTrue(t, s, c.True.String())
			wantFalse(t, s, c.False.String())
			wantAllowed(t, s.Split, c.False.String())
			checkKind(t, c.True.String(), c.False.String(), kind)
		}
	})
	for _, kind := range scenes.Kinds() {
		if made[kind] < 100 {
			t.Errorf("%d contrasts of kind %s, want 100 or more", made[kind], kind)
		}
	}
}
