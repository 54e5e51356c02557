package viz

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/draw"
)

// HalfBlocks turns a picture into text for a terminal of 24-bit colour: at most cols characters wide and rows high, each character two
// pixels above each other. The picture keeps its shape, taking pixels to be square; rows below 1 means as many as the width needs.
// Each line ends in a colour reset and a newline. Transparent pixels show the terminal's own background. It is empty without picture or columns.
func HalfBlocks(img image.Image, cols, rows int) string {
	return halfBlocks(img, cols, rows, trueColour)
}

// HalfBlocks256 is [HalfBlocks] for terminals of 256 colours.
func HalfBlocks256(img image.Image, cols, rows int) string {
	return halfBlocks(img, cols, rows, indexedColour)
}

func halfBlocks(img image.Image, cols, rows int, code func(color.NRGBA) string) string {
	if img == nil || img.Bounds().Empty() || cols < 1 {
		return ""
	}
	w, h := blockSize(img.Bounds(), cols, rows)
	small := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
	var b strings.Builder
	for y := 0; y < h; y += 2 {
		last := ""
		for x := range w {
			// An odd last row has nothing below it: NRGBAAt is transparent outside.
			attributes, block := cell(small.NRGBAAt(x, y), small.NRGBAAt(x, y+1), code)
			if attributes != last {
				b.WriteString("\x1b[" + attributes + "m")
				last = attributes
			}
			b.WriteString(block)
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}

// blockSize is the size in pixels of a picture within cols by 2*rows pixels.
func blockSize(r image.Rectangle, cols, rows int) (w, h int) {
	k := float64(cols) / float64(r.Dx())
	if rows > 0 {
		k = min(k, 2*float64(rows)/float64(r.Dy()))
	}
	return max(1, int(float64(r.Dx())*k+.5)), max(1, int(float64(r.Dy())*k+.5))
}

// cell is the attributes and the character for an upper and a lower pixel.
func cell(up, down color.NRGBA, code func(color.NRGBA) string) (attributes, block string) {
	switch clearUp, clearDown := up.A < 128, down.A < 128; {
	case clearUp && clearDown:
		return "0", " "
	case clearUp:
		return "0;38;" + code(down), "▄"
	case clearDown:
		return "0;38;" + code(up), "▀"
	}
	// Also where both are alike: terminals and their multiplexers drop coloured
	// blanks at the end of a line.
	return "38;" + code(up) + ";48;" + code(down), "▀"
}

func trueColour(c color.NRGBA) string { return fmt.Sprintf("2;%d;%d;%d", c.R, c.G, c.B) }

// indexedColour is the nearest of the 6x6x6 colour cube and the 24 greys of a 256-colour terminal.
func indexedColour(c color.NRGBA) string {
	level := func(v uint8) int {
		// The cube's levels are 0, 95, 135, 175, 215 and 255.
		if v < 48 {
			return 0
		}
		return max(1, (int(v)-35)/40)
	}
	value := func(l int) int { return min(l, 1)*55 + 40*l }
	distance := func(r, g, b int) int {
		dr, dg, db := r-int(c.R), g-int(c.G), b-int(c.B)
		return dr*dr + dg*dg + db*db
	}
	r, g, b := level(c.R), level(c.G), level(c.B)
	best, d := 16+36*r+6*g+b, distance(value(r), value(g), value(b))
	// The greys are 8, 18, ..., 238.
	grey := min(max((int(c.R)+int(c.G)+int(c.B))/3-3, 0)/10, 23)
	if v := 8 + 10*grey; distance(v, v, v) < d {
		best = 232 + grey
	}
	return fmt.Sprintf("5;%d", best)
}
