package viz

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"strconv"

	"codeberg.org/go-pdf/fpdf"
)

// PDF writes a picture as a PDF of one page of the picture's size. What is vectors and what pixels is as in [SVG]; text can't be
// searched or copied.
func PDF(w io.Writer, img image.Image, o PrintOptions) error {
	p, err := o.page(img)
	if err != nil {
		return fmt.Errorf("write pdf: %w", err)
	}
	doc := newPDF(p)
	for i, m := range p.marks {
		if err := doc.mark(m, "picture"+strconv.Itoa(i)); err != nil {
			return fmt.Errorf("write pdf: %w", err)
		}
	}
	if err := doc.Output(w); err != nil {
		return fmt.Errorf("write pdf: %w", err)
	}
	return nil
}

type pdf struct {
	page

	*fpdf.Fpdf
}

// newPDF begins a document with one empty page.
func newPDF(p page) pdf {
	size := fpdf.SizeType{Wd: p.w * p.scale, Ht: p.h * p.scale}
	d := pdf{page: p, Fpdf: fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", OrientationStr: "P", Size: size})}
	d.SetMargins(0, 0, 0)
	d.SetAutoPageBreak(false, 0)
	d.AddPage()
	d.SetLineJoinStyle("round")
	return d
}

func (d pdf) mark(m mark, name string) error {
	k := d.scale
	if m.clip != nil {
		d.ClipRect(m.clip.x*k, m.clip.y*k, m.clip.w*k, m.clip.h*k, false)
		defer d.ClipEnd()
	}
	if m.picture != nil {
		var file bytes.Buffer
		if err := png.Encode(&file, m.picture); err != nil {
			return err
		}
		how := fpdf.ImageOptions{ImageType: "PNG"}
		d.SetAlpha(1, "Normal")
		d.RegisterImageOptionsReader(name, how, &file)
		d.ImageOptions(name, m.at.x*k, m.at.y*k, m.at.w*k, m.at.h*k, false, how, 0, "")
		return d.Error() //nolint:wrapcheck // PDF says what was being done
	}
	if len(m.path) > 0 {
		d.path(m, k)
	}
	return nil
}

// path draws one path with all its settings: what a clip ends takes back those made within.
func (d pdf) path(m mark, k float64) {
	c := m.colour
	d.SetAlpha(float64(c.A)/255, "Normal")
	if m.pen == nil {
		d.SetFillColor(int(c.R), int(c.G), int(c.B))
		d.trace(m.path, k)
		d.DrawPath("F")
		return
	}
	d.SetDrawColor(int(c.R), int(c.G), int(c.B))
	d.SetLineWidth(m.pen.width * k)
	ends, dashes := "round", []float64{}
	if m.pen.flat {
		ends = "butt"
	}
	if m.pen.dash > 0 {
		dashes = []float64{m.pen.dash * k, m.pen.gap() * k}
	}
	d.SetLineCapStyle(ends)
	d.SetDashPattern(dashes, 0)
	d.trace(m.path, k)
	d.DrawPath("D")
}

// trace adds the steps of a path. PDF has cubic curves alone: a quadratic one has its control points two thirds of the way.
func (d pdf) trace(p path, k float64) {
	var now point
	for _, s := range p {
		a, b, e := s.at[0], s.at[1], s.at[2]
		switch s.verb {
		case moveTo:
			d.MoveTo(a.x*k, a.y*k)
			now = a
		case lineTo:
			d.LineTo(a.x*k, a.y*k)
			now = a
		case quadTo:
			third := func(from point) (x, y float64) { return (from.x + 2*a.x) / 3 * k, (from.y + 2*a.y) / 3 * k }
			x0, y0 := third(now)
			x1, y1 := third(b)
			d.CurveBezierCubicTo(x0, y0, x1, y1, b.x*k, b.y*k)
			now = b
		case cubeTo:
			d.CurveBezierCubicTo(a.x*k, a.y*k, b.x*k, b.y*k, e.x*k, e.y*k)
			now = e
		case shut:
			d.ClosePath()
		}
	}
}
