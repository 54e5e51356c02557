package viz_test

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"vlab/viz"

	"github.com/fogleman/gg"
)

// scene is a drawn picture of w by h pixels: a red circle on the left, a blue square on the right, a small yellow triangle.
func scene(w, h int) image.Image {
	dc := gg.NewContext(w, h)
	x, y := float64(w), float64(h)
	u := min(x, y)
	dc.SetHexColor("#dfe9d8")
	dc.Clear()
	dc.SetHexColor("#b9cfa8")
	dc.DrawRectangle(0, .72*y, x, y)
	dc.Fill()
	dc.SetHexColor("#d7263d")
	dc.DrawCircle(.28*x, .5*y, .17*u)
	dc.Fill()
	dc.SetHexColor("#1b5fc1")
	dc.DrawRectangle(.72*x-.14*u, .58*y-.14*u, .28*u, .28*u)
	dc.Fill()
	dc.SetHexColor("#f2b705")
	dc.DrawRegularPolygon(3, .55*x, .2*y, .1*u, 0)
	dc.Fill()
	return dc.Image()
}

// sceneBox is the red circle of a square scene.
func sceneBox() [4]float64 { return [4]float64{.11, .33, .34, .34} }

// bump is a map of w by h cells with a hill around cx, cy in 0..1 and some noise from a seed.
func bump(w, h int, cx, cy, width, height float64, seed uint64) viz.Map {
	r := rand.New(rand.NewPCG(seed, 7))
	m := viz.Map{W: w, H: h, V: make([]float32, w*h)}
	for i := range m.V {
		dx, dy := (float64(i%w)+.5)/float64(w)-cx, (float64(i/w)+.5)/float64(h)-cy
		m.V[i] = float32(height * (math.Exp(-(dx*dx+dy*dy)/(2*width*width)) + .12*r.Float64()))
	}
	return m
}

// losses is a falling, noisy curve with a spike and a gap.
func losses(n int, from, to float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	y := make([]float64, n)
	for i := range y {
		y[i] = to + (from-to)*math.Exp(-4*float64(i)/float64(n)) + .25*r.NormFloat64()*math.Exp(-2*float64(i)/float64(n))
	}
	y[n/3], y[n/2] = 4*from, math.NaN()
	return y
}

func solid(w, h int, c color.Color) *image.NRGBA {
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			im.Set(x, y, c)
		}
	}
	return im
}
