package data

import "math"

// affine maps x, y to m[0]x + m[1]y + m[2], m[3]x + m[4]y + m[5].
type affine [6]float64

// rotation is OpenCV's getRotationMatrix2D about the middle of a w by h
// picture: counter-clockwise for positive degrees.
func rotation(w, h int, degrees float64) affine {
	cx, cy := float64(w)/2, float64(h)/2
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return affine{
		cos, sin, float64((1-cos)*cx) - float64(sin*cy),
		-sin, cos, float64(sin*cx) + float64((1-cos)*cy),
	}
}

// inverse undoes m, in the order of operations of OpenCV's warpAffine.
func (m affine) inverse() affine {
	d := float64(m[0]*m[4]) - float64(m[1]*m[3])
	if d != 0 {
		d = 1 / d
	}
	a, b, c, e := m[4]*d, m[1]*-d, m[3]*-d, m[0]*d
	return affine{
		a, b, float64(-a*m[2]) - float64(b*m[5]),
		c, e, float64(-c*m[2]) - float64(e*m[5]),
	}
}

// Coordinates are computed to 1/1024 of a pixel and interpolated at the nearest
// 1/32, with weights of 15 bits: the arithmetic of OpenCV 4.5.
const (
	coordinateBits = 10
	positionBits   = 5
	positions      = 1 << positionBits
	warpBits       = 15
	warpBorder     = 128 // the grey of what lies outside of the picture
)

// warp moves src by m, with bilinear interpolation, into dst of the same size.
func warp(dst, src *RGB, m affine) {
	dst.reset(src.W, src.H)
	inv := m.inverse()
	const block = 512 // columns whose part of the coordinates is computed once
	var dx, dy [block]int
	for left := 0; left < src.W; left += block {
		n := min(block, src.W-left)
		for i := range n {
			dx[i] = fixedCoordinate(inv[0] * float64(left+i))
			dy[i] = fixedCoordinate(inv[3] * float64(left+i))
		}
		for y := range src.H {
			x0 := fixedCoordinate(float64(inv[1]*float64(y))+inv[2]) + positions/2
			y0 := fixedCoordinate(float64(inv[4]*float64(y))+inv[5]) + positions/2
			row := dst.Pix[3*(y*src.W+left):][:3*n]
			for i := range n {
				const shift = coordinateBits - positionBits
				bilinear(row[3*i:3*i+3:3*i+3], src, (x0+dx[i])>>shift, (y0+dy[i])>>shift)
			}
		}
	}
}

// fixedCoordinate rounds half to even.
func fixedCoordinate(v float64) int {
	return int(math.RoundToEven(v * (1 << coordinateBits)))
}

// bilinear writes the colour of src at x, y, both in 1/32 of a pixel.
func bilinear(out []byte, src *RGB, x, y int) {
	fx, fy := x&(positions-1), y&(positions-1)
	x, y = x>>positionBits, y>>positionBits
	const scale = 1 << (warpBits - 2*positionBits)
	w00 := (positions - fx) * (positions - fy) * scale
	w01 := fx * (positions - fy) * scale
	w10 := (positions - fx) * fy * scale
	w11 := fx * fy * scale
	const rounding = 1 << (warpBits - 1)
	if x >= 0 && y >= 0 && x+1 < src.W && y+1 < src.H {
		top := src.Pix[3*(y*src.W+x):][:6]
		if fx|fy == 0 {
			out[0], out[1], out[2] = top[0], top[1], top[2]
			return
		}
		bottom := src.Pix[3*((y+1)*src.W+x):][:6]
		out[0] = byte((int(top[0])*w00 + int(top[3])*w01 + int(bottom[0])*w10 + int(bottom[3])*w11 + rounding) >> warpBits)
		out[1] = byte((int(top[1])*w00 + int(top[4])*w01 + int(bottom[1])*w10 + int(bottom[4])*w11 + rounding) >> warpBits)
		out[2] = byte((int(top[2])*w00 + int(top[5])*w01 + int(bottom[2])*w10 + int(bottom[5])*w11 + rounding) >> warpBits)
		return
	}
	if x < -1 || y < -1 || x >= src.W || y >= src.H {
		out[0], out[1], out[2] = warpBorder, warpBorder, warpBorder
		return
	}
	for c := range 3 {
		sum := edgePixel(src, x, y, c)*w00 + edgePixel(src, x+1, y, c)*w01 +
			edgePixel(src, x, y+1, c)*w10 + edgePixel(src, x+1, y+1, c)*w11
		out[c] = byte((sum + rounding) >> warpBits)
	}
}

// edgePixel is channel c at x, y, or the border's grey outside of src.
func edgePixel(src *RGB, x, y, c int) int {
	if x < 0 || y < 0 || x >= src.W || y >= src.H {
		return warpBorder
	}
	return int(src.Pix[3*(y*src.W+x)+c])
}
