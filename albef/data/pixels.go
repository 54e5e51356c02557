package data

import (
	"image"
	"image/color"
)

// FromImage converts any picture to RGB, dropping alpha without compositing as
// Pillow's convert("RGB") does: a transparent pixel keeps its stored colour.
func FromImage(img image.Image) *RGB {
	m := &RGB{}
	m.SetImage(img)
	return m
}

// SetImage makes m a copy of img, as [FromImage] does, in m's own memory.
func (m *RGB) SetImage(img image.Image) {
	b := img.Bounds()
	m.reset(b.Dx(), b.Dy())
	for y := range m.H {
		row := m.Pix[3*y*m.W : 3*(y+1)*m.W]
		copyRow(row, img, b.Min.X, b.Min.Y+y)
	}
}

// copyRow converts the row of img that begins at x0, y.
func copyRow(row []byte, img image.Image, x0, y int) {
	switch img := img.(type) {
	case *RGB:
		copy(row, img.Pix[3*(y*img.W+x0):])
	case *image.NRGBA:
		copyTriples(row, img.Pix[img.PixOffset(x0, y):], 4, 1)
	case *image.RGBA:
		copyRGBA(row, img.Pix[img.PixOffset(x0, y):])
	case *image.NRGBA64:
		copyTriples(row, img.Pix[img.PixOffset(x0, y):], 8, 2)
	case *image.Gray:
		copyGrey(row, img.Pix[img.PixOffset(x0, y):], 1)
	case *image.Gray16:
		copyGrey(row, img.Pix[img.PixOffset(x0, y):], 2)
	case *image.Paletted:
		copyPaletted(row, img.Pix[img.PixOffset(x0, y):], img.Palette)
	default:
		for o := 0; o < len(row); o += 3 {
			row[o], row[o+1], row[o+2] = straight(img.At(x0+o/3, y))
		}
	}
}

// copyRGBA takes colours that are multiplied by alpha, which most pictures' are not
// in effect, being opaque.
func copyRGBA(row, src []byte) {
	for i, o := 0, 0; o+2 < len(row); i, o = i+4, o+3 {
		if src[i+3] == 255 {
			row[o], row[o+1], row[o+2] = src[i], src[i+1], src[i+2]
		} else {
			row[o], row[o+1], row[o+2] = straight(color.RGBA{src[i], src[i+1], src[i+2], src[i+3]})
		}
	}
}

// copyTriples takes the first byte of each of the first three channels, pixel
// bytes wide, of channels each channel bytes wide and most significant first.
func copyTriples(row, src []byte, pixel, channel int) {
	for i, o := 0, 0; o+2 < len(row); i, o = i+pixel, o+3 {
		row[o], row[o+1], row[o+2] = src[i], src[i+channel], src[i+2*channel]
	}
}

func copyGrey(row, src []byte, pixel int) {
	for i, o := 0, 0; o+2 < len(row); i, o = i+pixel, o+3 {
		row[o], row[o+1], row[o+2] = src[i], src[i], src[i]
	}
}

func copyPaletted(row, src []byte, palette color.Palette) {
	var table [256][3]byte
	for i, c := range palette[:min(len(palette), 256)] {
		table[i][0], table[i][1], table[i][2] = straight(c)
	}
	for o := 0; o+2 < len(row); o += 3 {
		copy(row[o:o+3], table[src[o/3]][:])
	}
}

// straight is the colour of c without its alpha.
func straight(c color.Color) (r, g, b byte) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return n.R, n.G, n.B
}
