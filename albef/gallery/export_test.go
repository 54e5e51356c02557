package gallery

import "context"

// Ways are the ways to read codes that this CPU has.
func Ways() (all []int) {
	for w := plainWay; w <= bestWay(); w++ {
		all = append(all, int(w))
	}
	return all
}

// Use reads codes another way.
func (f *File) Use(w int) { f.way = way(w) }

// Dots is [way.dots].
func Dots(w int, codes []int8, stride int, queries []int16, out []int32) {
	way(w).dots(codes, stride, queries, out)
}

// Sifted is how many rows of a search for a query are scored.
func (f *File) Sifted(query []float32, k int) int {
	left, err := f.sift(context.Background(), []question{ask(query, f.h.Reach)}, k)
	if err != nil {
		panic(err)
	}
	return len(left[0])
}

// ToHalf and FromHalf convert numbers of half precision.
var (
	ToHalf   = toHalf
	FromHalf = fromHalf
)
