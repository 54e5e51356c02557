package scenes

import "math/rand/v2"

// Count is a sentence that says how many objects of a scene a description fits, all of them where it says nothing.
type Count struct {
	N  int // 1 to 3
	Of Description
}

var numberWords = [...]string{"no", "one", "two", "three"}

// Holds reports whether just so many objects of the scene fit.
func (c Count) Holds(s Scene) bool { return s.Count(c.Of) == c.N }

// String returns the sentence: "there are two objects", or "two objects are red".
func (c Count) String() string {
	objects, are := " objects", " are "
	if c.N == 1 {
		objects, are = " object", " is "
	}
	if c.Of == (Description{}) {
		return "there" + are + numberWords[c.N] + objects
	}
	return numberWords[c.N] + objects + are + c.Of.attributes()
}

// contrastCounts says a number that is right and one that is wrong.
func contrastCounts(s Scene, rng *rand.Rand) Contrast {
	c := Count{N: len(s.Objects)}
	if o := s.Objects[rng.IntN(len(s.Objects))]; rng.IntN(2) == 0 {
		c.Of = Description{Size: o.Size}
		if o.Colour != NoColour && rng.IntN(2) == 0 {
			c.Of = Description{Colour: o.Colour}
		}
		c.N = s.Count(c.Of)
	}
	other := c
	other.N = 1 + (c.N+rng.IntN(2))%3
	return Contrast{c, other, KindCount}
}
