package scenes

import (
	"math/rand/v2"
	"slices"
)

// Sentence is what can be said of a scene: a [Claim] or a [Count].
type Sentence interface {
	String() string
	Holds(s Scene) bool
}

// Contrast is a true sentence about a scene and one that is false of it and differs
// in one point, of the same form and length: what tells them apart is in the
// picture alone.
type Contrast struct {
	True, False Sentence
	Kind        Kind
}

// ContrastOf makes one of a kind, of the words that the kind needs and few others;
// false where the scene has none: a single object is in no relation, and most have
// no texture.
func ContrastOf(s Scene, kind Kind, rng *rand.Rand) (Contrast, bool) {
	if kind == KindCount {
		return contrastCounts(s, rng), true
	}
	const tries = 4
	for range tries {
		source, ok := sourceOf(s, kind, rng)
		if !ok {
			return Contrast{}, false
		}
		if found := NegativesOf(s, source, rng, 1, kind); len(found) == 1 {
			return Contrast{source, found[0].Claim, kind}, true
		}
	}
	return Contrast{}, false
}

// sourceOf draws a true claim that the kind can edit.
func sourceOf(s Scene, kind Kind, rng *rand.Rand) (Claim, bool) {
	switch kind {
	case KindRelation, KindOrder:
		if len(s.Objects) > 1 && rng.IntN(3) == 0 {
			return Describe(s), true
		}
		return related(s, rng)
	case KindBinding:
		return both(s, rng)
	case KindTexture:
		if !slices.ContainsFunc(s.Objects, func(o Object) bool { return o.Texture != NoTexture }) {
			return Claim{}, false
		}
	case KindColour, KindShape, KindSize, KindCount:
	}
	if rng.IntN(3) == 0 {
		return Caption(s, rng), true
	}
	phrases := Phrases(s)
	return phrases[rng.IntN(len(phrases))].Claim, true
}

// pick draws two objects of a scene, named by colour and shape or with their sizes.
func pick(s Scene, rng *rand.Rand) (a, b int, described []Description, ok bool) {
	if len(s.Objects) < 2 {
		return 0, 0, nil, false
	}
	order := rng.Perm(len(s.Objects))
	a, b = order[0], order[1]
	sizes := rng.IntN(4) == 0 || !pairsDiffer(s, order[:2])
	return a, b, []Description{describe(s.Objects[a], sizes), describe(s.Objects[b], sizes)}, true
}

// related says how two objects lie to each other.
func related(s Scene, rng *rand.Rand) (Claim, bool) {
	a, b, described, ok := pick(s, rng)
	if !ok {
		return Claim{}, false
	}
	relations := s.Relations(a, b)
	form := []Form{Plain, Is, To, There, Picture, The, TheIs}[rng.IntN(7)]
	if form == The || form == TheIs { // "the circle" has to be one
		for _, d := range described {
			if s.Count(d) != 1 {
				form = Plain
			}
		}
	}
	return Claim{Objects: described, Relation: relations[rng.IntN(len(relations))], Form: form}, true
}

// both names two objects.
func both(s Scene, rng *rand.Rand) (Claim, bool) {
	_, _, described, ok := pick(s, rng)
	return Claim{Objects: described, Form: []Form{Plain, There, Picture}[rng.IntN(3)]}, ok
}
