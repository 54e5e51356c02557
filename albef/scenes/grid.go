package scenes

// Cell is what covers one cell of a grid laid over a picture. The zero Cell is background.
type Cell struct {
	Shape   Shape   // 0 for none, otherwise 1 to [ThingCount]
	Colour  Colour  // 0 for none, otherwise 1 to [ColourCount]
	Size    Size    // 0 for none, otherwise 1 to [SizeCount]
	Texture Texture // 0 for none, otherwise 1 to [TextureCount]
	Object  int     // index into Scene.Objects; -1 for none
}

// Grid returns the cells of a g by g grid, row by row from the left upper one. A cell belongs to the object whose
// silhouette (a ring's hole included) covers most of it, if it covers at least a quarter or if the object's centre
// lies in the cell. So every object has a cell, unless another's centre falls in the same one. It panics when g is
// not positive.
func (s *Scene) Grid(g int) []Cell {
	if g <= 0 {
		panic("scenes: grid: g must be positive")
	}
	cells := make([]Cell, g*g)
	for k := range cells {
		cells[k].Object = -1
	}
	best := make([]int, g*g)
	for i, o := range s.Objects {
		r := unitRect(o.Box, s.Size)
		outer := silhouette(o.Shape)
		for row := r.y * g / unit; row <= min((r.y+r.h)*g/unit, g-1); row++ {
			for col := r.x * g / unit; col <= min((r.x+r.w)*g/unit, g-1); col++ {
				covered := coverage(outer, r, row, col, g)
				if covered > best[row*g+col] {
					best[row*g+col] = covered
					cells[row*g+col] = Cell{o.Shape, o.Colour, o.Size, o.Texture, i}
				}
			}
		}
	}
	return cells
}

// coverage counts how many of 4 by 4 points of a cell the silhouette covers; fewer than a quarter count as none,
// and the object's centre as all and more.
func coverage(outer []point, r rect, row, col, g int) int {
	const side = 4
	if (r.y+r.h/2)*g/unit == row && (r.x+r.w/2)*g/unit == col {
		return side*side + 1
	}
	covered := 0
	for j := range side {
		for i := range side {
			x := (2*(col*side+i) + 1) * unit / (2 * side * g)
			y := (2*(row*side+j) + 1) * unit / (2 * side * g)
			if contains(outer, point{(x - r.x) * unit / r.w, (y - r.y) * unit / r.h}) {
				covered++
			}
		}
	}
	if covered < side*side/4 {
		return 0
	}
	return covered
}
