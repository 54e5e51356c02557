package data

import "image"

// Resizer shrinks and enlarges pictures with Pillow's antialiased bicubic
// filter, equal to it byte for byte: coefficients of 22 bits, a horizontal pass
// and then a vertical one, each rounded to 8 bits. The zero Resizer is ready;
// it reuses its memory, so it serves one goroutine at a time.
type Resizer struct {
	horizontal, vertical taps
	between              []byte  // after the horizontal pass
	sums                 []int32 // one row of the vertical pass
}

// Resize returns src at w by h pixels, as Pillow's resize((w, h), BICUBIC).
func Resize(src *RGB, w, h int) *RGB {
	dst := NewRGB(w, h)
	new(Resizer).Resize(dst, src, src.Bounds())
	return dst
}

// Resize fills dst, whose size is the size wanted, with the part of src inside
// box. The part is cut out first and then resized, so pixels outside of box
// have no influence, as with torchvision's resized_crop. box must lie within
// src and not be empty.
func (r *Resizer) Resize(dst, src *RGB, box image.Rectangle) {
	r.resize(dst, src, regionOf(box, 1), false)
}

// resize is Resize for a region that may begin and end within pixels, mirrored
// left to right where mirror is set.
func (r *Resizer) resize(dst, src *RGB, region Region, mirror bool) {
	box := region.pixels()
	if box.Empty() || !box.In(src.Bounds()) {
		panic("data: resize box outside of the picture")
	}
	region = region.sub(box.Min.X, box.Min.Y)
	stride := 3 * src.W
	from := src.Pix[box.Min.Y*stride+3*box.Min.X:]
	across := region.X1-region.X0 != float64(dst.W) || box.Dx() != dst.W
	if across {
		r.horizontal.set(region.X0, region.X1, box.Dx(), dst.W)
		r.between = grow(r.between, 3*dst.W*box.Dy())
		r.rows(from, stride, box, mirror)
		from, stride = r.between, 3*dst.W
	}
	if region.Y1-region.Y0 != float64(dst.H) || box.Dy() != dst.H {
		r.vertical.set(region.Y0, region.Y1, box.Dy(), dst.H)
		r.columns(dst, from, stride)
	} else {
		for y := range dst.H {
			copy(dst.Pix[3*dst.W*y:][:3*dst.W], from[y*stride:])
		}
	}
	if mirror && !across {
		flip(dst)
	}
}

// rows filters the rows of box, which from begins with, into r.between.
func (r *Resizer) rows(from []byte, stride int, box image.Rectangle, mirror bool) {
	t := &r.horizontal
	for y := t.fastRows(r.between, from, stride, box, mirror); y < box.Dy(); y++ {
		row := r.between[3*len(t.first)*y:][:3*len(t.first)]
		t.row(row, from[y*stride:][:3*box.Dx()])
		if mirror {
			flipRow(row)
		}
	}
}

// columns filters rows that are stride apart into dst.
func (r *Resizer) columns(dst *RGB, from []byte, stride int) {
	length := 3 * dst.W
	if r.vertical.fastColumns(dst.Pix, from, stride, length) {
		return
	}
	if cap(r.sums) < length {
		r.sums = make([]int32, length)
	}
	for y := range dst.H {
		r.vertical.column(dst.Pix[length*y:][:length], from, stride, y, r.sums[:length])
	}
}

// row filters src along its length into dst.
func (t *taps) row(dst, src []byte) {
	for i, o := 0, 0; o+2 < len(dst); i, o = i+1, o+3 {
		weights := t.weights[i*t.width:][:t.count[i]]
		in := src[3*t.first[i]:][:3*len(weights)]
		r, g, b := int32(half), int32(half), int32(half)
		for len(weights) >= 4 && len(in) >= 12 { // constant indices spare the bounds checks
			w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
			r += int32(in[0])*w0 + int32(in[3])*w1 + int32(in[6])*w2 + int32(in[9])*w3
			g += int32(in[1])*w0 + int32(in[4])*w1 + int32(in[7])*w2 + int32(in[10])*w3
			b += int32(in[2])*w0 + int32(in[5])*w1 + int32(in[8])*w2 + int32(in[11])*w3
			weights, in = weights[4:], in[12:]
		}
		for len(weights) >= 1 && len(in) >= 3 {
			w := weights[0]
			r += int32(in[0]) * w
			g += int32(in[1]) * w
			b += int32(in[2]) * w
			weights, in = weights[1:], in[3:]
		}
		dst[o], dst[o+1], dst[o+2] = clip(r), clip(g), clip(b)
	}
}

// column computes row i of the output from rows of src that are stride apart.
func (t *taps) column(dst, src []byte, stride, i int, sums []int32) {
	for x := range sums {
		sums[x] = half
	}
	weights := t.weights[i*t.width:][:t.count[i]]
	src = src[int(t.first[i])*stride:]
	k := 0
	for ; k+3 < len(weights); k += 4 { // four at a time: a quarter of the traffic in sums
		addFour(sums, src[k*stride:], stride, weights[k:])
	}
	for ; k < len(weights); k++ {
		w := weights[k]
		in := src[k*stride:][:len(sums)]
		for x, p := range in {
			sums[x] += int32(p) * w
		}
	}
	dst = dst[:len(sums)]
	for x, s := range sums {
		dst[x] = clip(s)
	}
}

func addFour(sums []int32, src []byte, stride int, weights []int32) {
	w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
	a := src[:len(sums)]
	b := src[stride:][:len(sums)]
	c := src[2*stride:][:len(sums)]
	d := src[3*stride:][:len(sums)]
	for x := range sums {
		sums[x] += int32(a[x])*w0 + int32(b[x])*w1 + int32(c[x])*w2 + int32(d[x])*w3
	}
}

func clip(sum int32) byte {
	v := sum >> weightBits
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return byte(v)
}
