package viz

import (
	"errors"
	"fmt"
	"image"

	"golang.org/x/image/draw"
)

// PrintOptions is the size of what [SVG] and [PDF] write, in millimetres. The picture is made as large as fits and the page as large as
// the picture; 0 leaves a side free. With both sides free a [Figure] has its own size, 72 points an inch, and any other picture
// 300 pixels an inch.
type PrintOptions struct{ Width, Height float64 }

const (
	pointsPerInch = 72
	pixelsPerInch = 300
	mmPerInch     = 25.4
)

// page is what is to be written: marks on w by h points of paper, each of them scale points of the page long.
type page struct {
	w, h, scale float64
	marks       []mark
}

// mm is a length on the page in millimetres.
func (p page) mm(points float64) float64 { return points * p.scale / pointsPerInch * mmPerInch }

func (o PrintOptions) page(img image.Image) (page, error) {
	if !(o.Width >= 0) || !(o.Height >= 0) || !isFinite(o.Width) || !isFinite(o.Height) {
		return page{}, fmt.Errorf("a page of %g by %g mm", o.Width, o.Height)
	}
	if img == nil || img.Bounds().Empty() {
		return page{}, errors.New("the picture is empty")
	}
	p := page{scale: 1}
	if f, ok := img.(*Figure); ok {
		p.w, p.h, p.marks = f.width, f.height, f.marks
	} else {
		flat := onPaper(img)
		k := float64(pointsPerInch) / pixelsPerInch
		p.w, p.h = k*float64(flat.Rect.Dx()), k*float64(flat.Rect.Dy())
		p.marks = []mark{{picture: flat, at: frame{0, 0, p.w, p.h}}}
	}
	w, h := p.mm(p.w), p.mm(p.h)
	switch {
	case o.Width > 0 && o.Height > 0:
		p.scale = min(o.Width/w, o.Height/h)
	case o.Width > 0:
		p.scale = o.Width / w
	case o.Height > 0:
		p.scale = o.Height / h
	}
	return p, nil
}

// onPaper is the picture on white.
func onPaper(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, image.NewUniform(paperColour), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Over)
	return out
}
