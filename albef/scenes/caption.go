package scenes

import "math/rand/v2"

// Caption returns a true claim about the scene, worded by chance. Four in five name every object, the others leave
// one out where there are two or more; half give sizes; three in five of those that name two or more say a
// relation. Colour and shape are always said.
func Caption(s Scene, rng *rand.Rand) Claim {
	order := rng.Perm(len(s.Objects))
	if len(order) > 1 && rng.IntN(5) == 0 {
		order = order[1:]
	}
	return worded(s, rng, order, rng.IntN(2) == 0 || !pairsDiffer(s, order))
}

// fullCaption is a caption that names every object with all its attributes.
func fullCaption(s Scene, rng *rand.Rand) Claim {
	return worded(s, rng, rng.Perm(len(s.Objects)), true)
}

// worded names the objects in the given order, in a random form and with a relation as often as Caption says.
func worded(s Scene, rng *rand.Rand, order []int, sizes bool) Claim {
	c := Claim{Form: []Form{Plain, Plain, Is, To, There, Picture}[rng.IntN(6)]}
	for _, i := range order {
		c.Objects = append(c.Objects, describe(s.Objects[i], sizes))
	}
	if len(order) > 1 && rng.IntN(5) < 3 {
		relations := s.Relations(order[0], order[1])
		c.Relation = relations[rng.IntN(len(relations))]
	}
	return c
}

// Describe returns the claim that says all there is to say of the objects, with a relation between the first two.
// Scenes with different [Scene.Key] have different descriptions.
func Describe(s Scene) Claim {
	var c Claim
	for _, o := range s.Objects {
		c.Objects = append(c.Objects, describe(o, true))
	}
	if len(s.Objects) > 1 {
		c.Relation = s.Relations(0, 1)[0]
	}
	return c
}

// describe names the object by colour and shape, by its texture if it has one, and by size where it is asked for.
func describe(o Object, size bool) Description {
	d := Description{Texture: o.Texture, Colour: o.Colour, Shape: o.Shape}
	if size {
		d.Size = o.Size
	}
	return d
}

// pairsDiffer reports whether no two of the objects share both colour and shape.
func pairsDiffer(s Scene, objects []int) bool {
	seen := map[Pair]bool{}
	for _, i := range objects {
		pair := s.Objects[i].Pair()
		if seen[pair] {
			return false
		}
		seen[pair] = true
	}
	return true
}
