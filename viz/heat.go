package viz

import (
	"fmt"
	"math"
)

// Map is a heat map of W by H cells, row by row from the top left: V[y*W+x]. NaN and infinite cells count as
// missing. The zero Map means "no map"; one whose V has another length than W*H is a programmer's error, and what reads it panics.
type Map struct {
	W, H int
	V    []float32
}

// NewMap makes a map of w by h cells that shares v. It is an error when v does not hold w*h values.
func NewMap(w, h int, v []float32) (Map, error) {
	if w < 1 || h < 1 || len(v) != w*h {
		return Map{}, fmt.Errorf("new map: %d values do not fill %d by %d cells", len(v), w, h)
	}
	return Map{W: w, H: h, V: v}, nil
}

// IsEmpty tells whether the map has no cells.
func (m Map) IsEmpty() bool {
	m.check()
	return len(m.V) == 0
}

// Min is the smallest finite value, 0 when there is none.
func (m Map) Min() float64 {
	lo, _ := m.bounds()
	return lo
}

// Max is the largest finite value, 0 when there is none.
func (m Map) Max() float64 {
	_, hi := m.bounds()
	return hi
}

// Peak is the centre of the cell with the largest finite value, as fractions of the map's width and height; the first
// of equals in reading order. Without a finite value it is the middle, 0.5, 0.5.
func (m Map) Peak() (x, y float64) {
	m.check()
	best, at := math.Inf(-1), -1
	for i, v := range m.V {
		if f := float64(v); isFinite(f) && f > best {
			best, at = f, i
		}
	}
	if at < 0 {
		return .5, .5
	}
	return (float64(at%m.W) + .5) / float64(m.W), (float64(at/m.W) + .5) / float64(m.H)
}

// Spot is where the map points to, as fractions of its width and height: the centre of mass of the highest cell and its
// neighbours, which on a coarse map is nearer to the thing than the cell's own centre. Negative and missing cells weigh
// nothing; without a finite value it is the middle.
func (m Map) Spot() (x, y float64) {
	px, py := m.Peak()
	atX, atY := int(px*float64(m.W)), int(py*float64(m.H))
	var sum, sumX, sumY float64
	for cy := max(atY-1, 0); cy <= min(atY+1, m.H-1); cy++ {
		for cx := max(atX-1, 0); cx <= min(atX+1, m.W-1); cx++ {
			if v := float64(m.V[cy*m.W+cx]); isFinite(v) && v > 0 {
				sum, sumX, sumY = sum+v, sumX+v*(float64(cx)+.5), sumY+v*(float64(cy)+.5)
			}
		}
	}
	if sum == 0 {
		return px, py
	}
	return sumX / sum / float64(m.W), sumY / sum / float64(m.H)
}

// Normalize returns the map stretched to 0..1. A constant map becomes all 0; missing cells become 0.
func (m Map) Normalize() Map { return m.Stretch(m.bounds()) }

// Stretch returns the map with lo at 0 and hi at 1, clamped. Missing cells become 0, and so does everything when hi is not above lo.
func (m Map) Stretch(lo, hi float64) Map {
	m.check()
	out := Map{W: m.W, H: m.H, V: make([]float32, len(m.V))}
	if !(hi > lo) {
		return out
	}
	for i, v := range m.V {
		if f := float64(v); isFinite(f) {
			out.V[i] = float32(unit((f - lo) / (hi - lo)))
		}
	}
	return out
}

// Resize returns the map with w by h cells, interpolated bicubically as PyTorch's interpolate does (a = -0.75, align_corners
// false, no antialiasing): values may leave the old range. Missing cells count as the smallest value. It panics if w or h is below 1.
func (m Map) Resize(w, h int) Map {
	if w < 1 || h < 1 {
		panic(fmt.Sprintf("viz: resize map to %d by %d cells", w, h))
	}
	if m.IsEmpty() {
		return m
	}
	return m.plane().resample(bicubicTaps(m.W, w), bicubicTaps(m.H, h)).asMap()
}

// MeanMap is the cell by cell mean of maps of one size, which is how a phrase's map comes from its tokens' maps. Missing cells are left
// out of the mean. It is the zero Map without maps, and panics when sizes differ.
func MeanMap(maps ...Map) Map {
	if len(maps) == 0 {
		return Map{}
	}
	out := Map{W: maps[0].W, H: maps[0].H, V: make([]float32, len(maps[0].V))}
	for i := range out.V {
		sum, n := 0.0, 0
		for _, m := range maps {
			m.check()
			if m.W != out.W || m.H != out.H {
				panic(fmt.Sprintf("viz: mean of maps of %d by %d and %d by %d cells", out.W, out.H, m.W, m.H))
			}
			if f := float64(m.V[i]); isFinite(f) {
				sum, n = sum+f, n+1
			}
		}
		out.V[i] = float32(sum / float64(max(n, 1)))
	}
	return out
}

func (m Map) bounds() (lo, hi float64) {
	m.check()
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range m.V {
		if f := float64(v); isFinite(f) {
			lo, hi = min(lo, f), max(hi, f)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

func (m Map) check() {
	if len(m.V) != m.W*m.H || m.W < 0 || m.H < 0 {
		panic(fmt.Sprintf("viz: map of %d by %d cells holds %d values", m.W, m.H, len(m.V)))
	}
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
