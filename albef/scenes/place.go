package scenes

import "math/rand/v2"

// Places are integers: the side of a picture is unit long, whatever its size in pixels, so that a picture is the
// same one at every size and on every machine.
const (
	unit   = 4096
	pixel  = unit / 64 // one pixel of 64
	step   = pixel / 4 // objects are placed in quarters of such a pixel
	border = pixel     // free edge around the picture
	gap    = 2 * pixel // free space between two boxes
)

// rect is a box in units.
type rect struct {
	x, y, w, h int
}

// box converts to pixels of a picture. A product of small integers over a power of two is exact.
func (r rect) box(size int) Box {
	scale := func(v int) float64 { return float64(v*size) / unit }
	return Box{X: scale(r.x), Y: scale(r.y), W: scale(r.w), H: scale(r.h)}
}

// unitRect converts a box in pixels back to units, to the nearest one.
func unitRect(b Box, size int) rect {
	scale := func(v float64) int { return int(v*unit/float64(size) + 0.5) }
	return rect{x: scale(b.X), y: scale(b.Y), w: scale(b.W), h: scale(b.H)}
}

func (r rect) near(q rect) bool {
	return r.x < q.x+q.w+gap && q.x < r.x+r.w+gap && r.y < q.y+q.h+gap && q.y < r.y+r.h+gap
}

// place draws a size in pixels within each object's class and a free spot for it. It starts over when the spots it
// chose leave no room, and after maxRestarts puts each object somewhere in a quarter of its own, which always
// fits.
func place(rng *rand.Rand, objects []Object) []rect {
	const maxRestarts = 50
	rects := make([]rect, len(objects))
	for k, o := range objects {
		longer := (17 + rng.IntN(3)) * pixel
		if o.Size == Large {
			longer = (24 + rng.IntN(4)) * pixel
		}
		w, h := aspect(o.Shape)
		rects[k] = rect{w: longer * w / unit, h: longer * h / unit}
	}
	for range maxRestarts {
		if scatter(rng, rects) {
			return rects
		}
	}
	for k, quarter := range rng.Perm(4)[:len(rects)] {
		r := &rects[k]
		r.x = within(rng, quarter%2*unit/2+border, unit/2-2*border-r.w)
		r.y = within(rng, quarter/2*unit/2+border, unit/2-2*border-r.h)
	}
	return rects
}

// scatter gives the boxes random spots in turn, and reports false when one finds none free.
func scatter(rng *rand.Rand, rects []rect) bool {
	const tries = 20
	for k := range rects {
		free := false
		for t := 0; t < tries && !free; t++ {
			r := &rects[k]
			r.x = within(rng, border, unit-2*border-r.w)
			r.y = within(rng, border, unit-2*border-r.h)
			free = true
			for _, q := range rects[:k] {
				free = free && !r.near(q)
			}
		}
		if !free {
			return false
		}
	}
	return true
}

// within returns a multiple of step between from and from+room.
func within(rng *rand.Rand, from, room int) int { return from + rng.IntN(room/step+1)*step }
