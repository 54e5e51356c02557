package viz

import (
	"image"
	"image/color"
	"math"
)

// Measured is a measured value Y at X, and the lowest and highest of its repetitions. A point with an X or Y that is NaN or
// infinite is left out, a range with such an end too.
type Measured struct{ X, Y, Low, High float64 }

// Panel is one plot of [Panels]: measured points, and the line that was expected of them.
type Panel struct {
	Title, XLabel, YLabel string
	Note                  string // one line below the title
	Points                []Measured
	Line                  Series // its name doesn't show
}

// PanelsOptions says how [Panels] draws; the zero value works.
type PanelsOptions struct {
	Title         string
	Points, Line  string  // what they are, for the legend
	Columns       int     // 0 means 2
	Width, Height float64 // of a panel in points; 0 means 380 by 280
	Scale         float64 // pixels a point; 0 means 1
}

// Panels plots measured points beside expected lines, panel by panel, row by row. All axes are linear and begin at 0, so that what
// grows in proportion lies on a line through the corner. It panics when a line's X and Y differ in length.
func Panels(panels []Panel, o PanelsOptions) image.Image {
	if o.Columns < 1 {
		o.Columns = 2
	}
	if !(o.Width > 0) {
		o.Width = 380
	}
	if !(o.Height > 0) {
		o.Height = 280
	}
	set := newTypeset(o.Scale)
	columns := min(o.Columns, max(1, len(panels)))
	width := max(o.Width*float64(columns), 240)
	title := set.wrap(o.Title, width-32, 2, titleStyle())
	top := 16 + float64(len(title))*titleStyle().line()
	if o.Points+o.Line != "" {
		top += captionStyle().line() + 4
	}
	rows := (len(panels) + columns - 1) / columns
	c := newCanvas(set, width, top+o.Height*float64(rows))
	y := c.lines(title, 16, 14, titleStyle())
	o.legend(c, y+4, width)
	for i, p := range panels {
		c.insert(p.draw(set, o.Width, o.Height), float64(i%columns)*o.Width, top+float64(i/columns)*o.Height)
	}
	return c.figure()
}

// legend says in one row what the points and the lines are.
func (o PanelsOptions) legend(c *canvas, y, width float64) {
	s := captionStyle()
	x, middleLine := 16.0, y+s.line()/2
	if o.Points != "" {
		c.measured(x+7, middleLine, middleLine-6, middleLine+6)
		name := c.fit(o.Points, width/2-30, s)
		c.text(name, x+20, y, s, left)
		x += 20 + c.width(name, s) + 22
	}
	if o.Line != "" {
		c.fill(frame{x, middleLine - 1, 20, 2}, expectedColour())
		c.text(c.fit(o.Line, width-x-42, s), x+26, y, s, left)
	}
}

func expectedColour() color.NRGBA { return seriesColour(1) }

// draw draws the panel on paper of its own.
func (p Panel) draw(set *typeset, width, height float64) *canvas {
	f := plot{o: CurveOptions{XLabel: p.XLabel, YLabel: p.YLabel}, set: set, width: max(width, 160), height: max(height, 120)}
	f.title = set.wrap(p.Title, f.width-32, 1, headStyle())
	line := f.o.line(p.Line)
	f.x, f.y = p.axes(line)
	f.layout()
	c := newCanvas(set, f.width, f.height)
	y := c.lines(f.title, f.area.x, 10, headStyle())
	if p.Note != "" {
		c.text(c.fit(p.Note, f.area.w, noteStyle()), f.area.x, y, noteStyle(), left)
		down := noteStyle().line()
		f.area.y, f.area.h = f.area.y+down, f.area.h-down
	}
	f.drawAxes(c)
	f.stroke(c, line.x, line.y, expectedColour(), 2)
	for _, m := range p.Points {
		if !isFinite(m.X) || !isFinite(m.Y) {
			continue
		}
		up := func(v float64) float64 { return f.area.y + f.area.h*(1-f.y.at(v)) }
		c.measured(f.area.x+f.area.w*f.x.at(m.X), up(m.Y), up(m.High), up(m.Low))
	}
	return c
}

// axes begin at 0 and hold all points, their ranges and the line.
func (p Panel) axes(l line) (x, y axis) {
	right, top := 0.0, 0.0
	for i, v := range l.y {
		if !math.IsNaN(v) {
			right, top = max(right, l.x[i]), max(top, v)
		}
	}
	for _, m := range p.Points {
		if !isFinite(m.X) || !isFinite(m.Y) {
			continue
		}
		right, top = max(right, m.X), max(top, m.Y)
		if isFinite(m.High) {
			top = max(top, m.High)
		}
	}
	if right <= 0 {
		right = 1
	}
	if top <= 0 {
		top = 1
	}
	return axis{hi: right * 1.05}, axis{hi: top * 1.08}
}

// measured marks a point at x, y with a bar from high to low, which are y coordinates too; without both there is no bar.
func (c *canvas) measured(x, y, high, low float64) {
	col := seriesColour(0)
	if isFinite(high) && isFinite(low) {
		var bar path
		bar.segment(x, high, x, low)
		bar.segment(x-3, high, x+3, high)
		bar.segment(x-3, low, x+3, low)
		c.stroke(bar, col, pen{width: 1.2})
	}
	var dot path
	dot.circle(x, y, 3.2)
	c.solid(dot, col)
}
