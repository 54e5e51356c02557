package gallery

import (
	"container/heap"
	"slices"
)

// sieve keeps the rows that may be among the k best. A row's score lies between
// two bounds: k rows are at least as good as the k-th highest lower bound, so a
// row whose upper bound is below that is none of the best.
type sieve struct {
	k     int
	lower lowest // the k highest lower bounds
	kept  []kept
	limit int // so many are kept before what has become hopeless is dropped
}

// kept is a row and the most that its score can be.
type kept struct {
	row   int
	upper float64
}

// lowest is a heap with the lowest number first.
type lowest []float64

func (h lowest) Len() int           { return len(h) }
func (h lowest) Less(i, j int) bool { return h[i] < h[j] }
func (h lowest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lowest) Push(x any)        { *h = append(*h, x.(float64)) } //nolint:forcetypeassert // add pushes numbers alone
func (h *lowest) Pop() any          { panic("nothing is popped") }

// add takes a lower bound.
func (s *sieve) add(lower float64) {
	switch {
	case len(s.lower) < s.k:
		heap.Push(&s.lower, lower)
	case lower > s.lower[0]:
		s.lower[0] = lower
		heap.Fix(&s.lower, 0)
	}
}

// block takes the rows of a block, from row first on, whose codes' products
// with the question's are dots.
func (s *sieve) block(q *question, dots []int32, scales, rests []float32, first int) {
	for i, dot := range dots {
		near, off := float64(dot)*(float64(scales[i])*q.scale), float64(rests[i])*q.length+q.slack
		if len(s.lower) == s.k && near+off < s.lower[0] {
			continue
		}
		s.kept = append(s.kept, kept{first + i, near + off})
		s.add(near - off)
	}
	if len(s.kept) > max(s.limit, 4*s.k+blockRows) {
		s.drop()
		s.limit = 2 * len(s.kept)
	}
}

// drop forgets the rows that have become hopeless.
func (s *sieve) drop() {
	if len(s.lower) == s.k {
		s.kept = slices.DeleteFunc(s.kept, func(x kept) bool { return x.upper < s.lower[0] })
	}
}

// join takes over what another sieve has kept.
func (s *sieve) join(other *sieve) {
	s.kept = append(s.kept, other.kept...)
	for _, lower := range other.lower {
		s.add(lower)
	}
}

// rows returns those that are left.
func (s *sieve) rows() []int {
	s.drop()
	rows := make([]int, len(s.kept))
	for i, x := range s.kept {
		rows[i] = x.row
	}
	return rows
}
