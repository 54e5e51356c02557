package data

import (
	"image"
	"math"
)

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
	if box.Empty() || !box.In(src.Bounds()) {
		panic("data: resize box outside of the picture")
	}
	stride := 3 * src.W
	from := src.Pix[box.Min.Y*stride+3*box.Min.X:]
	if box.Dx() != dst.W {
		r.horizontal.set(box.Dx(), dst.W)
		r.between = grow(r.between, 3*dst.W*box.Dy())
		for y := range box.Dy() {
			r.horizontal.row(r.between[3*dst.W*y:][:3*dst.W], from[y*stride:][:3*box.Dx()])
		}
		from, stride = r.between, 3*dst.W
	}
	if box.Dy() == dst.H {
		for y := range dst.H {
			copy(dst.Pix[3*dst.W*y:][:3*dst.W], from[y*stride:])
		}
		return
	}
	r.vertical.set(box.Dy(), dst.H)
	if cap(r.sums) < 3*dst.W {
		r.sums = make([]int32, 3*dst.W)
	}
	for y := range dst.H {
		r.vertical.column(dst.Pix[3*dst.W*y:][:3*dst.W], from, stride, y, r.sums[:3*dst.W])
	}
}

const (
	weightBits = 32 - 8 - 2 // 8 bits of pixel and 2 of headroom for the sum
	half       = 1 << (weightBits - 1)
)

// taps are the weights of one direction: output i is the sum over k of
// weights[i*width+k] times input first[i]+k, for k below count[i].
type taps struct {
	width        int
	first, count []int
	weights      []int32
	exact        []float64 // of one output, before rounding
}

// set computes the weights that turn in samples into out.
func (t *taps) set(in, out int) {
	const reach = 2.0 // of the bicubic filter, in samples of the coarser side
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := reach * stretch
	t.width = int(math.Ceil(support))*2 + 1
	t.resize(out)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		count := min(int(center+support+0.5), in) - first
		total := 0.0
		for k := range count {
			w := bicubic((float64(k+first) - center + 0.5) * (1 / stretch))
			t.exact[k] = w
			total += w
		}
		t.first[i], t.count[i] = first, count
		for k, w := range t.exact[:count] {
			if total != 0 {
				w /= total
			}
			t.weights[i*t.width+k] = fixedPoint(w)
		}
	}
}

func (t *taps) resize(out int) {
	if cap(t.first) < out {
		t.first, t.count = make([]int, out), make([]int, out)
	}
	t.first, t.count = t.first[:out], t.count[:out]
	if cap(t.weights) < out*t.width {
		t.weights = make([]int32, out*t.width)
	}
	t.weights = t.weights[:out*t.width]
	if cap(t.exact) < t.width {
		t.exact = make([]float64, t.width)
	}
	t.exact = t.exact[:t.width]
}

// fixedPoint rounds half away from zero.
func fixedPoint(w float64) int32 {
	if w < 0 {
		return int32(w*(1<<weightBits) - 0.5)
	}
	return int32(w*(1<<weightBits) + 0.5)
}

// bicubic is Keys' kernel with a = -1/2, Pillow's choice.
func bicubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	default:
		return 0
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
	src = src[t.first[i]*stride:]
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
