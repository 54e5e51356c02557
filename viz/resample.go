package viz

import "math"

// plane is a map in double precision without missing cells, on which filters work.
type plane struct {
	w, h int
	v    []float64
}

// plane copies the map; missing cells take its smallest value.
func (m Map) plane() plane {
	lo := m.Min()
	p := plane{w: m.W, h: m.H, v: make([]float64, len(m.V))}
	for i, v := range m.V {
		if p.v[i] = float64(v); !isFinite(p.v[i]) {
			p.v[i] = lo
		}
	}
	return p
}

func (p plane) asMap() Map {
	m := Map{W: p.w, H: p.h, V: make([]float32, len(p.v))}
	for i, v := range p.v {
		m.V[i] = float32(v)
	}
	return m
}

// taps says how one output cell is made: four input cells and their weights.
type taps struct {
	at     [4]int
	weight [4]float64
}

// centre is where the middle of output cell i of n lies among m input cells, and how far past the cell before it.
func centre(i, m, n int) (cell int, past float64) {
	x := (float64(i)+.5)*float64(m)/float64(n) - .5
	f := math.Floor(x)
	return int(f), x - f
}

// bicubicTaps has PyTorch's weights for m cells made into n: cubic convolution with a = -0.75, edges repeated.
func bicubicTaps(m, n int) []taps {
	const a = -.75
	near := func(d float64) float64 { return ((a+2)*d-(a+3))*d*d + 1 }
	far := func(d float64) float64 { return a * (((d-5)*d+8)*d - 4) }
	out := make([]taps, n)
	for i := range out {
		c, f := centre(i, m, n)
		out[i].weight = [4]float64{far(1 + f), near(f), near(1 - f), far(2 - f)}
		for k := range 4 {
			out[i].at[k] = min(max(c-1+k, 0), m-1)
		}
	}
	return out
}

// splineTaps has the weights of a cubic B-spline for m cells, margin cells into a wider row, made into n.
func splineTaps(m, n, margin int) []taps {
	out := make([]taps, n)
	for i := range out {
		c, f := centre(i, m, n)
		g := 1 - f
		out[i].weight = [4]float64{g * g * g / 6, (4 + f*f*(3*f-6)) / 6, (4 + g*g*(3*g-6)) / 6, f * f * f / 6}
		for k := range 4 {
			out[i].at[k] = c - 1 + k + margin
		}
	}
	return out
}

// resample makes len(x) by len(y) cells, along rows first.
func (p plane) resample(x, y []taps) plane {
	rows := plane{w: len(x), h: p.h, v: make([]float64, len(x)*p.h)}
	for j := range p.h {
		from, to := p.v[j*p.w:], rows.v[j*rows.w:]
		for i, t := range x {
			to[i] = t.weight[0]*from[t.at[0]] + t.weight[1]*from[t.at[1]] + t.weight[2]*from[t.at[2]] + t.weight[3]*from[t.at[3]]
		}
	}
	out := plane{w: len(x), h: len(y), v: make([]float64, len(x)*len(y))}
	for j, t := range y {
		for i := range out.w {
			sum := 0.0
			for k := range 4 {
				sum += t.weight[k] * rows.v[t.at[k]*rows.w+i]
			}
			out.v[j*out.w+i] = sum
		}
	}
	return out
}

// edge says what lies beyond a plane's border.
type edge int

const (
	zeroEdge    edge = iota // nothing: 0
	repeatEdge              // the outermost cell again and again
	reflectEdge             // the plane mirrored: c b a | a b c
)

// read is cell i of n under the edge rule; ok is false where there is none.
func (e edge) read(i, n int) (at int, ok bool) {
	if i >= 0 && i < n {
		return i, true
	}
	switch e {
	case repeatEdge:
		return min(max(i, 0), n-1), true
	case reflectEdge:
		i = ((i % (2 * n)) + 2*n) % (2 * n)
		return min(i, 2*n-1-i), true
	case zeroEdge:
	}
	return 0, false
}

// splineMargin is how many cells are added around a plane before the spline's recursive filter starts: its memory fades by
// 0.27 a cell, so 12 cells leave 1e-7. SciPy takes 12 as well.
const splineMargin = 12

// spline resizes by an interpolating cubic B-spline (smooth to the second derivative) and clips to the old range.
func (p plane) spline(w, h int, e edge) plane {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range p.v {
		lo, hi = min(lo, v), max(hi, v)
	}
	q := p.pad(splineMargin, e)
	for j := range q.h {
		splineFilter(q.v[j*q.w:(j+1)*q.w], 1)
	}
	for i := range q.w {
		splineFilter(q.v[i:], q.w)
	}
	out := q.resample(splineTaps(p.w, w, splineMargin), splineTaps(p.h, h, splineMargin))
	for i, v := range out.v {
		out.v[i] = min(max(v, lo), hi)
	}
	return out
}

func (p plane) pad(n int, e edge) plane {
	q := plane{w: p.w + 2*n, h: p.h + 2*n}
	q.v = make([]float64, q.w*q.h)
	for j := range q.h {
		y, inside := e.read(j-n, p.h)
		for i := range q.w {
			if x, ok := e.read(i-n, p.w); ok && inside {
				q.v[j*q.w+i] = p.v[y*p.w+x]
			}
		}
	}
	return q
}

// splineFilter turns every step-th value into a coefficient of the cubic B-spline through the values: a recursion forward and
// one backward with the pole sqrt(3)-2. The row is taken to go on unchanged at both ends.
func splineFilter(v []float64, step int) {
	pole := math.Sqrt(3) - 2
	n := (len(v) + step - 1) / step
	v[0] /= 1 - pole
	for i := 1; i < n; i++ {
		v[i*step] += pole * v[(i-1)*step]
	}
	v[(n-1)*step] *= pole / (pole - 1)
	for i := n - 2; i >= 0; i-- {
		v[i*step] = pole * (v[(i+1)*step] - v[i*step])
	}
	for i := range n {
		v[i*step] *= 6
	}
}

// blur is a Gaussian filter cut off at four standard deviations, one for each axis; 0 leaves an axis alone.
func (p plane) blur(sx, sy float64, e edge) plane {
	return p.blurAxis(sx, e).transpose().blurAxis(sy, e).transpose()
}

func (p plane) blurAxis(sigma float64, e edge) plane {
	if sigma <= 0 {
		return p
	}
	radius := int(4*sigma + .5)
	weight, sum := make([]float64, 2*radius+1), 0.0
	for k := range weight {
		d := float64(k-radius) / sigma
		weight[k] = math.Exp(-d * d / 2)
		sum += weight[k]
	}
	row := make([]float64, p.w+2*radius)
	out := plane{w: p.w, h: p.h, v: make([]float64, len(p.v))}
	for j := range p.h {
		for i := range row {
			row[i] = 0
			if x, ok := e.read(i-radius, p.w); ok {
				row[i] = p.v[j*p.w+x] / sum
			}
		}
		for i := range p.w {
			s := 0.0
			for k, wt := range weight {
				s += wt * row[i+k]
			}
			out.v[j*p.w+i] = s
		}
	}
	return out
}

func (p plane) transpose() plane {
	q := plane{w: p.h, h: p.w, v: make([]float64, len(p.v))}
	for j := range p.h {
		for i := range p.w {
			q.v[i*q.w+j] = p.v[j*p.w+i]
		}
	}
	return q
}
