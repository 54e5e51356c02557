package scenes

import (
	"image"
	"image/color"

	"github.com/fogleman/gg"
)

// Render draws the scene as a square picture of the given side in pixels, whatever s.Size is. The same scene gives
// the same bytes on every machine. It panics when size is not positive.
func (s *Scene) Render(size int) *image.RGBA {
	if size <= 0 {
		panic("scenes: render: size must be positive")
	}
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	s.Background.paint(picture.Pix, size)
	dc := gg.NewContextForRGBA(picture)
	dc.SetFillRuleEvenOdd()
	for _, o := range s.Objects {
		r := unitRect(o.Box, s.Size)
		if o.Shape.IsPictogram() {
			o.Shape.pictogram().paint(picture.Pix, size, r)
			continue
		}
		dc.SetColor(o.paint())
		if o.Texture != NoTexture {
			dc.SetFillStyle(newWeave(o, size))
		}
		for _, c := range outline(o.Shape) {
			trace(dc, c, r, size)
		}
		dc.Fill()
	}
	return picture
}

// paint is the object's colour with its tint.
func (o Object) paint() color.RGBA {
	c := o.Colour.RGB()
	move := func(v uint8, by int8) uint8 { return uint8(min(max(int(v)+int(by), 0), 255)) }
	return color.RGBA{move(c.R, o.Tint[0]), move(c.G, o.Tint[1]), move(c.B, o.Tint[2]), 255}
}

// trace adds a contour, stretched over the box r, to the path. Coordinates are rounded to the 64ths of a pixel
// that the rasteriser works in, so it receives them exactly.
func trace(dc *gg.Context, c contour, r rect, size int) {
	to64 := func(v int) float64 { return float64((v*size+unit/128)/(unit/64)) / 64 }
	at := func(p point) (x, y float64) { return to64(r.x + p.x*r.w/unit), to64(r.y + p.y*r.h/unit) }
	x, y := at(c.start)
	dc.MoveTo(x, y)
	for _, k := range c.curves {
		x, y := at(k.to)
		if k.bent {
			cx, cy := at(k.ctrl)
			dc.QuadraticTo(cx, cy, x, y)
		} else {
			dc.LineTo(x, y)
		}
	}
	dc.ClosePath()
}
