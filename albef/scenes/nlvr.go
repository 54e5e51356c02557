package scenes

import (
	"fmt"
	"math/rand/v2"
)

// Statement is a sentence about two pictures that is true or false of them.
type Statement struct {
	Text  string
	Label bool
}

// pattern is a kind of statement that mentions one object.
type pattern struct {
	format string
	holds  func(first, second bool) bool // from whether each picture has the object
}

var patterns = [...]pattern{
	{"both pictures have %s", func(a, b bool) bool { return a && b }},
	{"both have %s", func(a, b bool) bool { return a && b }},
	{"only one picture has %s", func(a, b bool) bool { return a != b }},
	{"the first picture has %s", func(a, _ bool) bool { return a }},
	{"the second picture has %s", func(_, b bool) bool { return b }},
}

// NLVR returns a statement about two scenes, true or false with equal probability. It compares their numbers of
// objects or says which has an object, named by shape, by colour, or by both, that at least one of them has.
func NLVR(first, second Scene, rng *rand.Rand) Statement {
	return state(first, second, rng.IntN(2) == 0, rng)
}

// NLVRs returns two statements as NLVR does, one that is true and one that is false, in either order.
func NLVRs(first, second Scene, rng *rand.Rand) [2]Statement {
	begin := rng.IntN(2) == 0
	return [2]Statement{state(first, second, begin, rng), state(first, second, !begin, rng)}
}

// state returns a statement that is as true as wanted.
func state(first, second Scene, want bool, rng *rand.Rand) Statement {
	for _, k := range rng.Perm(len(patterns) + 1) {
		var fit []Statement
		for _, s := range statements(k, &first, &second) {
			if s.Label == want {
				fit = append(fit, s)
			}
		}
		if len(fit) > 0 {
			return fit[rng.IntN(len(fit))]
		}
	}
	// The first picture has what it has, and neither has more objects than it has itself: some statement always fits.
	panic("scenes: no statement fits two scenes")
}

// statements returns all statements of one pattern; the number after the last pattern stands for counting.
func statements(k int, first, second *Scene) []Statement {
	if k == len(patterns) {
		const more = "the %s picture has more objects than the %s picture"
		a, b := len(first.Objects), len(second.Objects)
		return []Statement{{fmt.Sprintf(more, "first", "second"), a > b}, {fmt.Sprintf(more, "second", "first"), b > a}}
	}
	var list []Statement
	for _, s := range []*Scene{first, second} {
		for _, o := range s.Objects {
			names := []Description{describe(o, false), {Shape: o.Shape}, {Colour: o.Colour}}
			if o.Shape.IsPictogram() {
				names = names[:1] // it has no colour to say
			}
			for _, d := range names {
				holds := patterns[k].holds(first.Count(d) > 0, second.Count(d) > 0)
				list = append(list, Statement{fmt.Sprintf(patterns[k].format, d.withArticle()), holds})
			}
		}
	}
	return list
}
