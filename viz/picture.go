package viz

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Interpolation says how a picture is enlarged.
type Interpolation int

// Smooth enlarges by Catmull-Rom interpolation, for photographs and anti-aliased drawings; it is the default. Pixels repeats the nearest
// pixel, for pixel art and for counting pixels.
const (
	Smooth Interpolation = iota
	Pixels
)

// fitSize is the size of a picture enlarged or shrunk to fit w by h points, at least one point each way.
func fitSize(img image.Image, w, h float64) (fw, fh float64) {
	iw, ih := 1.0, 1.0
	if img != nil && !img.Bounds().Empty() {
		iw, ih = float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
	}
	k := min(w/iw, h/ih)
	return max(1, iw*k), max(1, ih*k)
}

// fitFrame is the largest frame of the picture's shape in the middle of a cell.
func fitFrame(img image.Image, cell frame) frame {
	w, h := fitSize(img, cell.w, cell.h)
	return frame{cell.x + (cell.w-w)/2, cell.y + (cell.h-h)/2, w, h}
}

// scaled is the picture at w by h pixels. Nothing, nil or empty, gives a picture of the faint grey of missing pictures.
func scaled(img image.Image, w, h int, how Interpolation) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if img == nil || img.Bounds().Empty() {
		draw.Draw(out, out.Rect, image.NewUniform(faintColour), image.Point{}, draw.Src)
		return out
	}
	if b := img.Bounds(); how == Pixels && b.Dx() <= w && b.Dy() <= h {
		draw.NearestNeighbor.Scale(out, out.Rect, img, b, draw.Src, nil)
		return out
	}
	draw.CatmullRom.Scale(out, out.Rect, img, img.Bounds(), draw.Src, nil)
	return out
}

// picture draws a picture stretched to a frame, over a chequered ground where it is transparent.
func (c *canvas) picture(img image.Image, f frame, how Interpolation) {
	c.paste(img, f, how)
	c.keep(f)
}

// paste is picture for what paints more on it before it keeps the frame.
func (c *canvas) paste(img image.Image, f frame, how Interpolation) {
	r := c.pixels(f)
	im := scaled(img, r.Dx(), r.Dy(), how)
	if !im.Opaque() {
		c.chequer(r)
	}
	draw.Draw(c.im, r, im, image.Point{}, draw.Over)
}

func (c *canvas) chequer(r image.Rectangle) {
	side := max(1, int(8*c.scale))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			g := color.RGBA{255, 255, 255, 255}
			if ((x-r.Min.X)/side+(y-r.Min.Y)/side)%2 == 1 {
				g = color.RGBA{224, 228, 232, 255}
			}
			c.im.SetRGBA(x, y, g)
		}
	}
}

// fade turns what is drawn in a frame grey and a little lighter, so that the colours of a heat map on it can be read.
func (c *canvas) fade(f frame) {
	r := c.pixels(f).Intersect(c.im.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := c.im.RGBAAt(x, y)
			g := uint8(70 + (int(p.R)*299+int(p.G)*587+int(p.B)*114)*185/255000)
			c.im.SetRGBA(x, y, color.RGBA{g, g, g, 255})
		}
	}
}
