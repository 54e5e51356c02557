package viz

import (
	"image"
	"math"
	"strconv"
)

// Bar is one named value, usually an answer and its probability.
type Bar struct {
	Label string
	Value float64 // NaN draws no bar and says so
	Mark  Mark
}

// BarsOptions says how [Bars] draws; the zero value works.
type BarsOptions struct {
	Title string      // wrapped to three lines; a question for example
	Image image.Image // the picture asked about, to the left; nil for none
	Max   float64     // the value of a full bar; 0 means 1
	Width float64     // of the figure in points; 0 means 460, or 640 with a picture
	Scale float64     // pixels a point; 0 means 1

	Interpolation Interpolation
}

// Bars draws horizontal bars below each other, such as the probabilities of answers.
func Bars(bars []Bar, o BarsOptions) image.Image {
	const pad, row, gap = 16, 26, 16
	t := newTypeset(o.Scale)
	width, x := o.Width, float64(pad)
	var pic frame
	if !(width > 0) {
		width = 460
		if o.Image != nil {
			width = 640
		}
	}
	width = max(width, 200)
	if o.Image != nil {
		w, h := fitSize(o.Image, width*.3, width*.4)
		pic = frame{pad, pad, w, h}
		x += w + gap
	}
	title := t.wrap(o.Title, width-x-pad, 3, titleStyle())
	top := pad + float64(len(title))*titleStyle().line()
	if len(title) > 0 {
		top += 6
	}
	height := max(top+row*float64(len(bars)), pic.y+pic.h) + pad
	c := newCanvas(t, width, height)
	if o.Image != nil {
		c.picture(o.Image, pic, o.Interpolation)
		c.border(pic, .75, lineColour)
	}
	c.lines(title, x, pad, titleStyle())
	c.bars(bars, frame{x, top, width - x - pad, row}, o.Max)
	return c.figure()
}

// bars draws one bar a row, f being the first row: label, bar, value.
func (c *canvas) bars(bars []Bar, f frame, full float64) {
	if !(full > 0) {
		full = 1
	}
	label, value := 0.0, 0.0
	for _, b := range bars {
		s := barStyle(b)
		label = math.Max(label, c.width(b.Label, s))
		value = math.Max(value, c.width(barValue(b.Value), s))
	}
	label = min(label+2, f.w*.4)
	track := frame{f.x + label + 10, f.y + 5, f.w - label - value - 20, f.h - 10}
	for _, b := range bars {
		s, col := barStyle(b), mainColour
		if marked, ok := b.Mark.colour(); ok {
			col = marked
		}
		c.text(c.fit(b.Label, label, s), f.x, f.y+f.h/2-s.line()/2, s, left)
		c.fill(track, faintColour)
		if w := track.w * unit(b.Value/full); w > 0 {
			c.fill(frame{track.x, track.y, max(w, 1), track.h}, col)
		}
		c.text(barValue(b.Value), f.x+f.w, f.y+f.h/2-s.line()/2, s, right)
		f.y, track.y = f.y+f.h, track.y+f.h
	}
}

func barStyle(b Bar) style {
	s := captionStyle()
	s.bold = b.Mark != NoMark
	return s
}

func barValue(v float64) string {
	if math.IsNaN(v) {
		return "none"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
