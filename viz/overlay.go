package viz

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
)

// OverlayOptions says how [Overlay] draws. The zero value is a plain heat map over the picture, as every field's zero value means its default.
type OverlayOptions struct {
	Size          float64       // longer side of the picture in points; 0 means 320
	Scale         float64       // pixels a point; 0 means 1
	Interpolation Interpolation // how the picture is enlarged
	Colormap      Colormap      // nil means Turbo
	Opacity       float64       // of the hottest place, 0..1; 0 means 0.8
	Gamma         float64       // power that turns a value into its opacity; 0 means 1, [AttMap] has 0.7
	Range         [2]float64    // values at the two ends of the colour map; equal means the map's own
	Fade          bool          // turns the picture grey under the heat
	Box           [4]float64    // x, y, width, height in 0..1; without width and height none is drawn
	Truth         *[4]float64   // the true box, dashed; nil for none
	Peak          *[2]float64   // a point to mark; nil for none
	Title         string        // above the picture, wrapped to three lines
	ColorBar      bool          // to the right, with its smallest and largest value
}

// Overlay draws a heat map smoothly over a picture, with what the options add. A zero map leaves the picture without heat.
func Overlay(img image.Image, m Map, o OverlayOptions) image.Image {
	const pad = 10
	t := newTypeset(o.Scale)
	size := o.Size
	if !(size > 0) {
		size = 320
	}
	w, h := fitSize(img, size, size)
	plain := o.Title == "" && !o.ColorBar
	if plain {
		c := newCanvas(t, w, h)
		c.overlay(img, m, frame{0, 0, w, h}, o)
		return c.figure()
	}
	width := w + 2*pad
	lo, hi := o.span(m)
	if o.ColorBar {
		width += t.colorBarWidth(number(lo), number(hi))
	}
	// A tall, narrow picture still gets room for its title.
	width = max(width, 140)
	title := t.wrap(o.Title, width-2*pad, 3, headStyle())
	top := pad + float64(len(title))*headStyle().line()
	if len(title) > 0 {
		top += 4
	}
	c := newCanvas(t, width, top+h+pad)
	c.lines(title, pad, pad, headStyle())
	c.overlay(img, m, frame{pad, top, w, h}, o)
	if o.ColorBar {
		c.colorBar(frame{pad + w + 10, top, 12, h}, o.colormap(), number(lo), number(hi))
	}
	return c.figure()
}

func (o OverlayOptions) colormap() Colormap {
	if o.Colormap == nil {
		return Turbo
	}
	return o.Colormap
}

// span is the pair of values at the ends of the colour map.
func (o OverlayOptions) span(m Map) (lo, hi float64) {
	if o.Range[0] != o.Range[1] {
		return o.Range[0], o.Range[1]
	}
	return m.bounds()
}

// overlay draws picture, heat, boxes and peak into a frame.
func (c *canvas) overlay(img image.Image, m Map, f frame, o OverlayOptions) {
	c.paste(img, f, o.Interpolation)
	if o.Fade {
		c.fade(f)
	}
	if !m.IsEmpty() {
		r := c.pixels(f)
		draw.Draw(c.im, r, o.heat(m, r.Dx(), r.Dy()), image.Point{}, draw.Over)
	}
	c.keep(f)
	if o.Truth != nil {
		c.box(f, *o.Truth, truthColour, true)
	}
	c.box(f, o.Box, paperColour, false)
	if o.Peak != nil {
		c.cross(f, *o.Peak)
	}
}

// heat is the map at w by h pixels as a layer to be laid over a picture.
func (o OverlayOptions) heat(m Map, w, h int) *image.NRGBA {
	opacity, gamma := o.Opacity, o.Gamma
	if !(opacity > 0) {
		opacity = .8
	}
	if !(gamma > 0) {
		gamma = 1
	}
	lo, hi := o.span(m)
	p := m.plane().spline(w, h, repeatEdge)
	// A small blur takes away the last of the grid; it is narrow beside a cell, so that peaks stay where they are.
	p = p.blur(.15*float64(w)/float64(m.W), .15*float64(h)/float64(m.H), reflectEdge)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, v := range p.asMap().Stretch(lo, hi).V {
		col := o.colormap()(float64(v))
		a := byte8(min(opacity, 1) * math.Pow(float64(v), gamma))
		out.SetNRGBA(i%w, i/w, color.NRGBA{col.R, col.G, col.B, a})
	}
	return out
}

// box outlines a box given in fractions of a frame, clipped to the frame. One without extent is not drawn.
func (c *canvas) box(f frame, box [4]float64, col color.Color, dashed bool) {
	if !(box[2] > 0 && box[3] > 0) {
		return
	}
	x0, y0 := f.x+f.w*unit(box[0]), f.y+f.h*unit(box[1])
	x1, y1 := f.x+f.w*unit(box[0]+box[2]), f.y+f.h*unit(box[1]+box[3])
	// Lines are drawn around their path: half their width inwards keeps a box along the border whole.
	g := frame{x0, y0, x1 - x0, y1 - y0}.inset(min(1.5, (x1-x0)/2, (y1-y0)/2))
	var p path
	p.box(g)
	c.stroke(p, color.NRGBA{0, 0, 0, 170}, pen{width: 3.5})
	with := pen{width: 2}
	if dashed {
		with.dash = 6
	}
	c.stroke(p, col, with)
}

// cross marks a point given in fractions of a frame by a ring with four ticks.
func (c *canvas) cross(f frame, at [2]float64) {
	x, y := f.x+f.w*unit(at[0]), f.y+f.h*unit(at[1])
	r := min(6, max(3, min(f.w, f.h)/24))
	var p path
	p.circle(x, y, r)
	for _, d := range [][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
		p.segment(x+d[0]*(r-2), y+d[1]*(r-2), x+d[0]*(r+3), y+d[1]*(r+3))
	}
	c.cased(p, paperColour, 1.6)
}

// colorBarWidth is the room that a colour bar needs to the right of a picture.
func (t *typeset) colorBarWidth(low, high string) float64 {
	return 10 + 12 + 5 + max(t.width(low, noteStyle()), t.width(high, noteStyle()))
}

// colorBar draws a standing colour bar, its ends named to its right.
func (c *canvas) colorBar(f frame, cm Colormap, low, high string) {
	r := c.pixels(f)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		col := cm(1 - (float64(y-r.Min.Y)+.5)/float64(r.Dy()))
		draw.Draw(c.im, image.Rect(r.Min.X, y, r.Max.X, y+1), image.NewUniform(col), image.Point{}, draw.Src)
	}
	c.keep(f)
	c.border(f, .75, lineColour)
	s := noteStyle()
	c.text(high, f.x+f.w+5, f.y-2, s, left)
	c.text(low, f.x+f.w+5, f.y+f.h-s.line()+2, s, left)
}
