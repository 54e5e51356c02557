package scenes

// point is a place in an object's own box, whose sides are both unit long.
type point struct {
	x, y int
}

// curve goes to a point, bent towards ctrl when it is not straight.
type curve struct {
	bent bool
	ctrl point
	to   point
}

// contour is a closed line.
type contour struct {
	start  point
	curves []curve
}

// aspect returns the width and height of a shape's box for a longer side of unit. The diamond is narrow, so that
// it is no turned square.
func aspect(s Shape) (w, h int) {
	if s.IsPictogram() {
		return s.pictogram().aspect()
	}
	switch s {
	case Star:
		return unit, 3896 // a regular star's height is 0.951 of its width
	case Heart:
		return unit, 3776
	case Triangle:
		return unit, 3776
	case Diamond:
		return 3264, unit
	default:
		return unit, unit
	}
}

// outline returns the contours of a shape; a ring has two, its hole being the inner.
func outline(s Shape) []contour {
	switch s {
	case Circle:
		return []contour{circle(unit / 2)}
	case Ring:
		return []contour{circle(unit / 2), circle(unit / 4)}
	case Square:
		return []contour{polygon(point{0, 0}, point{unit, 0}, point{unit, unit}, point{0, unit})}
	case Triangle:
		return []contour{polygon(point{unit / 2, 0}, point{unit, unit}, point{0, unit})}
	case Diamond:
		return []contour{polygon(point{unit / 2, 0}, point{unit, unit / 2}, point{unit / 2, unit}, point{0, unit / 2})}
	case Star: // five points, the inner radius 0.46 of the outer
		return []contour{polygon(
			point{2048, 0}, point{2630, 1422}, point{4096, 1565}, point{2990, 2586}, point{3314, 4096},
			point{2048, 3306}, point{782, 4096}, point{1106, 2586}, point{0, 1565}, point{1466, 1422})}
	case Cross: // the arms are a third of the side wide
		const a, b = 1365, 2731
		return []contour{polygon(
			point{a, 0}, point{b, 0}, point{b, a}, point{unit, a}, point{unit, b}, point{b, b},
			point{b, unit}, point{a, unit}, point{a, b}, point{0, b}, point{0, a}, point{a, a})}
	case Heart:
		return []contour{{start: point{2048, unit}, curves: []curve{
			{true, point{0, 2600}, point{0, 1200}},
			{true, point{0, 0}, point{1120, 0}},
			{true, point{1760, 0}, point{2048, 720}},
			{true, point{2336, 0}, point{2976, 0}},
			{true, point{unit, 0}, point{unit, 1200}},
			{true, point{unit, 2600}, point{2048, unit}},
		}}}
	default:
		return nil
	}
}

func polygon(points ...point) contour {
	c := contour{start: points[0]}
	for _, p := range points[1:] {
		c.curves = append(c.curves, curve{to: p})
	}
	return c
}

// circle returns a circle of the given radius around the middle, made of sixteen curves: their ends lie on it, and
// their control points where the tangents at the ends meet. It stays within a thousandth of the radius.
func circle(radius int) contour {
	// Cosines of multiples of 22.5 degrees, and of the angles between over the cosine of 11.25, times 1<<16.
	ends := [17]int{65536, 60547, 46341, 25080, 0, -25080, -46341, -60547, -65536, -60547, -46341, -25080, 0, 25080, 46341, 60547, 65536}
	bends := [16]int{65536, 55559, 37123, 13036, -13036, -37123, -55559, -65536, -65536, -55559, -37123, -13036, 13036, 37123, 55559, 65536}
	at := func(cos, sin int) point {
		return point{unit/2 + (radius*cos+1<<15)>>16, unit/2 + (radius*sin+1<<15)>>16}
	}
	c := contour{start: at(ends[0], 0), curves: make([]curve, 16)}
	for k := range c.curves {
		c.curves[k] = curve{
			bent: true,
			ctrl: at(bends[k], bends[(k+12)%16]),   // the sine is the cosine a quarter turn earlier
			to:   at(ends[k+1], ends[(k+1+12)%16]), // likewise
		}
	}
	return c
}

// silhouette returns the outer contour as a polygon, curves replaced by four straight pieces; of a pictogram it
// returns its box.
func silhouette(s Shape) []point {
	if s.IsPictogram() {
		s = Square
	}
	const pieces = 4
	outer := outline(s)[0]
	points := []point{outer.start}
	from := outer.start
	for _, c := range outer.curves {
		if !c.bent {
			points = append(points, c.to)
			from = c.to
			continue
		}
		for t := 1; t <= pieces; t++ {
			u := pieces - t
			bezier := func(a, b, d int) int { return (u*u*a + 2*u*t*b + t*t*d) / (pieces * pieces) }
			points = append(points, point{bezier(from.x, c.ctrl.x, c.to.x), bezier(from.y, c.ctrl.y, c.to.y)})
		}
		from = c.to
	}
	return points
}

// contains reports whether p is inside the polygon, by counting the edges to its right.
func contains(polygon []point, p point) bool {
	inside := false
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		if (a.y > p.y) == (b.y > p.y) {
			continue
		}
		if cross := (b.x-a.x)*(p.y-a.y) - (p.x-a.x)*(b.y-a.y); (cross > 0) == (b.y > a.y) {
			inside = !inside
		}
	}
	return inside
}
