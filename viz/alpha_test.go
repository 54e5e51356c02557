package viz_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"vlab/viz"

	"golang.org/x/image/draw"
)

// TestOverlayBlendsWithChequer lays half-transparent red over the white and the grey squares that stand for "nothing".
func TestOverlayBlendsWithChequer(t *testing.T) {
	got := viz.Overlay(solid(20, 10, color.NRGBA{255, 0, 0, 128}), viz.Map{}, viz.OverlayOptions{Size: 40})
	for _, c := range []struct {
		x, y int
		want color.RGBA
	}{{4, 4, color.RGBA{255, 127, 127, 255}}, {12, 4, color.RGBA{239, 114, 116, 255}}, {12, 12, color.RGBA{255, 127, 127, 255}}} {
		if d := distance(got.At(c.x, c.y), c.want); d > 4 {
			t.Errorf("at %d, %d: got %v, want about %v", c.x, c.y, got.At(c.x, c.y), c.want)
		}
	}
}

// fading is a picture whose colours fade away to the right.
func fading(w, h int) *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			im.SetNRGBA(x, y, color.NRGBA{200, uint8(255 * y / h), 40, uint8(255 - 255*x/w)})
		}
	}
	return im
}

// TestFormsOfOnePictureDrawAlike keeps one picture with alpha multiplied in and not, in 16 bits, and cut out of a larger one.
func TestFormsOfOnePictureDrawAlike(t *testing.T) {
	plain := fading(30, 18)
	forms := map[string]draw.Image{
		"premultiplied": image.NewRGBA(plain.Rect), "16 bits": image.NewNRGBA64(plain.Rect), "shifted": image.NewNRGBA(image.Rect(-9, 40, 21, 58)),
	}
	m := bump(5, 3, .3, .7, .2, 1, 1)
	o := viz.OverlayOptions{Size: 90, Fade: true}
	for name, im := range forms {
		draw.Draw(im, im.Bounds(), plain, image.Point{}, draw.Src)
		samePicture(t, viz.Overlay(im, m, o), viz.Overlay(plain, m, o))
		samePicture(t, viz.AttMap(im, m), viz.AttMap(plain, m))
		grid := func(im image.Image) image.Image {
			return viz.LayerHeadGrid(im, [][]viz.Map{{m, m}}, viz.GridOptions{})
		}
		samePicture(t, grid(im), grid(plain))
		if t.Failed() {
			t.Fatalf("a picture that is %s draws otherwise", name)
		}
	}
}

// TestHeatShowsOnTransparent lays black heat on nothing at all.
func TestHeatShowsOnTransparent(t *testing.T) {
	black := func(float64) color.RGBA { return color.RGBA{A: 255} }
	m := bump(9, 5, .75, .3, .1, 1, 3)
	px, py := m.Peak()
	x, y := darkest(viz.Overlay(solid(90, 50, color.Transparent), m, viz.OverlayOptions{Size: 180, Colormap: black, Opacity: 1}))
	if math.Abs(x-px) > .1 || math.Abs(y-py) > .17 {
		t.Errorf("got darkest %.2f, %.2f, want near %.2f, %.2f", x, y, px, py)
	}
}

func TestAttMapCountsTransparentAsBlack(t *testing.T) {
	for a, want := range map[uint8]color.RGBA{0: {0, 0, 0, 255}, 128: {128, 0, 64, 255}, 255: {255, 0, 128, 255}} {
		got := viz.AttMap(solid(6, 4, color.NRGBA{255, 0, 128, a}), viz.Map{})
		if d := distance(got.At(3, 2), want); d > 2 || !got.Opaque() {
			t.Errorf("alpha %d: got %v, want %v", a, got.At(3, 2), want)
		}
	}
}

// TestBoxLiesInItsPlace finds the white line of a box on black pictures that are not square.
func TestBoxLiesInItsPlace(t *testing.T) {
	box := [4]float64{.5, .25, .25, .5}
	for _, size := range [][2]int{{200, 100}, {60, 240}} {
		got := viz.Overlay(solid(size[0], size[1], color.Black), viz.Map{}, viz.OverlayOptions{Size: float64(max(size[0], size[1])), Box: box})
		found := image.Rectangle{}
		for y := range size[1] {
			for x := range size[0] {
				if distance(got.At(x, y), color.White) < 60 {
					found = found.Union(image.Rect(x, y, x+1, y+1))
				}
			}
		}
		w, h := float64(size[0]), float64(size[1])
		want := [4]float64{box[0] * w, box[1] * h, (box[0] + box[2]) * w, (box[1] + box[3]) * h}
		for i, v := range []int{found.Min.X, found.Min.Y, found.Max.X, found.Max.Y} {
			if math.Abs(float64(v)-want[i]) > 3 {
				t.Errorf("picture of %v: got a box at %v, want %v", size, found, want)
				break
			}
		}
	}
}

// TestMapsKeepTheirSides resizes and prepares maps that are not square; what is wide must not become high.
func TestMapsKeepTheirSides(t *testing.T) {
	m := bump(12, 5, .8, .3, .1, 1, 6)
	for name, got := range map[string]viz.Map{"resize": m.Resize(48, 30), "attention map": m.AttMap(48, 30)} {
		x, y := got.Peak()
		if got.W != 48 || got.H != 30 || math.Abs(x-.8) > .06 || math.Abs(y-.3) > .12 {
			t.Errorf("%s: got %d by %d cells with the peak at %.2f, %.2f, want 48 by 30 and near 0.8, 0.3", name, got.W, got.H, x, y)
		}
	}
}
