package task

import (
	"math"

	"vlab/albef/torch"
)

// heat is a Grad-CAM map over a whole picture, w by h pixels.
type heat struct {
	w, h int
	v    []float32
	sums []float64 // of all values above and left of a pixel's corner, [h+1, w+1]
}

// newHeat resizes a map [G, G] to a picture, bicubic as the official
// grounding_eval, so it may dip below 0.
func newHeat(grid *torch.Tensor, w, h int) *heat {
	side := grid.Size(0)
	m := &heat{w: w, h: h, v: grid.Contiguous().View(1, 1, side, side).ResizeBicubic(h, w).Floats()}
	m.add()
	return m
}

// add computes the sums.
func (m *heat) add() {
	wide := m.w + 1
	m.sums = make([]float64, wide*(m.h+1))
	for y := range m.h {
		row := 0.0
		for x := range m.w {
			row += float64(m.v[y*m.w+x])
			m.sums[(y+1)*wide+x+1] = m.sums[y*wide+x+1] + row
		}
	}
}

// border makes a box's border an index into n pixels.
type border func(at, n int) int

// clipped leaves out what is outside the picture.
func clipped(at, n int) int { return min(max(at, 0), n) }

// sliced is what Python's slices do: below 0 they count from the far end.
func sliced(at, n int) int {
	if at < 0 {
		at += n
	}
	return clipped(at, n)
}

// sum adds up a box of whole pixels, x0 to x1 and y0 to y1 exclusive.
func (m *heat) sum(x0, y0, x1, y1 int, cut border) float64 {
	x0, x1 = cut(x0, m.w), cut(x1, m.w)
	y0, y1 = cut(y0, m.h), cut(y1, m.h)
	if x0 >= x1 || y0 >= y1 {
		return 0
	}
	at := func(x, y int) float64 { return m.sums[y*(m.w+1)+x] }
	return at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)
}

// best returns the proposal [x, y, w, h] with the highest score: the sum of the
// map inside, by corners cut to whole pixels, over the root of the uncut area.
// ok is false where none scores above 0. Source: dataset/utils.py
// grounding_eval, alpha 0.5.
func (m *heat) best(proposals [][4]float64, cut border) (box [4]float64, ok bool) {
	highest := 0.0
	for _, p := range proposals {
		score := m.sum(int(p[0]), int(p[1]), int(p[0]+p[2]), int(p[1]+p[3]), cut) / math.Sqrt(p[2]*p[3])
		if score > highest { // false for the NaN of an empty box
			box, highest, ok = p, score, true
		}
	}
	return box, ok
}

// peak returns the middle of the hottest pixel; ok is false for a map that is
// nowhere above 0.
func (m *heat) peak() (x, y float64, value float32, ok bool) {
	at := -1
	for i, v := range m.v {
		if v > value {
			at, value = i, v
		}
	}
	if at < 0 {
		return 0, 0, 0, false
	}
	return float64(at%m.w) + 0.5, float64(at/m.w) + 0.5, value, true
}

// overlap is the IoU of a box with the pixels at least half as hot as the peak.
// A pixel is in the box if its middle is.
func (m *heat) overlap(box [4]float64, peak float32) float64 {
	both, either := 0, 0
	for y := range m.h {
		for x := range m.w {
			in, hot := within(box, float64(x)+0.5, float64(y)+0.5), m.v[y*m.w+x] >= peak/2
			if in && hot {
				both++
			}
			if in || hot {
				either++
			}
		}
	}
	return float64(both) / float64(max(either, 1))
}

// within tells whether a point is in a box [x, y, w, h], right and lower border
// excluded.
func within(box [4]float64, x, y float64) bool {
	return x >= box[0] && y >= box[1] && x < box[0]+box[2] && y < box[1]+box[3]
}

// boxIoU is the official computeIoU of boxes [x, y, w, h]: the intersection
// counts border pixels as whole ones, the areas don't. Source: dataset/utils.py.
func boxIoU(a, b [4]float64) float64 {
	x0, y0 := max(a[0], b[0]), max(a[1], b[1])
	x1, y1 := min(a[0]+a[2]-1, b[0]+b[2]-1), min(a[1]+a[3]-1, b[1]+b[3]-1)
	inter := 0.0
	if x0 < x1 && y0 < y1 {
		inter = (x1 - x0 + 1) * (y1 - y0 + 1)
	}
	return inter / (a[2]*a[3] + b[2]*b[3] - inter)
}
