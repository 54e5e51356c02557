package viz

import (
	"fmt"
	"image"
)

// CompareSide is one of the pictures that [Compare] puts beside each other.
type CompareSide struct {
	Image   image.Image
	Caption string     // below, wrapped to three lines
	Map     Map        // heat over the picture; the zero Map leaves it plain
	Box     [4]float64 // x, y, width, height in 0..1; without extent none is drawn
}

// CompareOptions says how [Compare] draws; the zero value works.
type CompareOptions struct {
	Title         string  // the sentence that the pictures are judged by, wrapped to three lines
	Verdict       string  // what the model says, "true" for example; empty leaves it out
	Mark          Mark    // the verdict's mark
	Probability   float64 // of the verdict, shown with it; 0 leaves it out
	Size          float64 // longer side of a picture in points; 0 means 260
	Scale         float64 // pixels a point; 0 means 1
	Interpolation Interpolation
	Colormap      Colormap // nil means Turbo
}

// Compare draws pictures side by side under one sentence with the model's verdict on them: a pair of NLVR, a model before and after
// training, two kinds of map. There may be one picture or more than two; all get the same height.
func Compare(sides []CompareSide, o CompareOptions) image.Image {
	const pad, gap = 16, 14
	t := newTypeset(o.Scale)
	size := o.Size
	if !(size > 0) {
		size = 260
	}
	// One height for all, such that the widest is size wide.
	height, width := size, 2.0*pad
	for _, s := range sides {
		w, h := fitSize(s.Image, size, size)
		height = min(height, h*size/max(w, h))
	}
	frames := make([]frame, len(sides))
	for i, s := range sides {
		w, _ := fitSize(s.Image, 4*size, height)
		frames[i] = frame{width - pad, 0, w, height}
		width += w + gap
	}
	width = max(width-gap, 240)
	title := t.wrap(o.Title, width-2*pad, 3, titleStyle())
	top := pad + float64(len(title))*titleStyle().line()
	if len(title) > 0 {
		top += 8
	}
	captions := make([][]string, len(sides))
	below := 0.0
	for i, s := range sides {
		captions[i] = t.wrap(s.Caption, max(frames[i].w, 60), 3, captionStyle())
		below = max(below, 6+float64(len(captions[i]))*captionStyle().line())
	}
	bottom := top + height + below
	if o.verdict() != "" {
		bottom += 6 + titleStyle().line()
	}
	c := newCanvas(t, width, bottom+pad-4)
	c.lines(title, pad, pad, titleStyle())
	for i, s := range sides {
		f := frames[i]
		f.y = top
		c.overlay(s.Image, s.Map, f, OverlayOptions{Box: s.Box, Fade: !s.Map.IsEmpty(), Interpolation: o.Interpolation, Colormap: o.Colormap})
		c.border(f, .75, lineColour)
		c.lines(captions[i], f.x, top+height+6, captionStyle())
	}
	o.drawVerdict(c, pad, top+height+below+4)
	return c.figure()
}

func (o CompareOptions) verdict() string {
	if o.Probability == 0 {
		return o.Verdict
	}
	if o.Verdict == "" {
		return fmt.Sprintf("%.3f", o.Probability)
	}
	return fmt.Sprintf("%s  %.3f", o.Verdict, o.Probability)
}

func (o CompareOptions) drawVerdict(c *canvas, x, y float64) {
	s := titleStyle()
	if col, ok := o.Mark.colour(); ok {
		s.ink = col
	}
	if o.Mark == Right || o.Mark == Wrong {
		c.tick(o.Mark, frame{x, y + 1, 18, 18})
		x += 24
	}
	c.text(o.verdict(), x, y, s, left)
}
