package viz

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// GridOptions says how [LayerHeadGrid] draws; the zero value works.
type GridOptions struct {
	Title         string  // wrapped to three lines
	FirstLayer    int     // the number of the first row
	Cell          float64 // longer side of a map in points; 0 means 84
	Scale         float64 // pixels a point; 0 means 1
	Interpolation Interpolation
	Colormap      Colormap // nil means Turbo
	SharedRange   bool     // all maps on one scale of values; otherwise each has its own
	Best          *[2]int  // a row and a column of maps to frame; nil for none
}

// LayerHeadGrid draws the maps of every layer, maps[l], and head, maps[l][h], over small copies of the picture, which may be nil.
// Rows may differ in length; a zero Map leaves its place to the plain picture.
func LayerHeadGrid(img image.Image, maps [][]Map, o GridOptions) image.Image {
	const pad, gap, side = 16.0, 5.0, 58.0
	t := newTypeset(o.Scale)
	cell := o.Cell
	if !(cell > 0) {
		cell = 84
	}
	w, h := fitSize(img, cell, cell)
	cols := 1
	for _, row := range maps {
		cols = max(cols, len(row))
	}
	low, high := "min", "max"
	if r := o.span(maps, Map{}); o.SharedRange {
		low, high = number(r[0]), number(r[1])
	}
	width := 2*pad + side + float64(cols)*(w+gap) - gap + t.colorBarWidth(low, high)
	title := t.wrap(o.Title, width-2*pad, 3, titleStyle())
	top := pad + float64(len(title))*titleStyle().line()
	if len(title) > 0 {
		top += 6
	}
	top += noteStyle().line() + 2
	rows := max(len(maps), 1)
	c := newCanvas(t, width, top+float64(rows)*(h+gap)-gap+pad)
	c.lines(title, pad, pad, titleStyle())
	at := func(l, k int) frame {
		return frame{pad + side + float64(k)*(w+gap), top + float64(l)*(h+gap), w, h}
	}
	for k := range cols {
		f := at(0, k)
		c.text(gridColumn(k, w), f.x+w/2, f.y-noteStyle().line()-1, noteStyle(), middle)
	}
	for l, row := range maps {
		c.text(fmt.Sprintf("layer %d", o.FirstLayer+l), pad+side-8, at(l, 0).y+h/2-noteStyle().line()/2, noteStyle(), right)
		for k, m := range row {
			c.overlay(img, m, at(l, k), OverlayOptions{Fade: true, Opacity: .9, Interpolation: o.Interpolation, Colormap: o.Colormap, Range: o.span(maps, m)})
		}
	}
	if o.Best != nil {
		c.border(at(o.Best[0], o.Best[1]).inset(-3), 3, badColour)
	}
	barHeight := float64(rows)*(h+gap) - gap
	c.colorBar(frame{at(0, cols).x - gap + 10, top, 12, barHeight}, OverlayOptions{Colormap: o.Colormap}.colormap(), low, high)
	return c.figure()
}

// gridColumn names a column: in full where there is room.
func gridColumn(k int, width float64) string {
	if width < 48 {
		return fmt.Sprint(k)
	}
	return fmt.Sprintf("head %d", k)
}

// span is the range of values that a map's colours stand for.
func (o GridOptions) span(maps [][]Map, m Map) [2]float64 {
	if !o.SharedRange {
		lo, hi := m.bounds()
		return [2]float64{lo, hi}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, m := range slices.Concat(maps...) {
		if !m.IsEmpty() {
			l, h := m.bounds()
			lo, hi = min(lo, l), max(hi, h)
		}
	}
	if lo > hi {
		return [2]float64{}
	}
	return [2]float64{lo, hi}
}
