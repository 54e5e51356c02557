package data

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
)

// decodeGIF returns the first frame on the logical screen, as Pillow does: what
// the frame leaves free has the transparent colour, or colour 0. Go's decoder
// turns the transparent palette entry black, so its colour is read back from
// the file.
func decodeGIF(content []byte) (image.Image, error) {
	frame, err := gif.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	paletted, ok := frame.(*image.Paletted)
	if !ok {
		return nil, errors.New("gif frame without a palette")
	}
	config, err := gif.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	index, colour, transparent := gifTransparent(content)
	if transparent && index < len(paletted.Palette) {
		paletted.Palette[index] = colour
	}
	screen := image.Rect(0, 0, config.Width, config.Height)
	if paletted.Rect == screen {
		return paletted, nil
	}
	out := image.NewPaletted(screen, paletted.Palette)
	if transparent {
		for i := range out.Pix {
			out.Pix[i] = byte(index)
		}
	}
	overlap := paletted.Rect.Intersect(screen)
	for y := overlap.Min.Y; y < overlap.Max.Y; y++ {
		from := paletted.Pix[paletted.PixOffset(overlap.Min.X, y):]
		copy(out.Pix[out.PixOffset(overlap.Min.X, y):][:overlap.Dx()], from)
	}
	return out, nil
}

// gifTransparent walks the blocks up to the first frame and returns the index
// and stored colour of its transparent palette entry, if it has one.
func gifTransparent(b []byte) (index int, colour color.RGBA, ok bool) {
	const header, extension, control, frame = 13, 0x21, 0xf9, 0x2c
	if len(b) < header {
		return 0, colour, false
	}
	p := header
	palette, p := gifPalette(b, p, b[10])
	for p+1 < len(b) {
		switch b[p] {
		case extension:
			if b[p+1] == control && p+7 < len(b) {
				ok, index = b[p+3]&1 != 0, int(b[p+6])
			}
			p = skipGIFBlocks(b, p+2)
		case frame:
			if p+10 < len(b) && b[p+9]&0x80 != 0 {
				palette, _ = gifPalette(b, p+10, b[p+9])
			}
			if !ok || 3*index+2 >= len(palette) {
				return 0, colour, false
			}
			c := palette[3*index:]
			return index, color.RGBA{R: c[0], G: c[1], B: c[2], A: 255}, true
		default:
			return 0, colour, false
		}
	}
	return 0, colour, false
}

// gifPalette returns the colour table at p that flags announce, and where it ends.
func gifPalette(b []byte, p int, flags byte) (table []byte, end int) {
	if flags&0x80 == 0 {
		return nil, p
	}
	end = min(p+3<<(flags&7+1), len(b))
	return b[p:end], end
}

func skipGIFBlocks(b []byte, p int) int {
	for p < len(b) && b[p] != 0 {
		p += 1 + int(b[p])
	}
	return p + 1
}
