package viz

import (
	"image"
	"image/color"
	"math"
	"strconv"
)

// Mark says how an item of a sheet or a bar stands out. The zero value, NoMark, leaves it plain.
type Mark int

// The marks: Right and Wrong judge against a known answer, Chosen points at one without judging.
const (
	NoMark Mark = iota
	Right
	Wrong
	Chosen
)

// colour is the mark's colour, and ok is false for NoMark.
func (m Mark) colour() (col rgb, ok bool) {
	switch m {
	case Right:
		return goodColour, true
	case Wrong:
		return badColour, true
	case Chosen:
		return mainColour, true
	case NoMark:
	}
	return mainColour, false
}

// SheetItem is one picture of a contact sheet.
type SheetItem struct {
	Image image.Image // nil draws an empty frame
	Title string      // one line below the picture, bold; scores for example
	Lines []string    // further lines, each wrapped to two
	Mark  Mark        // a coloured frame
	Share float64     // a probability in 0..1 as a thin bar below the picture; 0 leaves it out
}

// SheetOptions says how [Sheet] draws; the zero value works.
type SheetOptions struct {
	Title         string  // the query; wrapped to three lines
	Subtitle      string  // one line below
	Columns       int     // 0 chooses by the number of items, at most six
	Cell          float64 // width of a picture in points; 0 means 150
	Scale         float64 // pixels a point; 0 means 1
	Interpolation Interpolation
	Ranked        bool // numbers the items 1, 2, 3, ... in the pictures' corners
}

// Sheet draws pictures in a grid with titles and scores below them, such as what was found for a query.
func Sheet(items []SheetItem, o SheetOptions) image.Image {
	s := sheet{o: o, set: newTypeset(o.Scale), pad: 16, gap: 14, cell: o.Cell}
	if !(s.cell > 0) {
		s.cell = 150
	}
	s.cols = o.Columns
	if s.cols < 1 {
		s.cols = sheetColumns(len(items))
	}
	width := max(2*s.pad+float64(s.cols)*(s.cell+s.gap)-s.gap, 260)
	head := s.heading(width)
	rows := s.rows(items)
	height := head.bottom
	if len(items) == 0 {
		height += captionStyle().line() + s.gap
	}
	for _, r := range rows {
		height += r.height
	}
	c := newCanvas(s.set, width, height+s.pad-s.gap)
	head.draw(c, s.pad)
	if len(items) == 0 {
		c.text("nothing to show", s.pad, head.bottom, captionStyle(), left)
	}
	y := head.bottom
	for i, r := range rows {
		for k, item := range r.items {
			s.draw(c, item, i*s.cols+k+1, frame{s.pad + float64(k)*(s.cell+s.gap), y, s.cell, r.picture})
		}
		y += r.height
	}
	return c.figure()
}

// sheetColumns is a number of columns that fills the rows well: n up to five, otherwise four to six.
func sheetColumns(n int) int {
	if n <= 5 {
		return max(n, 1)
	}
	return wordColumns(n)
}

type sheet struct {
	o              SheetOptions
	set            *typeset
	pad, gap, cell float64
	cols           int
}

// heading is a broken title and where it ends.
type heading struct {
	title    []string
	subtitle string
	bottom   float64
}

func (s sheet) heading(width float64) heading {
	h := heading{title: s.set.wrap(s.o.Title, width-2*s.pad, 3, titleStyle()), bottom: s.pad}
	h.subtitle = s.set.fit(s.o.Subtitle, width-2*s.pad, noteStyle())
	h.bottom += float64(len(h.title)) * titleStyle().line()
	if h.subtitle != "" {
		h.bottom += noteStyle().line()
	}
	if h.bottom > s.pad {
		h.bottom += 10
	}
	return h
}

func (h heading) draw(c *canvas, pad float64) {
	y := c.lines(h.title, pad, pad, titleStyle())
	c.text(h.subtitle, pad, y, noteStyle(), left)
}

// sheetRow is one row of items: the height that their pictures share, and the height of the whole row.
type sheetRow struct {
	items           []SheetItem
	picture, height float64
}

func (s sheet) rows(items []SheetItem) []sheetRow {
	var rows []sheetRow
	for len(items) > 0 {
		n := min(s.cols, len(items))
		r := sheetRow{items: items[:n]}
		below := 0.0
		for _, item := range r.items {
			_, h := fitSize(item.Image, s.cell, s.cell)
			r.picture = math.Max(r.picture, h)
			below = math.Max(below, s.below(item))
		}
		r.height = r.picture + below + s.gap
		rows, items = append(rows, r), items[n:]
	}
	return rows
}

// below is the height of what stands below a picture.
func (s sheet) below(item SheetItem) float64 {
	h := 4.0
	if item.Share > 0 {
		h += 8
	}
	if item.Title != "" {
		h += headStyle().line()
	}
	return h + float64(len(s.wrapped(item)))*noteStyle().line()
}

func (s sheet) wrapped(item SheetItem) []string {
	out := make([]string, 0, len(item.Lines))
	for _, l := range item.Lines {
		out = append(out, s.set.wrap(l, s.cell, 2, noteStyle())...)
	}
	return out
}

// draw draws one item, its picture in the middle of cell.
func (s sheet) draw(c *canvas, item SheetItem, rank int, cell frame) {
	c.fill(cell, faintColour)
	if item.Image == nil {
		c.text("no picture", cell.x+cell.w/2, cell.y+cell.h/2-noteStyle().line()/2, noteStyle(), middle)
	} else {
		c.picture(item.Image, fitFrame(item.Image, cell), s.o.Interpolation)
	}
	if col, marked := item.Mark.colour(); marked {
		c.border(cell.inset(-3), 3, col)
	} else {
		c.border(cell, .75, lineColour)
	}
	if s.o.Ranked {
		c.badge(strconv.Itoa(rank), cell, item.Mark)
	}
	c.tick(item.Mark, frame{cell.x + cell.w - 22, cell.y + 4, 18, 18})
	y := cell.y + cell.h + 4
	if item.Share > 0 {
		y += 2
		c.fill(frame{cell.x, y, cell.w, 4}, faintColour)
		col, _ := item.Mark.colour()
		c.fill(frame{cell.x, y, cell.w * unit(item.Share), 4}, col)
		y += 6
	}
	if item.Title != "" {
		c.text(c.fit(item.Title, cell.w, headStyle()), cell.x, y, headStyle(), left)
		y += headStyle().line()
	}
	c.lines(s.wrapped(item), cell.x, y, noteStyle())
}

// badge writes a rank into the top left corner of a frame.
func (c *canvas) badge(text string, f frame, m Mark) {
	s := style{11, true, paperColour}
	w := max(18, c.width(text, s)+10)
	var ground color.Color = color.NRGBA{20, 24, 30, 205}
	if col, marked := m.colour(); marked {
		ground = col
	}
	var p path
	p.roundBox(frame{f.x + 4, f.y + 4, w, 18}, 4)
	c.solid(p, ground)
	c.text(text, f.x+4+w/2, f.y+5.5, s, middle)
}

// tick draws a check mark for Right and a cross for Wrong on a round ground: the judgement must not hang on colour alone.
func (c *canvas) tick(m Mark, f frame) {
	col, _ := m.colour()
	if m != Right && m != Wrong {
		return
	}
	at := func(x, y float64) (float64, float64) { return f.x + x*f.w, f.y + y*f.h }
	var ground, sign path
	ground.circle(f.x+f.w/2, f.y+f.h/2, f.w/2)
	c.solid(ground, col)
	if m == Right {
		sign.line(at(.27, .53))
		sign.line(at(.43, .69))
		sign.line(at(.73, .34))
	} else {
		sign.move(at(.32, .32))
		sign.line(at(.68, .68))
		sign.move(at(.68, .32))
		sign.line(at(.32, .68))
	}
	c.stroke(sign, paperColour, pen{width: 2})
}
