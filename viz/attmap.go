package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// AttMap is the attention-map picture of ALBEF's official demo: the map in 'jet' over the picture, at the picture's own size, the
// heat's weight being the value to the power 0.7. Transparent parts of the picture count as black. Use [Overlay] for a more readable
// one. A zero Map leaves the picture as it is.
func AttMap(img image.Image, m Map) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	rgb := make([]float32, 0, 3*w*h)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			rgb = append(rgb, float32(r)/65535, float32(g)/65535, float32(bl)/65535)
		}
	}
	rgb = AttMapRGB(rgb, w, h, m)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		c := rgb[3*i : 3*i+3]
		out.SetRGBA(i%w, i/w, color.RGBA{byte8(float64(c[0])), byte8(float64(c[1])), byte8(float64(c[2])), 255})
	}
	return out
}

// AttMapRGB is [AttMap] on plain numbers: rgb is a picture of h rows of w pixels with red, green and blue in 0..1 and the result, a
// new slice, has the same form. It panics when rgb does not hold 3*w*h values.
func AttMapRGB(rgb []float32, w, h int, m Map) []float32 {
	if len(rgb) != 3*w*h {
		panic(fmt.Sprintf("viz: attention map over %d by %d pixels, but %d numbers", w, h, len(rgb)))
	}
	out := append([]float32(nil), rgb...)
	if m.IsEmpty() || len(rgb) == 0 {
		return out
	}
	for i, t := range m.AttMap(w, h).V {
		heat, a := jet(float64(t)), math.Pow(float64(t), .7)
		for k := range 3 {
			out[3*i+k] = float32((1-a)*float64(rgb[3*i+k]) + a*heat[k])
		}
	}
	return out
}

// AttMap is the map as the official demo prepares it for a picture of w by h pixels: stretched to 0..1, resized by a cubic
// spline with nothing beyond its border, blurred by 0.02 of the longer side and stretched again. Where the official code divides
// by zero, for a map that is constant after the blur, the result is all 0.
func (m Map) AttMap(w, h int) Map {
	if m.IsEmpty() {
		return m
	}
	p := m.Normalize().plane()
	// As in scikit-image, an axis that shrinks is blurred first, by half a cell for each further cell taken together.
	shrink := func(from, to int) float64 { return max(0, (float64(from)/float64(to)-1)/2) }
	p = p.blur(shrink(p.w, w), shrink(p.h, h), zeroEdge).spline(w, h, zeroEdge)
	sigma := .02 * float64(max(w, h))
	return p.blur(sigma, sigma, reflectEdge).asMap().Normalize()
}
