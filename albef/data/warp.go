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
	if src.W == 0 || src.H == 0 {
		return
	}
	if dx, dy, ok := m.shift(); ok && fast {
		shift(dst, src, dx, dy)
		return
	}
	inv := m.inverse()
	var room [4 * 512]int32 // for pictures of up to 512 by 512
	at := room[:]
	if n := 2 * (src.W + src.H); n > len(at) {
		at = make([]int32, n)
	}
	w := warping{dx: at[:src.W], dy: at[src.W:][:src.W], x: at[2*src.W:][:src.H], y: at[2*src.W+src.H:][:src.H]}
	for i := range w.dx {
		w.dx[i] = fixedCoordinate(inv[0] * float64(i))
		w.dy[i] = fixedCoordinate(inv[3] * float64(i))
	}
	for i := range w.x {
		w.x[i] = fixedCoordinate(float64(inv[1]*float64(i))+inv[2]) + positions/2
		w.y[i] = fixedCoordinate(float64(inv[4]*float64(i))+inv[5]) + positions/2
	}
	if !w.fast(dst, src) {
		w.plain(dst, src)
	}
}

// shift reports whether m only moves pixels, by whole ones, and how far.
func (m affine) shift() (dx, dy int, ok bool) {
	dx, dy = int(m[2]), int(m[5])
	return dx, dy, m == affine{1, 0, float64(dx), 0, 1, float64(dy)}
}

// shift is warp where pixels move by dx, dy as they are.
func shift(dst, src *RGB, dx, dy int) {
	first, end := min(max(dx, 0), src.W), max(min(src.W+dx, src.W), 0) // columns that are not border
	for y := range src.H {
		row := dst.Pix[3*src.W*y:][:3*src.W]
		if from := y - dy; from < 0 || from >= src.H || first >= end {
			fill(row)
			continue
		}
		fill(row[:3*first])
		copy(row[3*first:3*end], src.Pix[3*((y-dy)*src.W+first-dx):])
		fill(row[3*end:])
	}
}

// fill gives bytes the border's grey.
func fill(p []byte) {
	for i := range p {
		p[i] = warpBorder
	}
}

// warping says where pixels come from: column i and row j from x[j]+dx[i],
// y[j]+dy[i], in 1/1024 of a pixel.
type warping struct{ dx, dy, x, y []int32 }

func (w *warping) plain(dst, src *RGB) {
	const shift = coordinateBits - positionBits
	for j := range src.H {
		row := dst.Pix[3*j*src.W:][:3*src.W]
		for i := range src.W {
			bilinear(row[3*i:3*i+3:3*i+3], src, int((w.x[j]+w.dx[i])>>shift), int((w.y[j]+w.dy[i])>>shift))
		}
	}
}

// fixedCoordinate rounds half to even.
func fixedCoordinate(v float64) int32 {
	return int32(math.RoundToEven(v * (1 << coordinateBits)))
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
