package scenes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"math"
	"testing"

	"vlab/albef/scenes"
)

// The digests hold on every machine. They change only with what is drawn, which the CHANGELOG must then say.
func TestRenderIsPinned(t *testing.T) {
	tests := []struct {
		name string
		opt  scenes.Options
		size int
		want string
	}{
		{"train 64", scenes.Options{}, 64, "f1b46beef9a355048fc7739e"},
		{"heldout 64", scenes.Options{Split: scenes.HeldOut}, 64, "f7af6e180f08dca48b0ee80c"},
		{"train 224", scenes.Options{Size: 224}, 224, "8c8813a86becb185c1946fea"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hash := sha256.New()
			for i := range 40 {
				s := scenes.Generate(1, i, tt.opt)
				hash.Write(s.Render(tt.size).Pix)
			}
			if got := hex.EncodeToString(hash.Sum(nil)[:12]); got != tt.want {
				t.Errorf("digest of 40 pictures: got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRenderDoesNotDependOnSceneSize(t *testing.T) {
	for i := range 50 {
		small, big := scenes.Generate(1, i, scenes.Options{}), scenes.Generate(1, i, scenes.Options{Size: 224})
		a, b := small.Render(96), big.Render(96)
		if string(a.Pix) != string(b.Pix) {
			t.Fatalf("scene %d differs by the size it was generated with", i)
		}
	}
}

// The drawn pixels of an object reach its box on all four sides and never leave it.
func TestBoxesAreTight(t *testing.T) {
	for i := range 400 {
		s := scenes.Generate(8, i, scenes.Options{Size: 256})
		empty := s
		empty.Objects = nil
		drawn, bare := s.Render(256), empty.Render(256)
		for _, o := range s.Objects {
			got := changed(drawn, bare, o.Box)
			for k, want := range []float64{o.Box.X, o.Box.Y, o.Box.X + o.Box.W, o.Box.Y + o.Box.H} {
				if math.Abs(got[k]-want) > 2 { // a corner of a star may cover too little of its last pixel to show
					t.Fatalf("scene %d, %s: pixels reach %v, box is %+v", i, o.Shape, got, o.Box)
				}
			}
		}
	}
}

// changed returns the left, top, right and bottom of the pixels that differ, in the box and a margin around it.
func changed(a, b *image.RGBA, box scenes.Box) [4]float64 {
	const margin = 6
	extent := [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for y := int(box.Y) - margin/2; y < int(box.Y+box.H)+margin/2; y++ {
		for x := int(box.X) - margin/2; x < int(box.X+box.W)+margin/2; x++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				extent[0], extent[1] = min(extent[0], float64(x)), min(extent[1], float64(y))
				extent[2], extent[3] = max(extent[2], float64(x+1)), max(extent[3], float64(y+1))
			}
		}
	}
	return extent
}

// Shapes of one box must differ in many pixels, whatever the eye thinks of them.
func TestShapesDiffer(t *testing.T) {
	box := scenes.Box{X: 23, Y: 23, W: 17, H: 17}
	drawn := map[scenes.Shape]*image.RGBA{}
	for shape := scenes.Circle; shape <= scenes.Ring; shape++ {
		s := scenes.Scene{Size: 64, Objects: []scenes.Object{{Shape: shape, Colour: scenes.White, Size: scenes.Small, Box: box}}}
		drawn[shape] = s.Render(64)
		for other := scenes.Circle; other < shape; other++ {
			different := 0
			for k := 0; k < len(drawn[shape].Pix); k += 4 {
				if d := int(drawn[shape].Pix[k]) - int(drawn[other].Pix[k]); d > 128 || d < -128 {
					different++
				}
			}
			if different < 25 {
				t.Errorf("%s and %s differ in %d pixels of 17 by 17, want 25", shape, other, different)
			}
		}
	}
}

func TestPaletteIsWellApart(t *testing.T) {
	for a := scenes.Red; a <= scenes.White; a++ {
		for b := scenes.Red; b < a; b++ {
			if got := labDistance(a.RGB(), b.RGB()); got < 36 {
				t.Errorf("%s and %s are %.1f apart in CIELAB, want 36", a, b, got)
			}
		}
	}
}

// Every object stands out from what is drawn behind it.
func TestBackgroundsContrast(t *testing.T) {
	kinds := map[scenes.BackgroundKind]int{}
	for i := range 1000 {
		s := scenes.Generate(4, i, scenes.Options{})
		kinds[s.Background.Kind]++
		for _, end := range []color.RGBA{s.Background.From, s.Background.To} {
			for _, o := range s.Objects {
				if got := labDistance(o.Colour.RGB(), end); got < 25 {
					t.Fatalf("scene %d: %s is %.1f from background %v in CIELAB, want 25", i, o.Colour, got, end)
				}
			}
		}
	}
	for k := scenes.Flat; k <= scenes.Noise; k++ {
		if kinds[k] < 150 {
			t.Errorf("got %d %s backgrounds in 1000, want at least 150", kinds[k], k)
		}
	}
}

func labDistance(a, b color.RGBA) float64 {
	l1, a1, b1 := lab(a)
	l2, a2, b2 := lab(b)
	return math.Sqrt((l1-l2)*(l1-l2) + (a1-a2)*(a1-a2) + (b1-b2)*(b1-b2))
}

// lab converts from sRGB to CIELAB with white point D65.
func lab(c color.RGBA) (l, a, b float64) {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	root := func(t float64) float64 {
		if t <= 0.008856 {
			return 7.787*t + 16.0/116
		}
		return math.Cbrt(t)
	}
	red, green, blue := linear(c.R), linear(c.G), linear(c.B)
	x := root((0.4124*red + 0.3576*green + 0.1805*blue) / 0.9505)
	y := root(0.2126*red + 0.7152*green + 0.0722*blue)
	z := root((0.0193*red + 0.1192*green + 0.9505*blue) / 1.089)
	return 116*y - 16, 500 * (x - y), 200 * (y - z)
}

func BenchmarkGenerateAndRender(b *testing.B) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := scenes.Generate(1, i, scenes.Options{})
		s.Render(64)
	}
}
