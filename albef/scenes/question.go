package scenes

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Topic says what a question asks for.
type Topic int

// The topics of questions.
const (
	AskColour   Topic = iota // what colour is the circle?
	AskShape                 // what shape is the red object?
	AskSize                  // what size is the red circle?
	AskCount                 // how many objects are there?
	AskRelation              // is the red circle left of the blue square?
	AskPresence              // is there a red circle?
)

// String returns "colour", "shape", "size", "count", "relation" or "presence".
func (t Topic) String() string {
	return [...]string{"colour", "shape", "size", "count", "relation", "presence"}[t]
}

// Question is a question about a scene with its one right answer.
type Question struct {
	Text   string // ends with a question mark
	Answer string // one of [Answers]
	Topic  Topic
}

// Answers returns every answer that a question can have. Numbers are digits, as in the official VQA evaluation.
func Answers() []string {
	answers := []string{"yes", "no", "1", "2", "3"}
	answers = append(answers, colourNames[1:]...)
	answers = append(answers, shapeNames[1:]...)
	return append(answers, sizeNames[1:]...)
}

// Questions returns one question of each topic that the scene allows, in order of topic. Objects that are asked
// about are named unambiguously; yes and no are equally likely.
func Questions(s Scene, rng *rand.Rand) []Question {
	var list []Question
	for _, ask := range []func(*Scene, *rand.Rand) (Question, bool){
		askColour, askShape, askSize, askCount, askRelation, askPresence,
	} {
		if q, ok := ask(&s, rng); ok {
			list = append(list, q)
		}
	}
	return list
}

func askColour(s *Scene, rng *rand.Rand) (Question, bool) {
	o, d, ok := s.pickUnique(rng, func(o Object) []Description {
		if o.Shape.IsPictogram() {
			return nil // it has colours of its own
		}
		return []Description{{Shape: o.Shape}, {Size: o.Size, Shape: o.Shape}}
	})
	return Question{fmt.Sprintf("what colour is the %s?", d), o.Colour.String(), AskColour}, ok
}

func askShape(s *Scene, rng *rand.Rand) (Question, bool) {
	o, d, ok := s.pickUnique(rng, func(o Object) []Description {
		if o.Shape.IsPictogram() {
			return nil // it has no shape to say
		}
		return []Description{{Colour: o.Colour}, {Size: o.Size, Colour: o.Colour}}
	})
	return Question{fmt.Sprintf("what shape is the %s?", d), o.Shape.String(), AskShape}, ok
}

func askSize(s *Scene, rng *rand.Rand) (Question, bool) {
	o, d, ok := s.pickUnique(rng, func(o Object) []Description {
		return []Description{describe(o, false), {Shape: o.Shape}}
	})
	return Question{fmt.Sprintf("what size is the %s?", d), o.Size.String(), AskSize}, ok
}

func askCount(s *Scene, rng *rand.Rand) (Question, bool) {
	all := Question{"how many objects are there?", strconv.Itoa(len(s.Objects)), AskCount}
	if rng.IntN(2) == 0 {
		return all, true
	}
	d := Description{Colour: s.Objects[rng.IntN(len(s.Objects))].Colour}
	if d.Colour == NoColour {
		return all, true
	}
	return Question{fmt.Sprintf("how many objects are %s?", d.Colour), strconv.Itoa(s.Count(d)), AskCount}, true
}

// askRelation asks about two objects that are there; a no comes from another relation between the same two.
func askRelation(s *Scene, rng *rand.Rand) (Question, bool) {
	if len(s.Objects) < 2 {
		return Question{}, false
	}
	order := rng.Perm(len(s.Objects))
	a, b := order[0], order[1]
	first, second := s.nameOf(a), s.nameOf(b)
	want, answer := True, "yes"
	if rng.IntN(2) == 0 {
		want, answer = False, "no"
	}
	var fit []Relation
	for r := LeftOf; r <= Below; r++ {
		if s.Related(a, r, b) == want {
			fit = append(fit, r)
		}
	}
	r := fit[rng.IntN(len(fit))]
	return Question{fmt.Sprintf("is the %s %s the %s?", first, r, second), answer, AskRelation}, true
}

func askPresence(s *Scene, rng *rand.Rand) (Question, bool) {
	c := Claim{Objects: []Description{describe(s.Objects[rng.IntN(len(s.Objects))], rng.IntN(2) == 0)}}
	answer := "yes"
	if rng.IntN(2) == 0 {
		wrong := Negatives(*s, c, rng, 1)
		if len(wrong) == 0 {
			return Question{}, false
		}
		c, answer = wrong[0].Claim, "no"
	}
	return Question{fmt.Sprintf("is there %s?", c), answer, AskPresence}, true
}

// pickUnique chooses, among the ways to name the objects, one that fits a single object.
func (s *Scene) pickUnique(rng *rand.Rand, ways func(Object) []Description) (Object, Description, bool) {
	for _, i := range rng.Perm(len(s.Objects)) {
		o := s.Objects[i]
		list := ways(o)
		for _, k := range rng.Perm(len(list)) {
			if s.Count(list[k]) == 1 {
				return o, list[k], true
			}
		}
	}
	return Object{}, Description{}, false
}

// nameOf names the object by colour and shape, and by size where another shares both.
func (s *Scene) nameOf(i int) Description {
	d := describe(s.Objects[i], false)
	if s.Count(d) > 1 {
		d = describe(s.Objects[i], true)
	}
	return d
}
