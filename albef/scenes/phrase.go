package scenes

// Phrase is a text that refers to exactly one object of a scene.
type Phrase struct {
	Text   string // "the red circle"
	Object int    // index into Scene.Objects
	Box    Box    // that object's box in pixels
	Claim  Claim  // the text as a claim, which [Negatives] can edit into false phrases
}

// Phrases returns the phrases without a relation that refer to one object each: by colour and shape, by size,
// colour and shape, by size and shape, by shape, and by colour ("the red object"), with a texture also by that, colour
// and shape, and by that alone; pictograms by name and with their size. A phrase that fits two objects is left out, so every object has at least the one with all its
// attributes.
func Phrases(s Scene) []Phrase {
	var list []Phrase
	for i, o := range s.Objects {
		names := []Description{
			{Colour: o.Colour, Shape: o.Shape},
			{Size: o.Size, Colour: o.Colour, Shape: o.Shape},
			{Size: o.Size, Shape: o.Shape},
			{Shape: o.Shape},
			{Colour: o.Colour},
		}
		if o.Shape.IsPictogram() {
			names = names[:2] // it has no colour to say
		}
		if o.Texture != NoTexture {
			names = append(names, Description{Texture: o.Texture, Colour: o.Colour, Shape: o.Shape}, Description{Texture: o.Texture})
		}
		for _, d := range names {
			if s.Count(d) == 1 {
				list = append(list, s.phrase(i, Claim{Objects: []Description{d}, Form: The}))
			}
		}
	}
	return list
}

// RelationPhrases returns the phrases that refer to one object by a relation to another, as "the circle left of
// the red square": the object is named by shape, or by colour and shape, the other by colour and shape. No other
// choice of objects may fit, not even unclearly.
func RelationPhrases(s Scene) []Phrase {
	var list []Phrase
	for i, o := range s.Objects {
		for j, p := range s.Objects {
			other := describe(p, false)
			if i == j || s.Count(other) != 1 {
				continue
			}
			for _, d := range []Description{{Shape: o.Shape}, describe(o, false)} {
				for _, r := range s.Relations(i, j) {
					if s.singledOut(i, d, r, j) {
						list = append(list, s.phrase(i, Claim{Objects: []Description{d, other}, Relation: r, Form: The}))
					}
				}
			}
		}
	}
	return list
}

func (s *Scene) phrase(object int, c Claim) Phrase {
	return Phrase{Text: c.String(), Object: object, Box: s.Objects[object].Box, Claim: c}
}

// Count returns how many objects the description fits.
func (s *Scene) Count(d Description) int {
	n := 0
	for _, o := range s.Objects {
		if d.Describes(o) {
			n++
		}
	}
	return n
}

// singledOut reports whether every object but object that fits d is clearly not in relation r to other.
func (s *Scene) singledOut(object int, d Description, r Relation, other int) bool {
	for k, o := range s.Objects {
		if k != object && k != other && d.Describes(o) && s.Related(k, r, other) != False {
			return false
		}
	}
	return true
}
