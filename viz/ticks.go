package viz

import (
	"math"
	"strconv"
)

// axis maps values to a length in points, linearly or by their logarithm.
type axis struct {
	lo, hi float64
	log    bool
}

// newAxis covers lo to hi; where they are equal, or not finite, it makes room around them. A logarithmic axis needs lo above 0.
func newAxis(lo, hi float64, log bool) axis {
	switch {
	case !isFinite(lo) || !isFinite(hi) || lo > hi:
		lo, hi = 0, 1
		if log {
			lo = .1
		}
	case lo == hi && log:
		lo, hi = lo/2, hi*2
	case lo == hi:
		d := max(math.Abs(lo)*.1, .5)
		lo, hi = lo-d, hi+d
	}
	return axis{lo, hi, log}
}

// pad widens the axis by a share of its length at both ends.
func (a axis) pad(share float64) axis {
	if a.log {
		k := math.Pow(a.hi/a.lo, share)
		return axis{a.lo / k, a.hi * k, true}
	}
	d := (a.hi - a.lo) * share
	return axis{a.lo - d, a.hi + d, false}
}

// at is where v lies: 0 at lo, 1 at hi.
func (a axis) at(v float64) float64 {
	if a.log {
		return math.Log(v/a.lo) / math.Log(a.hi/a.lo)
	}
	return (v - a.lo) / (a.hi - a.lo)
}

// tick is a value on an axis and its name.
type tick struct {
	value float64
	label string
}

// ticks are about n round values: steps of 1, 2 or 5 times a power of ten.
func (a axis) ticks(n int) []tick {
	if a.log {
		if t := a.logTicks(n); len(t) >= 2 {
			return t
		}
	}
	step := niceStep((a.hi - a.lo) / float64(max(n, 1)))
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var out []tick
	for i := math.Ceil(a.lo/step - 1e-9); i*step <= a.hi+step*1e-9; i++ {
		v := i * step
		out = append(out, tick{v, tickLabel(v, step, digits)})
	}
	return out
}

func tickLabel(v, step float64, digits int) string {
	if v == 0 {
		return "0"
	}
	if step >= 1e6 || step < 1e-4 {
		return number(v)
	}
	if step >= 1000 {
		return strconv.FormatFloat(v/1000, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is at least raw.
func niceStep(raw float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{1, 2, 5} {
		if k*base >= raw*(1-1e-9) {
			return k * base
		}
	}
	return 10 * base
}

// logTicks are powers of ten, with 2 and 5 times them between where there are few.
func (a axis) logTicks(n int) []tick {
	first, last := int(math.Floor(math.Log10(a.lo))), int(math.Ceil(math.Log10(a.hi)))
	every := max(1, (last-first)/max(n, 1))
	between := []float64{1}
	if last-first <= 3 {
		between = []float64{1, 2, 5}
	}
	var out []tick
	for e := first; e <= last; e++ {
		for _, k := range between {
			if v := k * math.Pow(10, float64(e)); e%every == 0 && v >= a.lo && v <= a.hi {
				out = append(out, tick{v, number(v)})
			}
		}
	}
	return out
}
