package viz

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Figure is a drawn picture that remembers how it was drawn: [SVG] and [PDF] write its text and lines as outlines instead of pixels. All
// functions of this package that draw a figure return one, except [AttMap], whose result is a picture alone. Changing its pixels
// doesn't change what is remembered.
type Figure struct {
	*image.RGBA

	width, height float64 // in points
	marks         []mark
}

// mark is one thing drawn on white paper: a filled path, a stroked one, or a picture.
type mark struct {
	path   path
	colour color.NRGBA
	pen    *pen   // nil fills the path
	clip   *frame // what is outside is not seen; nil for no limit
	text   string // what the path spells, empty for other paths

	picture *image.RGBA // nil for a path
	at      frame       // where the picture is
}

// pen is how a path is stroked. Corners and, unless it is flat, ends are round.
type pen struct {
	width float64 // in points
	dash  float64 // length of a dash in points, the gap being two thirds of it; 0 for an unbroken line
	flat  bool    // ends where the path ends
}

// gap is the length between two dashes.
func (p pen) gap() float64 { return p.dash * 2 / 3 }

// moved is the mark shifted by dx, dy.
func (m mark) moved(dx, dy float64) mark {
	shift := func(f frame) frame { return frame{f.x + dx, f.y + dy, f.w, f.h} }
	m.path, m.at = m.path.moved(dx, dy), shift(m.at)
	if m.clip != nil {
		clip := shift(*m.clip)
		m.clip = &clip
	}
	return m
}

// remember keeps a path for formats that draw it anew.
func (c *canvas) remember(p path, col color.Color, with *pen, text string) {
	c.marks = append(c.marks, mark{path: p, colour: color.NRGBAModel.Convert(col).(color.NRGBA), pen: with, clip: c.clip, text: text})
}

// keep remembers the pixels that are in a frame now, with all that was painted there.
func (c *canvas) keep(f frame) {
	r := c.pixels(f).Intersect(c.im.Rect)
	if r.Empty() {
		return
	}
	im := image.NewRGBA(image.Rectangle{Max: r.Size()})
	draw.Draw(im, im.Rect, c.im, r.Min, draw.Src)
	at := frame{float64(r.Min.X), float64(r.Min.Y), float64(r.Dx()), float64(r.Dy())}
	k := c.scale
	c.marks = append(c.marks, mark{picture: im, at: frame{at.x / k, at.y / k, at.w / k, at.h / k}, clip: c.clip})
}

// insert puts another canvas with the same scale at x, y.
func (c *canvas) insert(part *canvas, x, y float64) {
	r := c.pixels(frame{x, y, part.w, part.h})
	draw.Draw(c.im, r, part.im, image.Point{}, draw.Src)
	for _, m := range part.marks {
		c.marks = append(c.marks, m.moved(x, y))
	}
}

// figure is the finished picture.
func (c *canvas) figure() *Figure {
	return &Figure{RGBA: c.im, width: c.w, height: c.h, marks: c.marks}
}
