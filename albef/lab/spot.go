package lab

import (
	"image"

	"vlab/viz"
)

const (
	// boxLevel is how high a place must be, as a share of the peak, to belong
	// to the box.
	boxLevel = 0.5
	// spotSide is the longer side of a map when peak and box are looked for.
	spotSide = 512
)

// spot finds the place that a map over a picture of a size points to, see
// [viz.Map.Spot], and the box around the places joined to the highest that are
// at least half as high, both in pixels of the picture. A map without anything above 0 has its peak in the middle and no box.
func spot(m viz.Map, size image.Point) (peak [2]float64, box [4]float64) {
	if m.Max() <= 0 {
		return [2]float64{float64(size.X) / 2, float64(size.Y) / 2}, box
	}
	w, h := size.X, size.Y
	if long := max(w, h); long > spotSide {
		w, h = max(1, w*spotSide/long), max(1, h*spotSide/long)
	}
	large := m.Resize(w, h)
	top := 0
	for i, v := range large.V {
		if v > large.V[top] {
			top = i
		}
	}
	sx, sy := float64(size.X)/float64(w), float64(size.Y)/float64(h)
	r := component(large, top)
	x, y := m.Spot()
	peak = [2]float64{x * float64(size.X), y * float64(size.Y)}
	return peak, [4]float64{float64(r.Min.X) * sx, float64(r.Min.Y) * sy, float64(r.Dx()) * sx, float64(r.Dy()) * sy}
}

// component returns the bounds of the cells joined to top, side by side, that
// are at least boxLevel as high.
func component(m viz.Map, top int) image.Rectangle {
	level := m.V[top] * boxLevel
	seen := make([]bool, len(m.V))
	seen[top] = true
	var r image.Rectangle
	for todo := []int{top}; len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at := image.Pt(i%m.W, i/m.W)
		r = r.Union(image.Rectangle{Min: at, Max: at.Add(image.Pt(1, 1))})
		for _, step := range []image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}} {
			next := at.Add(step)
			if !next.In(image.Rect(0, 0, m.W, m.H)) {
				continue
			}
			if j := next.Y*m.W + next.X; !seen[j] && m.V[j] >= level {
				seen[j] = true
				todo = append(todo, j)
			}
		}
	}
	return r
}
