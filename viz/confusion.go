package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
)

// ConfusionOptions says how [Confusion] draws; the zero value works.
type ConfusionOptions struct {
	Title            string   // before the accuracy; both are wrapped to three lines
	Truth, Predicted string   // the names of the axes; empty means "true" and "predicted"
	Cell             float64  // side of a cell in points; 0 means 64 to 96, and less for many classes
	Scale            float64  // pixels a point; 0 means 1
	Colormap         Colormap // of the share of a row; nil means white to dark blue
}

// Confusion draws how often what is of class i, a row, was taken for class j, a column: counts[i][j]. A cell is coloured by its share of
// the row, and where there is room its count and its share are written in. The title tells the accuracy over all. Without classes the
// rows are numbered from 0. It panics when counts is not square, holds a number below 0, or has another size than classes.
func Confusion(counts [][]int, classes []string, o ConfusionOptions) image.Image {
	f := newConfusion(counts, classes, o)
	c := newCanvas(f.set, f.width, f.height)
	c.lines(f.title, f.pad, f.pad, titleStyle())
	for i, row := range f.counts {
		for j := range row {
			f.drawCell(c, i, j)
		}
	}
	f.drawNames(c)
	all := frame{f.x, f.y, f.side(), f.side()}
	if len(f.counts) == 0 {
		c.text("no classes", f.x, f.y, noteStyle(), left)
		return c.figure()
	}
	c.border(all, .75, mutedColour)
	c.colorBar(frame{all.x + all.w + 12, all.y, 12, all.h}, f.colour, "0 %", "100 %")
	return c.figure()
}

// confusion has the numbers and places of the figure, in points.
type confusion struct {
	set           *typeset
	o             ConfusionOptions
	counts        [][]int
	rows          []int // the sums of counts
	classes       []string
	title         []string
	pad, cell     float64
	names         float64 // room for the names of the rows
	x, y          float64 // of the first cell
	turned        bool    // the names of columns stand upright
	below         float64 // room for them
	width, height float64
}

func newConfusion(counts [][]int, classes []string, o ConfusionOptions) *confusion {
	f := &confusion{set: newTypeset(o.Scale), o: o, counts: counts, classes: classes, pad: 16, cell: o.Cell}
	if classes == nil {
		for i := range counts {
			f.classes = append(f.classes, strconv.Itoa(i))
		}
	}
	f.check()
	if f.o.Truth == "" {
		f.o.Truth = "true"
	}
	if f.o.Predicted == "" {
		f.o.Predicted = "predicted"
	}
	f.layout()
	return f
}

// check panics where the numbers make no matrix, and sums the rows.
func (f *confusion) check() {
	if len(f.classes) != len(f.counts) {
		panic(fmt.Sprintf("viz: confusion of %d rows and %d classes", len(f.counts), len(f.classes)))
	}
	for i, row := range f.counts {
		if len(row) != len(f.counts) {
			panic(fmt.Sprintf("viz: confusion of %d rows, of which row %d has %d columns", len(f.counts), i, len(row)))
		}
		sum := 0
		for j, n := range row {
			if n < 0 {
				panic(fmt.Sprintf("viz: confusion with a count of %d in row %d, column %d", n, i, j))
			}
			sum += n
		}
		f.rows = append(f.rows, sum)
	}
}

func (f *confusion) layout() {
	s := noteStyle()
	longest := 0.0
	for _, name := range f.classes {
		longest = max(longest, f.set.width(name, s))
	}
	if n := float64(max(len(f.classes), 1)); !(f.cell > 0) {
		// Few classes get room for their names beside each other, many stay on a page.
		f.cell = math.Ceil(max(14, min(max(64, longest+8), 96, 512/n)))
	}
	f.names = min(longest, 150)
	f.turned = longest > f.cell-4
	f.below = s.line()
	if f.turned {
		f.below = min(longest, 110)
	}
	f.x = f.pad + s.line() + 6 + f.names + 8
	f.width = max(f.x+f.side()+12-10+f.set.colorBarWidth("0 %", "100 %")+f.pad, 260)
	f.title = f.set.wrap(f.heading(), f.width-2*f.pad, 3, titleStyle())
	f.y = f.pad + float64(len(f.title))*titleStyle().line() + 10
	f.height = f.y + max(f.side(), s.line()) + 6 + f.below + 4 + s.line() + f.pad - 4
}

// side is the length of the whole matrix.
func (f *confusion) side() float64 { return f.cell * float64(len(f.counts)) }

// heading is the title with the accuracy over all.
func (f *confusion) heading() string {
	hits, all := 0, 0
	for i, sum := range f.rows {
		hits, all = hits+f.counts[i][i], all+sum
	}
	accuracy := "nothing counted"
	if all > 0 {
		accuracy = fmt.Sprintf("accuracy %s (%d of %d)", percent(hits, all), hits, all)
	}
	if f.o.Title == "" {
		return accuracy
	}
	return f.o.Title + ": " + accuracy
}

func percent(part, whole int) string {
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "\u00a0%"
}

// colour is that of a share of a row.
func (f *confusion) colour(share float64) color.RGBA {
	if f.o.Colormap != nil {
		return f.o.Colormap(share)
	}
	blend := func(from, to float64) uint8 { return byte8((from + (to-from)*unit(share)) / 255) }
	return color.RGBA{blend(255, 8), blend(255, 64), blend(255, 129), 255}
}

func (f *confusion) drawCell(c *canvas, i, j int) {
	at := frame{f.x + float64(j)*f.cell, f.y + float64(i)*f.cell, f.cell, f.cell}
	n, share := f.counts[i][j], 0.0
	if f.rows[i] > 0 {
		share = float64(n) / float64(f.rows[i])
	}
	ground := f.colour(share)
	c.fill(at, ground)
	c.border(at, .5, lineColour)
	s := style{size: min(13, f.cell*.3), bold: i == j, ink: readableOn(ground)}
	count := strconv.Itoa(n)
	if w := c.width(count, s); w > f.cell-4 {
		s.size *= (f.cell - 4) / w
	}
	if s.size < 5 {
		return
	}
	y := at.y + f.cell/2 - s.line()/2
	note := style{size: s.size * .78, ink: s.ink}
	if share := f.share(i, j); share != "" && note.size >= 6 && c.width(share, note) <= f.cell-4 {
		y -= note.line() / 2
		c.text(share, at.x+f.cell/2, y+s.line(), note, middle)
	}
	c.text(count, at.x+f.cell/2, y, s, middle)
}

// share is what is written below a count; an empty row has none.
func (f *confusion) share(i, j int) string {
	if f.rows[i] == 0 {
		return ""
	}
	return percent(f.counts[i][j], f.rows[i])
}

// readableOn is dark on light colours and white on dark ones.
func readableOn(c color.RGBA) color.Color {
	if 299*int(c.R)+587*int(c.G)+114*int(c.B) < 120_000 {
		return paperColour
	}
	return inkColour
}

// drawNames names the classes and the axes.
func (f *confusion) drawNames(c *canvas) {
	s := noteStyle()
	for i, name := range f.classes {
		at := (float64(i) + .5) * f.cell
		c.text(c.fit(name, f.names+1, s), f.x-8, f.y+at-s.line()/2, s, right)
		below := f.y + f.side() + 6
		if !f.turned {
			c.text(name, f.x+at, below, s, middle)
			continue
		}
		name = c.fit(name, f.below+1, s)
		c.upright(name, f.x+at-s.line()/2, below+c.width(name, s)/2, s)
	}
	axes := s
	axes.bold = true
	c.upright(c.fit(f.o.Truth, max(f.side(), 60), axes), f.pad-4, f.y+f.side()/2, axes)
	bottom := f.height - f.pad + 4 - s.line()
	c.text(c.fit(f.o.Predicted, max(f.side(), 60), axes), f.x+f.side()/2, bottom, axes, middle)
}
