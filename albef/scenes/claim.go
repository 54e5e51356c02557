package scenes

import (
	"slices"
	"strings"
)

// Description names an object by some of its attributes; a zero attribute is left unsaid.
type Description struct {
	Size    Size
	Texture Texture
	Colour  Colour
	Shape   Shape // NoShape reads "object"
}

// Describes reports whether the object has every attribute that is said.
func (d Description) Describes(o Object) bool {
	return (d.Size == NoSize || d.Size == o.Size) &&
		(d.Texture == NoTexture || d.Texture == o.Texture) &&
		(d.Colour == NoColour || d.Colour == o.Colour) &&
		(d.Shape == NoShape || d.Shape == o.Shape)
}

// String returns the words of the description with no article, as "small red circle".
func (d Description) String() string {
	return strings.TrimPrefix(d.attributes()+" "+d.Shape.String(), " ")
}

// attributes returns the words before the noun.
func (d Description) attributes() string {
	var words []string
	if d.Size != NoSize {
		words = append(words, d.Size.String())
	}
	if d.Texture != NoTexture {
		words = append(words, d.Texture.String())
	}
	if d.Colour != NoColour {
		words = append(words, d.Colour.String())
	}
	return strings.Join(words, " ")
}

// withArticle puts "a" or "an" before the description.
func (d Description) withArticle() string {
	text := d.String()
	if strings.IndexByte("aeiou", text[0]) >= 0 {
		return "an " + text
	}
	return "a " + text
}

// Form is the wording of a claim; it does not change what is claimed.
type Form int

// The wordings, shown on a red circle that is left of a blue square.
const (
	Plain   Form = iota // a red circle left of a blue square
	Is                  // a red circle is left of a blue square
	To                  // a red circle to the left of a blue square
	There               // there is a red circle left of a blue square
	Picture             // a picture of a red circle left of a blue square
	The                 // the red circle left of the blue square
	TheIs               // the red circle is left of the blue square
)

// Claim is a sentence about a scene: it holds different objects with these descriptions, the first in the given
// relation to the second. Every description matches an object of its own.
type Claim struct {
	Objects  []Description // in the order they are named
	Relation Relation      // between Objects[0] and Objects[1]; NoRelation claims none
	Form     Form
}

// Judge decides the claim. It is [True] when some choice of objects shows all that is said, [False] when
// every choice clearly fails, [Unclear] otherwise.
func (c Claim) Judge(s Scene) Truth {
	return c.judge(&s, make([]int, 0, 3))
}

// judge goes through the ways to give each description an object of its own; chosen holds the objects so far.
func (c Claim) judge(s *Scene, chosen []int) Truth {
	if len(chosen) == len(c.Objects) {
		if c.Relation == NoRelation {
			return True
		}
		return s.Related(chosen[0], c.Relation, chosen[1])
	}
	verdict := False
	for i, o := range s.Objects {
		if slices.Contains(chosen, i) || !c.Objects[len(chosen)].Describes(o) {
			continue
		}
		switch c.judge(s, append(chosen, i)) {
		case True:
			return True
		case False:
		case Unclear:
			verdict = Unclear
		}
	}
	return verdict
}

// Holds reports whether the claim is clearly true of the scene.
func (c Claim) Holds(s Scene) bool { return c.Judge(s) == True }

// String returns the sentence in lower case and without a full stop.
func (c Claim) String() string {
	name := Description.withArticle
	if c.Form == The || c.Form == TheIs {
		name = func(d Description) string { return "the " + d.String() }
	}
	var b strings.Builder
	switch c.Form {
	case There:
		b.WriteString("there is ")
	case Picture:
		b.WriteString("a picture of ")
	case Plain, Is, To, The, TheIs:
	}
	b.WriteString(name(c.Objects[0]))
	rest := c.Objects[1:]
	if c.Relation != NoRelation {
		b.WriteString(c.relationWords() + name(rest[0]))
		if rest = rest[1:]; len(rest) > 0 { // not "and" alone, which could belong to the relation
			b.WriteString(" and there is " + name(rest[0]))
			rest = rest[1:]
		}
	}
	for _, d := range rest {
		b.WriteString(" and " + name(d))
	}
	return b.String()
}

// relationWords returns the relation in the claim's form, with a space on both sides.
func (c Claim) relationWords() string {
	switch {
	case c.Form == Is || c.Form == TheIs:
		return " is " + c.Relation.String() + " "
	case c.Form == To && (c.Relation == LeftOf || c.Relation == RightOf):
		return " to the " + c.Relation.String() + " "
	}
	return " " + c.Relation.String() + " "
}

// clone copies the claim, so that editing the copy leaves the claim as it was.
func (c Claim) clone() Claim {
	c.Objects = append([]Description(nil), c.Objects...)
	return c
}

// allowed reports whether texts of the split may say the claim: none but [HeldOut] mentions a held-out pair.
func (c Claim) allowed(split Split) bool {
	for _, d := range c.Objects {
		if !split.allows(Pair{d.Colour, d.Shape}) {
			return false
		}
	}
	return true
}
