package data

import (
	"bytes"
	"image"

	"golang.org/x/image/webp"
)

// decodeWebP reads a still WebP picture. Lossy WebP stores colours in the
// limited range of BT.601, which image.YCbCr does not know of, so they are
// converted here, with the smoothed chroma and the rounding of libwebp.
func decodeWebP(content []byte) (image.Image, error) {
	img, err := webp.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return webpToRGB(img), nil
	case *image.NYCbCrA:
		return webpToRGB(&img.YCbCr), nil
	default:
		return img, nil
	}
}

// webpToRGB converts a picture with chroma at half the resolution both ways.
// Each output row takes 3/4 of its chroma from the nearest chroma row and 1/4
// from the next one; along the row likewise.
func webpToRGB(img *image.YCbCr) *RGB {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := NewRGB(w, h)
	cw, ch := (w+1)/2, (h+1)/2
	for y := range h {
		near := y / 2
		far := near - 1 + 2*(y&1)
		if far < 0 || far >= ch {
			far = near
		}
		yRow := img.Y[y*img.YStride:][:w]
		nb, fb := img.Cb[near*img.CStride:][:cw], img.Cb[far*img.CStride:][:cw]
		nr, fr := img.Cr[near*img.CStride:][:cw], img.Cr[far*img.CStride:][:cw]
		row := out.Pix[3*y*w:][:3*w]
		for x := range w {
			u, v := smoothChroma(nb, fb, x), smoothChroma(nr, fr, x)
			webpPixel(row[3*x:3*x+3], int(yRow[x]), u, v)
		}
	}
	return out
}

// smoothChroma weighs the four samples around column x by 9, 3, 3 and 1, in the
// two roundings libwebp makes of it.
func smoothChroma(near, far []byte, x int) int {
	n := x / 2
	m := n - 1 + 2*(x&1)
	nn, fn := int(near[n]), int(far[n])
	if m < 0 || m >= len(near) {
		return (3*nn + fn + 2) >> 2
	}
	nf, ff := int(near[m]), int(far[m])
	diagonal := (nn + nf + fn + ff + 8 + 2*(nf+fn)) >> 3
	return (diagonal + nn) >> 1
}

// webpPixel is libwebp's conversion in 14-bit fixed point.
func webpPixel(p []byte, y, u, v int) {
	luma := y * 19077 >> 8
	p[0] = clip6(luma + v*26149>>8 - 14234)
	p[1] = clip6(luma - u*6419>>8 - v*13320>>8 + 8708)
	p[2] = clip6(luma + u*33050>>8 - 17685)
}

func clip6(v int) byte { return byte(min(max(v>>6, 0), 255)) }
