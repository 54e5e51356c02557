package data

import "math"

const (
	weightBits = 32 - 8 - 2 // 8 bits of pixel and 2 of headroom for the sum
	half       = 1 << (weightBits - 1)
)

// taps are the weights of one direction: output i is the sum over k of
// weights[i*width+k] times input first[i]+k, for k below count[i]. Weights from
// count on are 0, and width is a multiple of 4.
type taps struct {
	width        int
	first, count []int32
	weights      []int32
	split        []int32   // see splitWeights
	exact        []float64 // of one output, before rounding
}

// set computes the weights that turn the part from start to end of in samples
// into out.
func (t *taps) set(start, end float64, in, out int) {
	const reach = 2.0 // of the bicubic filter, in samples of the coarser side
	scale := (end - start) / float64(out)
	stretch := max(scale, 1)
	support := reach * stretch
	t.width = ceilDiv(int(math.Ceil(support))*2+1, 4) * 4
	t.resize(out)
	for i := range out {
		center := start + float64((float64(i)+0.5)*scale)
		first := max(int(center-support+0.5), 0)
		count := min(int(center+support+0.5), in) - first
		total := 0.0
		for k := range count {
			w := bicubic((float64(k+first) - center + 0.5) * (1 / stretch))
			t.exact[k] = w
			total += w
		}
		t.first[i], t.count[i] = int32(first), int32(count)
		weights := t.weights[i*t.width:][:t.width]
		for k, w := range t.exact[:count] {
			if total != 0 {
				w /= total
			}
			weights[k] = fixedPoint(w)
		}
		clear(weights[count:])
	}
}

func (t *taps) resize(out int) {
	if cap(t.first) < out {
		t.first, t.count = make([]int32, out), make([]int32, out)
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

// splitWeights puts the weights of two neighbours each into two numbers of two
// times 16 bits: their low 12 bits, and the rest. Multiplications of 16 bits are
// faster than ones of 32, and the sum of both is the same.
func (t *taps) splitWeights() []int32 {
	const bits = 12
	if cap(t.split) < len(t.weights) {
		t.split = make([]int32, len(t.weights))
	}
	t.split = t.split[:len(t.weights)]
	for i := 0; i+1 < len(t.weights); i += 2 {
		a, b := t.weights[i], t.weights[i+1]
		t.split[i] = a&(1<<bits-1) | b&(1<<bits-1)<<16
		t.split[i+1] = a>>bits&0xffff | b>>bits<<16
	}
	return t.split
}
