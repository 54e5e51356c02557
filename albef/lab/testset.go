package lab

import "vlab/albef/scenes"

// TestSet are drawn scenes that no training has seen, to measure a model on: N for
// each measure, of a seed, from streams of their own. With HeldOut every one has a
// colour and a shape together that training never shows or mentions.
type TestSet struct {
	N       int
	Seed    uint64
	HeldOut bool
}

// of are the options of the set's scenes.
func (t TestSet) of(o scenes.Options) scenes.Options {
	o.Split = scenes.Test
	if t.HeldOut {
		o.Split = scenes.HeldOut
	}
	return o
}

// scenes returns the set's scenes that have so many objects or more.
func (t TestSet) scenes(objects int, o scenes.Options) []scenes.Scene {
	var list []scenes.Scene
	for i := 0; len(list) < t.N; i++ {
		if s := scenes.Generate(t.Seed, i, t.of(o)); len(s.Objects) >= objects {
			list = append(list, s)
		}
	}
	return list
}
