package scenes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

// eachWithPictograms calls fn with n scenes of every split, of which half the
// objects are pictograms, and two in five of the others striped or dotted.
func eachWithPictograms(n int, fn func(s scenes.Scene, rng *rand.Rand)) {
	for _, split := range scenes.Splits() {
		for i := range n {
			s := scenes.Generate(13, i, scenes.Options{Split: split, Pictograms: 0.5, Textures: 0.4})
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

// TestCounts compares numbers with the objects that are there, each contrast with one that is right and one that is
// wrong.
func TestCounts(t *testing.T) {
	for _, test := range []struct {
		count scenes.Count
		want  string
	}{
		{scenes.Count{N: 1}, "there is one object"},
		{scenes.Count{N: 3}, "there are three objects"},
		{scenes.Count{N: 2, Of: scenes.Description{Colour: scenes.Red}}, "two objects are red"},
		{scenes.Count{N: 1, Of: scenes.Description{Size: scenes.Large}}, "one object is large"},
	} {
		if got := test.count.String(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.count, got, test.want)
		}
	}
	numbers := map[string]int{"one": 1, "two": 2, "three": 3}
	eachWithPictograms(200, func(s scenes.Scene, rng *rand.Rand) {
		c, ok := scenes.ContrastOf(s, scenes.KindCount, rng)
		if !ok || c.True.Holds(s) == c.False.Holds(s) {
			t.Fatalf("got %q and %q of %+v, want one true and one false", c.True, c.False, s.Objects)
		}
		words := strings.Fields(c.True.String())
		n, of := numbers[words[0]], words[len(words)-1]
		if words[0] == "there" {
			n, of = numbers[words[2]], ""
		}
		there := 0
		for _, o := range s.Objects {
			if of == "" || of == o.Colour.String() || of == o.Size.String() {
				there++
			}
		}
		if n != there {
			t.Fatalf("got %q of %+v", c.True, s.Objects)
		}
	})
}

// TestTexturesAreDrawn wants stripes and dots of two paints inside the shape, and the same scene without textures
// where no share is asked for.
func TestTexturesAreDrawn(t *testing.T) {
	found := map[scenes.Texture]int{}
	for i := range 100 {
		s := scenes.Generate(3, i, scenes.Options{Textures: 1, Objects: 1})
		o := s.Objects[0]
		found[o.Texture]++
		paints := map[color.RGBA]bool{}
		picture := s.Render(64)
		for y := int(o.Box.Y); y < int(o.Box.Y+o.Box.H); y++ {
			for x := int(o.Box.X); x < int(o.Box.X+o.Box.W); x++ {
				paints[picture.RGBAAt(x, y)] = true
			}
		}
		c := o.Colour.RGB()
		light, dark := false, false
		for p := range paints {
			near := func(v, want uint8) bool { return int(v)-int(want) < 6 && int(want)-int(v) < 6 }
			light = light || near(p.R, c.R) && near(p.G, c.G) && near(p.B, c.B)
			dark = dark || near(p.R, c.R/2) && near(p.G, c.G/2) && near(p.B, c.B/2)
		}
		if !light || !dark {
			t.Fatalf("scene %d, %s: light %v, dark %v, want both", i, scenes.Describe(s), light, dark)
		}
	}
	if found[scenes.Striped] < 20 || found[scenes.Dotted] < 20 || len(found) != 2 {
		t.Errorf("textures: got %v, want many of both", found)
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
