package viz_test

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"vlab/viz"
)

// TestOddInputsDraw feeds every figure what goes wrong most easily: tiny, thin, transparent and missing pictures, flat and missing
// maps, endless words. Each must give a picture of a sane size with something drawn on it.
func TestOddInputsDraw(t *testing.T) {
	nan := math.NaN()
	endless := strings.Repeat("antidisestablishmentarianism", 9) + " " + strings.Repeat("word ", 200)
	pictures := map[string]image.Image{
		"one pixel": solid(1, 1, color.White), "wide": scene(400, 3), "tall": scene(3, 400),
		"transparent": solid(8, 8, color.Transparent), "empty": image.NewRGBA(image.Rectangle{}), "nil": nil,
		"shifted": scene(64, 64).(*image.RGBA).SubImage(image.Rect(20, 20, 40, 50)),
	}
	maps := map[string]viz.Map{
		"zero": {}, "one cell": {W: 1, H: 1, V: []float32{1}}, "flat": {W: 2, H: 2, V: make([]float32, 4)},
		"nan": {W: 1, H: 2, V: []float32{float32(nan), 1}}, "huge": {W: 2, H: 1, V: []float32{-math.MaxFloat32, math.MaxFloat32}},
	}
	for pn, im := range pictures {
		for mn, m := range maps {
			box, peak := [4]float64{-.5, nan, 9, 3}, [2]float64{nan, 4}
			sane(t, pn+", "+mn+", overlay", viz.Overlay(im, m, viz.OverlayOptions{Size: 60, Title: endless, ColorBar: true, Box: box, Truth: &box, Peak: &peak}))
			sane(t, pn+", "+mn+", grounding", viz.Grounding(im, viz.GroundingFigure{
				Text: endless, Width: 330, Box: box, Truth: &box, Phrase: m,
				Score: nan, Words: []viz.WordMap{{Word: endless, Map: m}, {Word: "", Map: m, Peak: peak}},
			}))
			sane(t, pn+", "+mn+", grid", viz.LayerHeadGrid(im, [][]viz.Map{{m, m}, {}, {m}}, viz.GridOptions{Title: endless, Cell: 30, SharedRange: true}))
			sane(t, pn+", "+mn+", compare", viz.Compare([]viz.CompareSide{{Image: im, Caption: endless, Map: m, Box: box}}, viz.CompareOptions{Title: endless, Size: 60}))
		}
		sane(t, pn+", sheet", viz.Sheet([]viz.SheetItem{{Image: im, Title: endless, Lines: []string{endless, ""}, Share: nan, Mark: viz.Wrong}}, viz.SheetOptions{Title: endless, Ranked: true, Cell: 40}))
		sane(t, pn+", bars", viz.Bars([]viz.Bar{{endless, nan, viz.Chosen}, {"", -4, viz.NoMark}, {"x", math.Inf(1), viz.Right}}, viz.BarsOptions{Image: im, Title: endless}))
	}
	sane(t, "confusion of nothing", viz.Confusion(nil, nil, viz.ConfusionOptions{Title: endless}))
	sane(t, "confusion of one", viz.Confusion([][]int{{0}}, []string{endless}, viz.ConfusionOptions{Truth: endless, Predicted: endless, Cell: 3}))
	sane(t, "confusion of many", viz.Confusion(square(90), nil, viz.ConfusionOptions{Title: endless}))
	sane(t, "compare nothing", viz.Compare(nil, viz.CompareOptions{}))
	sane(t, "bars of nothing", viz.Bars(nil, viz.BarsOptions{}))
	sane(t, "grid of nothing", viz.LayerHeadGrid(nil, nil, viz.GridOptions{}))
	sane(t, "no panels", viz.Panels(nil, viz.PanelsOptions{}))
	sane(t, "odd panels", viz.Panels([]viz.Panel{
		{Title: endless, Note: endless, XLabel: endless, YLabel: endless, Points: []viz.Measured{{nan, 1, 1, 1}, {1, math.Inf(1), 0, 0}, {0, 0, -1, nan}}},
		{Line: viz.Series{Y: []float64{nan, -1, 0}}, Points: []viz.Measured{{-1, -1, -1, -1}}},
	}, viz.PanelsOptions{Title: endless, Points: endless, Line: endless, Columns: 9, Width: 1, Height: 1}))
	for name, y := range map[string][]float64{"one": {3}, "flat": {2, 2, 2}, "zero": {0, 0}, "nan": {nan, nan}, "inf": {1, math.Inf(1), 2}, "huge": {1e300, -1e300}, "tiny": {1e-300, 2e-300}} {
		for _, log := range []bool{false, true} {
			sane(t, "curve "+name, viz.Curves([]viz.Series{{Name: endless, Y: y}, {Y: nil}}, viz.CurveOptions{Title: endless, YLabel: endless, XLabel: endless, LogY: log, Width: 240, Height: 160, Smooth: .5}))
		}
	}
}

// sane demands a picture between 20 and 2000 pixels a side.
func sane(t *testing.T, name string, im image.Image) {
	t.Helper()
	if w, h := im.Bounds().Dx(), im.Bounds().Dy(); w < 1 || h < 1 || w > 2000 || h > 2000 {
		t.Errorf("%s: got a picture of %d by %d", name, w, h)
	}
	if r, ok := im.(interface{ Opaque() bool }); !ok || !r.Opaque() {
		t.Errorf("%s: got a picture with holes", name)
	}
}

func TestScaleMultipliesPixels(t *testing.T) {
	draw := func(scale float64) image.Rectangle {
		g := grounding(5, nil)
		g.Scale = scale
		return viz.Grounding(scene(64, 64), g).Bounds()
	}
	one, two := draw(1), draw(2)
	if d := two.Dx() - 2*one.Dx(); d < -2 || d > 2 {
		t.Errorf("width: got %d, want twice %d", two.Dx(), one.Dx())
	}
	if d := two.Dy() - 2*one.Dy(); d < -8 || d > 8 {
		t.Errorf("height: got %d, want about twice %d", two.Dy(), one.Dy())
	}
}

func TestArgumentsStayUnchanged(t *testing.T) {
	im, m := scene(32, 32).(*image.RGBA), bump(4, 4, .5, .5, .2, 1, 1)
	pix, v := bytes.Clone(im.Pix), append([]float32(nil), m.V...)
	viz.Overlay(im, m, viz.OverlayOptions{Fade: true})
	viz.AttMap(im, m)
	viz.Grounding(im, viz.GroundingFigure{Text: "x", Words: []viz.WordMap{{Word: "x", Map: m}}})
	y := []float64{1, math.Inf(1), 3}
	viz.Curves([]viz.Series{{Y: y}}, viz.CurveOptions{})
	if !bytes.Equal(pix, im.Pix) {
		t.Error("the picture was changed")
	}
	for i := range v {
		if v[i] != m.V[i] {
			t.Fatal("the map was changed")
		}
	}
	if !math.IsInf(y[1], 1) {
		t.Error("the series was changed")
	}
}

func TestPixelsRepeatNearest(t *testing.T) {
	im := image.NewRGBA(image.Rect(0, 0, 2, 1))
	im.Set(0, 0, color.RGBA{255, 0, 0, 255})
	im.Set(1, 0, color.RGBA{0, 0, 255, 255})
	got := viz.Overlay(im, viz.Map{}, viz.OverlayOptions{Size: 40, Interpolation: viz.Pixels})
	for x := range 40 {
		if want := im.At(x/20, 0); distance(got.At(x, 10), want) != 0 {
			t.Fatalf("column %d: got %v, want %v", x, got.At(x, 10), want)
		}
	}
}
