package scenes

import (
	"fmt"
	"math/rand/v2"
)

// Label is the relation of a sentence to a picture, spelt as in the official files.
type Label string

// The labels. A picture shows everything that is in its scene, so what is not seen is not there.
const (
	Entailment    Label = "entailment"    // the picture shows it
	Neutral       Label = "neutral"       // it adds a property that no picture of this kind shows, to an object that is there
	Contradiction Label = "contradiction" // the picture shows that it is false
)

// Hypothesis is a sentence with its label.
type Hypothesis struct {
	Text  string
	Label Label
}

// materials are the properties that a drawn shape does not show.
var materials = [...]string{
	"made of wood", "made of metal", "made of glass", "made of paper", "heavy", "soft", "old", "new", "warm", "cold",
}

// Hypotheses returns three sentences about the scene, one of each label, in the order entailment, neutral,
// contradiction.
//
// Entailed are true captions, and denials of what is not there. Neutral is an object that is there said to be of
// some material, weight or age. Contradictory are captions with one point wrong, denials of what is there, and an
// object that is not there said to be of some material: so such words alone do not tell neutral from
// contradictory, nor "no" the others.
func Hypotheses(s Scene, rng *rand.Rand) [3]Hypothesis {
	one := Claim{Objects: []Description{describe(s.Objects[rng.IntN(len(s.Objects))], rng.IntN(2) == 0)}}
	wrong := Negatives(s, one, rng, 1)[0].Claim // a colour can always be changed into a wrong one
	material := materials[rng.IntN(len(materials))]

	entailed := Caption(s, rng).String()
	if rng.IntN(4) == 0 {
		entailed = denial(wrong)
	}
	contradictory := ""
	switch rng.IntN(4) {
	case 0:
		contradictory = denial(one)
	case 1:
		contradictory = fmt.Sprintf("%s is %s", wrong, material)
	default:
		contradictory = Negatives(s, Caption(s, rng), rng, 1)[0].String()
	}
	return [3]Hypothesis{
		{entailed, Entailment},
		{fmt.Sprintf("%s is %s", one, material), Neutral},
		{contradictory, Contradiction},
	}
}

// denial says that the one object of the claim is not there.
func denial(c Claim) string { return "there is no " + c.Objects[0].String() }
