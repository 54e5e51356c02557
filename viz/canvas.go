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

// canvas draws in points on white paper, in pixels at once, and remembers what it drew.
type canvas struct {
	*typeset
	w, h  float64 // of the paper, in points
	dc    *gg.Context
	im    *image.RGBA
	marks []mark
	clip  *frame // see within
}

// newCanvas makes paper of w by h points.
func newCanvas(t *typeset, w, h float64) *canvas {
	im := image.NewRGBA(image.Rect(0, 0, max(1, int(math.Ceil(w*t.scale))), max(1, int(math.Ceil(h*t.scale)))))
	draw.Draw(im, im.Rect, image.NewUniform(paperColour), image.Point{}, draw.Src)
	return &canvas{typeset: t, w: w, h: h, dc: gg.NewContextForRGBA(im), im: im}
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
	var p path
	p.box(f)
	c.remember(p, col, nil, "")
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
	var p path
	p.box(f.inset(min(width, f.w, f.h) / 2))
	c.remember(p, col, &pen{width: width}, "")
}

// text writes one line whose top is at y.
func (c *canvas) text(text string, x, y float64, s style, a align) {
	x -= float64(a) * c.width(text, s)
	c.write(text, x, y+s.size*1.02, s, func(at point) point { return at })
}

// upright writes a line turned to be read from below, its left edge at x and its middle at y.
func (c *canvas) upright(text string, x, y float64, s style) {
	c.write(text, x+s.size*1.02, y+c.width(text, s)/2, s, func(at point) point { return point{at.y, -at.x} })
}

// write paints the outlines of a line, turned, its base line beginning at x, y. In the picture it begins on a whole pixel.
func (c *canvas) write(text string, x, y float64, s style, turn func(point) point) {
	line := c.outline(text, s).mapped(turn)
	if len(line) == 0 {
		return
	}
	c.paint(line.moved(math.Round(x*c.scale)/c.scale, math.Round(y*c.scale)/c.scale), s.ink, nil)
	c.remember(line.moved(x, y), s.ink, nil, text)
}

// lines writes lines below each other and returns the y below the last.
func (c *canvas) lines(lines []string, x, y float64, s style) float64 {
	for _, l := range lines {
		c.text(l, x, y, s, left)
		y += s.line()
	}
	return y
}

// solid fills a path.
func (c *canvas) solid(p path, col color.Color) {
	c.paint(p, col, nil)
	c.remember(p, col, nil, "")
}

// stroke draws a path with a pen.
func (c *canvas) stroke(p path, col color.Color, with pen) {
	c.paint(p, col, &with)
	c.remember(p, col, &with, "")
}

// cased strokes a path in a colour with a dark edge around it, to be seen on any picture.
func (c *canvas) cased(p path, col color.Color, width float64) {
	c.stroke(p, color.NRGBA{0, 0, 0, 170}, pen{width: width + 2})
	c.stroke(p, col, pen{width: width})
}

// within clips what is drawn by draw to a frame.
func (c *canvas) within(f frame, draw func()) {
	k := c.scale
	c.dc.DrawRectangle(f.x*k, f.y*k, f.w*k, f.h*k)
	c.dc.Clip()
	c.clip = &f
	draw()
	c.clip = nil
	c.dc.ResetClip()
}

// paint puts a path's pixels on the paper; without a pen it is filled.
func (c *canvas) paint(p path, col color.Color, with *pen) {
	c.dc.Push()
	defer c.dc.Pop()
	c.dc.SetColor(col)
	k := c.scale
	for _, s := range p {
		a, b, d := s.at[0], s.at[1], s.at[2]
		switch s.verb {
		case moveTo:
			c.dc.MoveTo(a.x*k, a.y*k)
		case lineTo:
			c.dc.LineTo(a.x*k, a.y*k)
		case quadTo:
			c.dc.QuadraticTo(a.x*k, a.y*k, b.x*k, b.y*k)
		case cubeTo:
			c.dc.CubicTo(a.x*k, a.y*k, b.x*k, b.y*k, d.x*k, d.y*k)
		case shut:
			c.dc.ClosePath()
		}
	}
	if with == nil {
		c.dc.Fill()
		return
	}
	c.dc.SetLineWidth(with.width * k)
	if with.dash > 0 {
		c.dc.SetDash(with.dash*k, with.gap()*k)
	}
	if with.flat {
		c.dc.SetLineCapButt()
	}
	c.dc.Stroke()
}
