package viz_test

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"vlab/viz"
)

func TestNewMapRefusesWrongCount(t *testing.T) {
	for _, c := range []struct{ w, h, n int }{{2, 2, 3}, {0, 0, 0}, {-1, -1, 1}} {
		if _, err := viz.NewMap(c.w, c.h, make([]float32, c.n)); err == nil {
			t.Errorf("NewMap(%d, %d) with %d values: got no error", c.w, c.h, c.n)
		}
	}
}

func TestMapPeakIsCellCentre(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name string
		m    viz.Map
		x, y float64
	}{
		{"one cell", viz.Map{W: 1, H: 1, V: []float32{3}}, .5, .5},
		{"not square", viz.Map{W: 4, H: 2, V: []float32{0, 0, 0, 0, 0, 0, 0, 1}}, .875, .75},
		{"first of equals", viz.Map{W: 2, H: 2, V: []float32{0, 5, 5, 0}}, .75, .25},
		{"all negative", viz.Map{W: 2, H: 1, V: []float32{-3, -2}}, .75, .5},
		{"missing cells", viz.Map{W: 4, H: 1, V: []float32{nan, 1, inf, 2}}, .875, .5},
		{"nothing finite", viz.Map{W: 2, H: 1, V: []float32{nan, nan}}, .5, .5},
		{"zero map", viz.Map{}, .5, .5},
	}
	for _, c := range tests {
		if x, y := c.m.Peak(); x != c.x || y != c.y {
			t.Errorf("%s: got peak %g, %g, want %g, %g", c.name, x, y, c.x, c.y)
		}
	}
}

func TestNormalizeSpansUnit(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name     string
		in, want []float32
	}{
		{"plain", []float32{-1, 0, 1, 3}, []float32{0, .25, .5, 1}},
		{"constant", []float32{2, 2, 2, 2}, []float32{0, 0, 0, 0}},
		{"missing", []float32{nan, 1, 2, float32(math.Inf(-1))}, []float32{0, 0, 1, 0}},
		{"nothing finite", []float32{nan, nan, nan, nan}, []float32{0, 0, 0, 0}},
	} {
		got := viz.Map{W: 2, H: 2, V: c.in}.Normalize().V
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// TestResizeIsBicubic compares a step with the sum over cells of the cubic convolution kernel with a = -0.75 and repeated edges.
func TestResizeIsBicubic(t *testing.T) {
	got := viz.Map{W: 2, H: 1, V: []float32{0, 1}}.Resize(4, 1).V
	want := []float32{bicubicAt(-.25), bicubicAt(.25), 1 - bicubicAt(.25), 1 - bicubicAt(-.25)}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Errorf("got %v, want %v", got, want)
			break
		}
	}
	same := bump(5, 7, .4, .3, .2, 1, 2)
	for i, v := range same.Resize(5, 7).V {
		if v != same.V[i] {
			t.Fatalf("same size, cell %d: got %g, want %g", i, v, same.V[i])
		}
	}
}

// bicubicAt reads the endless row ... 0 0 1 1 ..., whose step lies between cells 0 and 1, at x.
func bicubicAt(x float64) float32 {
	sum := 0.0
	for cell := 1; cell < 5; cell++ {
		d := math.Abs(x - float64(cell))
		switch {
		case d <= 1:
			sum += 1.25*d*d*d - 2.25*d*d + 1
		case d < 2:
			sum += -.75*d*d*d + 3.75*d*d - 6*d + 3
		}
	}
	return float32(sum)
}

func TestMeanMapLeavesOutMissing(t *testing.T) {
	got := viz.MeanMap(viz.Map{W: 2, H: 1, V: []float32{1, float32(math.NaN())}}, viz.Map{W: 2, H: 1, V: []float32{3, 4}})
	if got.V[0] != 2 || got.V[1] != 4 {
		t.Errorf("got %v, want [2 4]", got.V)
	}
	if !viz.MeanMap().IsEmpty() {
		t.Error("mean of nothing is not the zero map")
	}
}

// TestAttMapOfFlatMapIsZero holds the one place where the official code divides by zero.
func TestAttMapOfFlatMapIsZero(t *testing.T) {
	nan := float32(math.NaN())
	for name, v := range map[string][]float32{"zero": {0, 0, 0, 0}, "constant": {7, 7, 7, 7}, "missing": {nan, nan, nan, nan}} {
		m := viz.Map{W: 2, H: 2, V: v}
		for _, got := range m.AttMap(20, 30).V {
			if got != 0 {
				t.Fatalf("%s: got %g, want 0", name, got)
			}
		}
		im := solid(20, 30, color.NRGBA{10, 200, 30, 255})
		if d := distance(viz.AttMap(im, m).At(7, 9), im.At(7, 9)); d != 0 {
			t.Errorf("%s: picture changed by %d", name, d)
		}
	}
}

func TestAttMapShrinks(t *testing.T) {
	m := bump(64, 48, .25, .75, .1, 1, 5).AttMap(16, 12)
	if x, y := m.Peak(); math.Abs(x-.25) > .1 || math.Abs(y-.75) > .1 {
		t.Errorf("got peak %g, %g, want near 0.25, 0.75", x, y)
	}
}

// TestOverlayIsHottestAtPeak lays black heat over white, where it is darkest the heat is most opaque.
func TestOverlayIsHottestAtPeak(t *testing.T) {
	black := func(float64) color.RGBA { return color.RGBA{A: 255} }
	for _, size := range [][2]int{{1, 1}, {64, 64}, {300, 100}, {50, 200}} {
		for _, grid := range [][2]int{{4, 4}, {24, 24}, {5, 9}} {
			m := bump(grid[0], grid[1], .3, .7, .15, 1, 11)
			px, py := m.Peak()
			x, y := darkest(viz.Overlay(solid(size[0], size[1], color.White), m, viz.OverlayOptions{Size: 200, Colormap: black}))
			if math.Abs(x-px) > .75/float64(grid[0]) || math.Abs(y-py) > .75/float64(grid[1]) {
				t.Errorf("picture %v, grid %v: got hottest %.3f, %.3f, want near %.3f, %.3f", size, grid, x, y, px, py)
			}
		}
	}
}

// darkest is where a picture is darkest, in 0..1.
func darkest(im image.Image) (x, y float64) {
	b, best := im.Bounds(), math.Inf(1)
	for j := b.Min.Y; j < b.Max.Y; j++ {
		for i := b.Min.X; i < b.Max.X; i++ {
			r, g, bl, _ := im.At(i, j).RGBA()
			if v := float64(r + g + bl); v < best {
				best, x, y = v, (float64(i)+.5)/float64(b.Dx()), (float64(j)+.5)/float64(b.Dy())
			}
		}
	}
	return x, y
}

func TestOverlayOfFlatMapLeavesPicture(t *testing.T) {
	im := solid(40, 30, color.NRGBA{200, 30, 60, 255})
	for name, m := range map[string]viz.Map{
		"zero map": {}, "constant": {W: 2, H: 2, V: []float32{5, 5, 5, 5}}, "nan": {W: 1, H: 1, V: []float32{float32(math.NaN())}},
	} {
		got := viz.Overlay(im, m, viz.OverlayOptions{Size: 80})
		if got.Bounds() != image.Rect(0, 0, 80, 60) {
			t.Fatalf("%s: got size %v, want 80 by 60", name, got.Bounds())
		}
		if d := distance(got.At(33, 21), im.At(0, 0)); d > 0 {
			t.Errorf("%s: got %v, want %v", name, got.At(33, 21), im.At(0, 0))
		}
	}
}

func TestMapOfWrongLengthPanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "2 by 2 cells holds 3") {
			t.Errorf("got panic %v, want one that names the sizes", r)
		}
	}()
	viz.Map{W: 2, H: 2, V: make([]float32, 3)}.Min()
}

func TestMapSpotIsTheCentreOfMassAroundThePeak(t *testing.T) {
	nan := float32(math.NaN())
	tests := []struct {
		name string
		m    viz.Map
		x, y float64
	}{
		{"one cell", viz.Map{W: 1, H: 1, V: []float32{3}}, .5, .5},
		{"between two equals", viz.Map{W: 4, H: 1, V: []float32{0, 2, 2, 0}}, .5, .5},
		{"drawn to the neighbour", viz.Map{W: 4, H: 1, V: []float32{0, 3, 1, 0}}, (3*1.5 + 1*2.5) / 4 / 4, .5},
		{"not to what is far", viz.Map{W: 5, H: 1, V: []float32{4, 0, 0, 3, 3}}, .1, .5},
		{"negative and missing", viz.Map{W: 3, H: 1, V: []float32{-9, 1, nan}}, .5, .5},
		{"all negative", viz.Map{W: 2, H: 1, V: []float32{-3, -2}}, .75, .5},
		{"zero map", viz.Map{}, .5, .5},
	}
	for _, c := range tests {
		if x, y := c.m.Spot(); math.Abs(x-c.x) > 1e-9 || math.Abs(y-c.y) > 1e-9 {
			t.Errorf("%s: got %g, %g, want %g, %g", c.name, x, y, c.x, c.y)
		}
	}
}
