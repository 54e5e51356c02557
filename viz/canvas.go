package viz

import (
	"image"
	"image/color"
	"math"

	"github.com/fogleman/gg"
	"golang.org/x/image/draw"
)

// The colours of every figure: dark grey text on white, with marks that stay apart for colour-blind readers.
const (
	inkColour   = rgb(0x1f2328)
	mutedColour = rgb(0x656d76)
	lineColour  = rgb(0xd0d7de)
	faintColour = rgb(0xf3f4f6)
	paperColour = rgb(0xffffff)
	goodColour  = rgb(0x1a7f5a)
	badColour   = rgb(0xc4432b)
	mainColour  = rgb(0x2f6fbb)
	truthColour = rgb(0x7bf05a)
)

// rgb is an opaque colour as 0xrrggbb.
type rgb uint32

// RGBA makes rgb a color.Color.
func (c rgb) RGBA() (r, g, b, a uint32) {
	return uint32(c>>16&255) * 257, uint32(c>>8&255) * 257, uint32(c&255) * 257, 65535
}

// align says which point of a line of text its x coordinate names.
type align float64

const (
	left   align = 0
	middle align = .5
	right  align = 1
)

// frame is a rectangle in points.
type frame struct{ x, y, w, h float64 }

// inset is the frame made smaller by d on each side.
func (f frame) inset(d float64) frame { return frame{f.x + d, f.y + d, f.w - 2*d, f.h - 2*d} }

// canvas draws in points on white paper.
type canvas struct {
	*typeset
	dc *gg.Context
	im *image.RGBA
}

// newCanvas makes paper of w by h points.
func newCanvas(t *typeset, w, h float64) *canvas {
	im := image.NewRGBA(image.Rect(0, 0, max(1, int(math.Ceil(w*t.scale))), max(1, int(math.Ceil(h*t.scale)))))
	draw.Draw(im, im.Rect, image.NewUniform(paperColour), image.Point{}, draw.Src)
	return &canvas{typeset: t, dc: gg.NewContextForRGBA(im), im: im}
}

// pixels is the frame in whole pixels, at least one wide and high.
func (c *canvas) pixels(f frame) image.Rectangle {
	px := func(v float64) int { return int(math.Round(v * c.scale)) }
	r := image.Rect(px(f.x), px(f.y), px(f.x+f.w), px(f.y+f.h))
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	return r
}

// fill paints a frame, on whole pixels so that its edges are sharp.
func (c *canvas) fill(f frame, col color.Color) {
	draw.Draw(c.im, c.pixels(f), image.NewUniform(col), image.Point{}, draw.Over)
}

// border paints the outline of a frame, inside it, width points wide.
func (c *canvas) border(f frame, width float64, col color.Color) {
	r, d := c.pixels(f), max(1, int(math.Round(width*c.scale)))
	for _, side := range []image.Rectangle{
		image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+d), image.Rect(r.Min.X, r.Max.Y-d, r.Max.X, r.Max.Y),
		image.Rect(r.Min.X, r.Min.Y+d, r.Min.X+d, r.Max.Y-d), image.Rect(r.Max.X-d, r.Min.Y+d, r.Max.X, r.Max.Y-d),
	} {
		draw.Draw(c.im, side.Intersect(r), image.NewUniform(col), image.Point{}, draw.Over)
	}
}

// text writes one line whose top is at y.
func (c *canvas) text(text string, x, y float64, s style, a align) {
	x -= float64(a) * c.width(text, s)
	c.dc.SetFontFace(c.face(s))
	c.dc.SetColor(s.ink)
	c.dc.DrawString(text, math.Round(x*c.scale), math.Round((y+s.size*1.02)*c.scale))
}

// lines writes lines below each other and returns the y below the last.
func (c *canvas) lines(lines []string, x, y float64, s style) float64 {
	for _, l := range lines {
		c.text(l, x, y, s, left)
		y += s.line()
	}
	return y
}

// path strokes what draw adds to the context, width points wide. The context is in pixels: draw multiplies by the scale.
func (c *canvas) path(col color.Color, width float64, add func(dc *gg.Context, scale float64)) {
	c.dc.Push()
	c.dc.SetColor(col)
	c.dc.SetLineWidth(width * c.scale)
	add(c.dc, c.scale)
	c.dc.Stroke()
	c.dc.Pop()
}

// cased strokes a path in a colour with a dark edge around it, to be seen on any picture.
func (c *canvas) cased(col color.Color, width float64, add func(dc *gg.Context, scale float64)) {
	c.path(color.NRGBA{0, 0, 0, 170}, width+2, add)
	c.path(col, width, add)
}
