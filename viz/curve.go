package viz

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// Series is one line of a plot. NaN and infinite values leave gaps.
type Series struct {
	Name string    // in the legend
	X    []float64 // as long as Y; nil counts 0, 1, 2, ...
	Y    []float64
}

// CurveOptions says how [Curves] draws; the zero value works.
type CurveOptions struct {
	Title, XLabel, YLabel string
	Width, Height         float64 // of the figure in points; 0 means 640 by 360
	Scale                 float64 // pixels a point; 0 means 1
	LogY                  bool    // logarithmic; values of 0 and below leave gaps
	// Smooth is the weight of the past in an exponential mean, drawn over the faint raw line, from 0 to below 1. 0 means 0.9 for
	// series of 40 values and more and none for shorter ones; below 0 means none.
	Smooth float64
}

// Curves plots series, such as losses against steps, with axes and a legend. It panics when a series' X and Y differ in length.
func Curves(series []Series, o CurveOptions) image.Image {
	p := newPlot(series, o)
	c := newCanvas(p.set, p.width, p.height)
	c.lines(p.title, 16, 14, titleStyle())
	p.drawAxes(c)
	p.legend(c)
	empty := true
	for i, s := range p.series {
		p.drawSeries(c, s, seriesColour(i))
		empty = empty && len(s.runs()) == 0
	}
	if empty {
		c.text("no values yet", p.area.x+p.area.w/2, p.area.y+p.area.h/2-8, noteStyle(), middle)
	}
	return c.figure()
}

// plot is what a figure of curves is made from: finished series, axes and the area that they span.
type plot struct {
	o             CurveOptions
	set           *typeset
	title         []string
	width, height float64
	series        []line
	x, y          axis
	area          frame
}

// line is a series with its smoothed values; smooth is nil where there are none.
type line struct {
	name         string
	x, y, smooth []float64
}

func newPlot(series []Series, o CurveOptions) plot {
	p := plot{o: o, set: newTypeset(o.Scale), width: o.Width, height: o.Height}
	if !(p.width > 0) {
		p.width = 640
	}
	if !(p.height > 0) {
		p.height = 360
	}
	p.width, p.height = max(p.width, 200), max(p.height, 140)
	for _, s := range series {
		p.series = append(p.series, o.line(s))
	}
	p.title = p.set.wrap(o.Title, p.width-32, 2, titleStyle())
	p.scale()
	p.layout()
	return p
}

// line prepares a series: missing x are counted, unusable values become NaN.
func (o CurveOptions) line(s Series) line {
	l := line{name: s.Name, x: s.X, y: slices.Clone(s.Y)}
	if s.X == nil {
		l.x = make([]float64, len(s.Y))
		for i := range l.x {
			l.x[i] = float64(i)
		}
	}
	if len(l.x) != len(l.y) {
		panic("viz: series " + s.Name + ": X and Y differ in length")
	}
	for i, v := range l.y {
		if !isFinite(v) || !isFinite(l.x[i]) || o.LogY && v <= 0 {
			l.y[i] = math.NaN()
		}
	}
	weight := o.Smooth
	if weight == 0 && len(l.y) >= 40 {
		weight = .9
	}
	if weight > 0 && weight < 1 {
		l.smooth = smoothed(l.y, weight)
	}
	return l
}

// smoothed is the exponential mean of what came so far, the start not pulled to 0. Gaps stay gaps and do not count.
func smoothed(y []float64, weight float64) []float64 {
	out := make([]float64, len(y))
	sum, total := 0.0, 0.0
	for i, v := range y {
		if math.IsNaN(v) {
			out[i] = v
			continue
		}
		sum, total = weight*sum+(1-weight)*v, weight*total+(1-weight)
		out[i] = sum / total
	}
	return out
}

// scale fits the axes to all that must be seen: the smoothed lines whole, and of raw values all but the wildest half percent, so
// that one spike does not flatten the plot.
func (p *plot) scale() {
	xlo, xhi, ylo, yhi := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range p.series {
		var raw []float64
		for i, v := range l.y {
			if math.IsNaN(v) {
				continue
			}
			raw = append(raw, v)
			xlo, xhi = min(xlo, l.x[i]), max(xhi, l.x[i])
			if l.smooth != nil {
				ylo, yhi = min(ylo, l.smooth[i]), max(yhi, l.smooth[i])
			}
		}
		if len(raw) > 0 {
			slices.Sort(raw)
			cut := 0
			if l.smooth != nil {
				cut = len(raw) / 200
			}
			ylo, yhi = min(ylo, raw[cut]), max(yhi, raw[len(raw)-1-cut])
		}
	}
	p.x = newAxis(xlo, xhi, false)
	p.y = newAxis(ylo, yhi, p.o.LogY).pad(.05)
}

// layout leaves room for the title, the legend, and the labels of the axes.
func (p *plot) layout() {
	s := noteStyle()
	top := 16 + float64(len(p.title))*titleStyle().line()
	if p.named() {
		top += captionStyle().line() + 6
	}
	bottom := 14 + s.line()
	if p.o.XLabel != "" {
		bottom += s.line() + 2
	}
	labels := 0.0
	for _, t := range p.y.ticks(6) {
		labels = max(labels, p.set.width(t.label, s))
	}
	x := 16 + labels + 8
	if p.o.YLabel != "" {
		x += s.line() + 4
	}
	p.area = frame{x, top, p.width - x - 22, p.height - top - bottom - 6}
}

func (p *plot) named() bool {
	return slices.ContainsFunc(p.series, func(l line) bool { return l.name != "" })
}

// drawAxes draws the ticks with faint lines across, the base line and the names of the axes.
func (p *plot) drawAxes(c *canvas) {
	s, a := noteStyle(), p.area
	for _, t := range p.y.ticks(6) {
		y := a.y + a.h*(1-p.y.at(t.value))
		c.fill(frame{a.x, y, a.w, .75}, faintLine())
		c.text(t.label, a.x-7, y-s.line()/2, s, right)
	}
	for _, t := range p.x.ticks(max(2, int(a.w/64))) {
		x := a.x + a.w*p.x.at(t.value)
		c.fill(frame{x, a.y + a.h, .75, 5}, mutedColour)
		c.text(t.label, x, a.y+a.h+7, s, middle)
	}
	c.fill(frame{a.x, a.y + a.h, a.w, 1}, mutedColour)
	c.text(c.fit(p.o.XLabel, a.w, s), a.x+a.w/2, p.height-12-s.line(), s, middle)
	c.upright(c.fit(p.o.YLabel, a.h, s), 14, a.y+a.h/2, s)
}

func faintLine() color.Color { return rgb(0xe4e8ec) }

// legend names the series above the plot, in one row as far as they fit.
func (p *plot) legend(c *canvas) {
	if !p.named() {
		return
	}
	s := captionStyle()
	x, y := p.area.x, p.area.y-s.line()-8
	for i, l := range p.series {
		room := p.area.x + p.area.w - x - 20
		if room < 30 {
			c.text("…", x, y, s, left)
			return
		}
		name := c.fit(l.name, min(room, p.area.w/2), s)
		c.fill(frame{x, y + s.line()/2 - 1.5, 14, 3}, seriesColour(i))
		c.text(name, x+19, y, s, left)
		x += 19 + c.width(name, s) + 16
	}
}

// drawSeries draws one line: smoothed over faint raw, or raw alone. A value without neighbours is a dot.
func (p *plot) drawSeries(c *canvas, l line, col color.NRGBA) {
	// Only up and down can values lie outside; at the sides there is room for half a line's width.
	c.within(frame{p.area.x - 4, p.area.y - 2, p.area.w + 8, p.area.h + 2}, func() {
		if l.smooth != nil {
			faint := col
			faint.A = 70
			p.stroke(c, l.x, l.y, faint, 1)
			p.stroke(c, l.x, l.smooth, col, 2)
			return
		}
		p.stroke(c, l.x, l.y, col, 2)
	})
}

func (p *plot) stroke(c *canvas, x, y []float64, col color.NRGBA, width float64) {
	runs := line{x: x, y: y}.runs()
	all := make(path, 0, len(y))
	for _, r := range runs {
		all = append(all, p.trace(c.scale, x[r[0]:r[1]], y[r[0]:r[1]], width)...)
	}
	c.stroke(all, col, pen{width: width})
}

// trace is the path of one unbroken run. Of a run with many more values than pixels, k a point, only the lowest and the highest of
// each group stay.
func (p *plot) trace(k float64, x, y []float64, width float64) (out path) {
	at := func(i int) (float64, float64) {
		return p.area.x + p.area.w*p.x.at(x[i]), p.area.y + p.area.h*(1-p.y.at(y[i]))
	}
	if len(x) == 1 {
		px, py := at(0)
		out.circle(px, py, width/2) // stroked width wide, this is a full dot
		return out
	}
	group := max(1, len(x)/int(max(1, 2*p.area.w*k)))
	for i := 0; i < len(x); i += group {
		end := min(i+group, len(x))
		lo, hi := i, i
		for j := i; j < end; j++ {
			if y[j] < y[lo] {
				lo = j
			}
			if y[j] > y[hi] {
				hi = j
			}
		}
		out.line(at(min(lo, hi)))
		if lo != hi {
			out.line(at(max(lo, hi)))
		}
	}
	return out
}

// runs are the stretches without gaps, each from its first value to past its last.
func (l line) runs() [][2]int {
	var out [][2]int
	start := -1
	for i := 0; i <= len(l.y); i++ {
		switch gap := i == len(l.y) || math.IsNaN(l.y[i]); {
		case gap && start >= 0:
			out, start = append(out, [2]int{start, i}), -1
		case !gap && start < 0:
			start = i
		}
	}
	return out
}

// seriesColour is the colour of series i, from the palette of Okabe and Ito, which colour-blind readers can tell apart.
func seriesColour(i int) color.NRGBA {
	palette := [...]rgb{0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x4d4d4d}
	c := palette[i%len(palette)]
	return color.NRGBA{uint8(c >> 16), uint8(c >> 8 & 255), uint8(c & 255), 255}
}
