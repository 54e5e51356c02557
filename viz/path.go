package viz

// point is a place on the paper, in points.
type point struct{ x, y float64 }

// verb says what a step of a path does, and how many points it takes.
type verb byte

const (
	moveTo verb = 'M' // one point
	lineTo verb = 'L' // one point
	quadTo verb = 'Q' // a control point and an end
	cubeTo verb = 'C' // two control points and an end
	shut   verb = 'Z' // none: back to where the part began
)

// points is how many points the verb takes.
func (v verb) points() int {
	switch v {
	case moveTo, lineTo:
		return 1
	case quadTo:
		return 2
	case cubeTo:
		return 3
	case shut:
	}
	return 0
}

// step is one step of a path; of its points only as many count as the verb takes.
type step struct {
	verb verb
	at   [3]point
}

// path is an outline or a line in points. Every canvas and file format draws it alike.
type path []step

func (p *path) add(v verb, at ...point) {
	s := step{verb: v}
	copy(s.at[:], at)
	*p = append(*p, s)
}

// move begins a new part.
func (p *path) move(x, y float64) { p.add(moveTo, point{x, y}) }

// line goes straight on; on an empty path it begins the first part.
func (p *path) line(x, y float64) {
	if len(*p) == 0 {
		p.move(x, y)
		return
	}
	p.add(lineTo, point{x, y})
}

// segment adds a straight line of its own.
func (p *path) segment(x0, y0, x1, y1 float64) {
	p.move(x0, y0)
	p.line(x1, y1)
}

// box adds the outline of a frame.
func (p *path) box(f frame) { p.roundBox(f, 0) }

// roundBox adds the outline of a frame whose corners are rounded with radius r.
func (p *path) roundBox(f frame, r float64) {
	x, y, d := f.x+f.w, f.y+f.h, r*(1-arc)
	p.move(f.x+r, f.y)
	p.line(x-r, f.y)
	p.corner(r, point{x - d, f.y}, point{x, f.y + d}, point{x, f.y + r})
	p.line(x, y-r)
	p.corner(r, point{x, y - d}, point{x - d, y}, point{x - r, y})
	p.line(f.x+r, y)
	p.corner(r, point{f.x + d, y}, point{f.x, y - d}, point{f.x, y - r})
	p.line(f.x, f.y+r)
	p.corner(r, point{f.x, f.y + d}, point{f.x + d, f.y}, point{f.x + r, f.y})
	p.add(shut)
}

func (p *path) corner(r float64, a, b, end point) {
	if r > 0 {
		p.add(cubeTo, a, b, end)
	}
}

// circle adds a whole circle.
func (p *path) circle(x, y, r float64) { p.roundBox(frame{x - r, y - r, 2 * r, 2 * r}, r) }

// arc is how far, in radii, the control points of a Bézier curve lie along the tangents for it to follow a quarter of a circle.
const arc = 0.5522847498

// mapped is the path with every point put elsewhere.
func (p path) mapped(to func(point) point) path {
	out := make(path, len(p))
	for i, s := range p {
		for k := range s.verb.points() {
			s.at[k] = to(s.at[k])
		}
		out[i] = s
	}
	return out
}

// moved is the path shifted by dx, dy.
func (p path) moved(dx, dy float64) path {
	return p.mapped(func(at point) point { return point{at.x + dx, at.y + dy} })
}
