package scenes

import (
	"math/rand/v2"
	"slices"
)

// Kind says in what point a negative differs from the claim it was made of.
type Kind int

// The kinds of negatives. Those of one word change "a" to "an" besides where the next word asks for it.
const (
	KindColour   Kind = iota // one colour is another
	KindShape                // one shape is another
	KindSize                 // one size is the other
	KindRelation             // the relation is another
	KindBinding              // two objects have exchanged their colours, shapes or sizes; the words are the same
	KindOrder                // the two objects of the relation have changed places; the words are the same
	KindTexture              // one texture is the other
	KindCount                // one number is another; only of a [Count]
)

// Kinds returns all kinds that a [Claim] can be edited in, in order.
func Kinds() []Kind {
	return []Kind{KindColour, KindShape, KindSize, KindRelation, KindBinding, KindOrder, KindTexture}
}

// String returns "colour", "shape", "size", "relation", "binding", "order", "texture" or "count".
func (k Kind) String() string {
	return [...]string{"colour", "shape", "size", "relation", "binding", "order", "texture", "count"}[k]
}

// Negative is a claim that is false of a scene and differs in one point from one that was given.
type Negative struct {
	Claim
	Kind Kind
}

// Negatives returns up to n different claims that are clearly false of the scene, each an edit of c in one point.
// The kinds take turns in random order, as far as c has the words for them: an object without a size has no size
// to change. A claim about a scene outside [HeldOut] mentions no held-out pair. Fewer than n come back when no
// more exist.
func Negatives(s Scene, c Claim, rng *rand.Rand, n int) []Negative {
	return NegativesOf(s, c, rng, n, Kinds()...)
}

// NegativesOf is [Negatives] of the given kinds alone.
func NegativesOf(s Scene, c Claim, rng *rand.Rand, n int, kinds ...Kind) []Negative {
	queues := make([][]Negative, len(kinds))
	for q, at := range rng.Perm(len(kinds)) {
		edits := edits(c, kinds[at])
		rng.Shuffle(len(edits), func(a, b int) { edits[a], edits[b] = edits[b], edits[a] })
		queues[q] = edits
	}
	var found []Negative
	for more := true; more && len(found) < n; {
		more = false
		for q := range queues {
			for len(queues[q]) > 0 && len(found) < n {
				candidate := queues[q][0]
				queues[q] = queues[q][1:]
				if candidate.fits(s) && !repeats(found, candidate) {
					found = append(found, candidate)
					more = true
					break
				}
			}
		}
	}
	return found
}

// fits reports whether the edit is false of the scene and can be said of it: it mentions no pair that the split
// holds out, and does not name two objects by the same words.
func (n Negative) fits(s Scene) bool {
	for i, d := range n.Objects {
		if slices.Contains(n.Objects[:i], d) {
			return false
		}
	}
	return n.allowed(s.Split) && n.Judge(s) == False
}

// repeats reports whether the candidate says in the same words what was found already. Exchanging colours can give
// the same text as exchanging shapes, or as changing places.
func repeats(found []Negative, candidate Negative) bool {
	text := candidate.String()
	for _, f := range found {
		if f.String() == text {
			return true
		}
	}
	return false
}

// edits returns every edit of one kind, true or false.
func edits(c Claim, kind Kind) []Negative {
	var list []Negative
	edit := func(change func(Claim) Claim) {
		list = append(list, Negative{Claim: change(c.clone()), Kind: kind})
	}
	switch kind {
	case KindRelation:
		for r := LeftOf; r <= Below; r++ {
			if c.Relation != NoRelation && r != c.Relation {
				edit(func(e Claim) Claim { e.Relation = r; return e })
			}
		}
	case KindOrder:
		if c.Relation != NoRelation && c.Objects[0] != c.Objects[1] {
			edit(func(e Claim) Claim { e.Objects[0], e.Objects[1] = e.Objects[1], e.Objects[0]; return e })
		}
	case KindBinding:
		return exchanges(c)
	default:
		for i := range c.Objects {
			for _, d := range changes(c.Objects[i], kind) {
				edit(func(e Claim) Claim { e.Objects[i] = d; return e })
			}
		}
	}
	return list
}

// changes returns the descriptions that differ from d in one attribute that d says.
func changes(d Description, kind Kind) []Description {
	var list []Description
	add := func(e Description) {
		if e != d {
			list = append(list, e)
		}
	}
	switch e := d; {
	case kind == KindColour && d.Colour != NoColour:
		for e.Colour = Red; e.Colour <= White; e.Colour++ {
			add(e)
		}
	case kind == KindShape && d.Shape.IsPictogram():
		for i := range PictogramCount {
			e.Shape = Pictogram(i)
			add(e)
		}
	case kind == KindShape && d.Shape != NoShape:
		for e.Shape = Circle; e.Shape <= Ring; e.Shape++ {
			add(e)
		}
	case kind == KindSize && d.Size != NoSize:
		e.Size = Small + Large - d.Size
		add(e)
	case kind == KindTexture && d.Texture != NoTexture:
		e.Texture = Striped + Dotted - d.Texture
		add(e)
	}
	return list
}

// exchanges returns the claims in which two objects have exchanged one attribute that both say.
func exchanges(c Claim) []Negative {
	var list []Negative
	for i := range c.Objects {
		for j := range i {
			a, b := c.Objects[i], c.Objects[j]
			swap := func(change func(p, q *Description)) {
				e := c.clone()
				change(&e.Objects[i], &e.Objects[j])
				list = append(list, Negative{Claim: e, Kind: KindBinding})
			}
			if a.Colour != b.Colour && a.Colour != NoColour && b.Colour != NoColour {
				swap(func(p, q *Description) { p.Colour, q.Colour = q.Colour, p.Colour })
			}
			if a.Shape != b.Shape && a.Shape != NoShape && b.Shape != NoShape {
				swap(func(p, q *Description) { p.Shape, q.Shape = q.Shape, p.Shape })
			}
			if a.Size != b.Size && a.Size != NoSize && b.Size != NoSize {
				swap(func(p, q *Description) { p.Size, q.Size = q.Size, p.Size })
			}
		}
	}
	return list
}
