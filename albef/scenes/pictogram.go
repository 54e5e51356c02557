package scenes

import (
	"bytes"
	_ "embed"
	"image"
	"image/draw"
	"image/png"
	"strings"
	"sync"
)

// The pictograms are of Noto Emoji (Apache License 2.0), by way of the npm package
// emoji-datasource-google; pictograms/build.sh makes the sheet.
//
//go:embed pictograms.png
var pictogramSheet []byte

//go:embed pictograms.txt
var pictogramList string

// PictogramCount is the number of pictograms.
const PictogramCount = 64

// ThingCount is the number of shapes and pictograms together, without [NoShape].
const ThingCount = ShapeCount + PictogramCount

// pictogramNames are their words, in the order of the sheet.
var pictogramNames = func() []string {
	var names []string
	for line := range strings.Lines(pictogramList) {
		word, _, _ := strings.Cut(line, " ")
		names = append(names, word)
	}
	return names
}()

// Pictogram returns number i, from 0, of the pictograms.
func Pictogram(i int) Shape { return Ring + 1 + Shape(i) }

// IsPictogram reports whether the shape is one: it has colours of its own, so an
// object of it has [NoColour].
func (s Shape) IsPictogram() bool { return s > Ring }

// pictogram is a picture without its empty edges, colours multiplied by alpha.
type pictogram struct {
	w, h int
	pix  []uint8 // red, green, blue, alpha
}

var pictograms = sync.OnceValue(func() []pictogram {
	const side, columns = 64, 8
	sheet, err := png.Decode(bytes.NewReader(pictogramSheet))
	if err != nil {
		panic("scenes: the embedded sheet of pictograms: " + err.Error())
	}
	all := image.NewNRGBA(sheet.Bounds())
	draw.Draw(all, all.Bounds(), sheet, sheet.Bounds().Min, draw.Src)
	out := make([]pictogram, len(pictogramNames))
	for i := range out {
		at := image.Pt(i%columns*side, i/columns*side)
		out[i] = cut(all, image.Rectangle{Min: at, Max: at.Add(image.Pt(side, side))})
	}
	return out
})

// cut takes what is visible of a part of a picture.
func cut(of *image.NRGBA, part image.Rectangle) pictogram {
	const visible = 16 // of 255
	var box image.Rectangle
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if of.NRGBAAt(x, y).A >= visible {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	p := pictogram{w: box.Dx(), h: box.Dy()}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			c := of.NRGBAAt(x, y)
			times := func(v uint8) uint8 { return uint8((int(v)*int(c.A) + 127) / 255) }
			p.pix = append(p.pix, times(c.R), times(c.G), times(c.B), c.A)
		}
	}
	return p
}

func (s Shape) pictogram() *pictogram { return &pictograms()[s-Ring-1] }

// aspect is the width and height for a longer side of unit.
func (p *pictogram) aspect() (w, h int) {
	if p.w >= p.h {
		return unit, unit * p.h / p.w
	}
	return unit * p.w / p.h, unit
}

// paint draws the pictogram over the box r of a square picture of size pixels a
// side: the mean of 4 by 4 points of each pixel, in integers, so that every machine
// paints the same.
func (p *pictogram) paint(pix []uint8, size int, r rect) {
	const side, all = 4, 4 * 4 * 255
	for y := r.y * size / unit; y <= min((r.y+r.h)*size/unit, size-1); y++ {
		for x := r.x * size / unit; x <= min((r.x+r.w)*size/unit, size-1); x++ {
			sum := p.points(r, size, x, y)
			out := pix[4*(y*size+x):]
			for k := range 3 {
				out[k] = uint8((sum[k]*255 + int(out[k])*(all-sum[3]) + all/2) / all)
			}
		}
	}
}

// points sums the pictogram over 4 by 4 points of a pixel.
func (p *pictogram) points(r rect, size, x, y int) (sum [4]int) {
	const side = 4
	for j := range side {
		py := (2*(y*side+j)+1)*unit/(2*side*size) - r.y
		if py < 0 || py >= r.h {
			continue
		}
		for i := range side {
			px := (2*(x*side+i)+1)*unit/(2*side*size) - r.x
			if px < 0 || px >= r.w {
				continue
			}
			at := 4 * (py*p.h/r.h*p.w + px*p.w/r.w)
			for k := range sum {
				sum[k] += int(p.pix[at+k])
			}
		}
	}
	return sum
}
