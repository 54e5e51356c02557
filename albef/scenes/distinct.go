package scenes

import "fmt"

// Distinct returns the scenes whose objects are not those of an earlier one, in order: by [Scene.Key] no two are
// equal.
func Distinct(list []Scene) []Scene {
	seen := map[string]bool{}
	var distinct []Scene
	for _, s := range list {
		if key := s.Key(); !seen[key] {
			seen[key] = true
			distinct = append(distinct, s)
		}
	}
	return distinct
}

// GenerateDistinct returns n scenes with pairwise different [Scene.Key], so that each has a description of its
// own: the first such scenes of the seed. It returns an error when the options allow too few of them.
func GenerateDistinct(seed uint64, n int, opt Options) ([]Scene, error) {
	const patience = 10000 // scenes in a row that bring nothing new
	seen := map[string]bool{}
	var distinct []Scene
	for i, last := 0, 0; len(distinct) < n; i++ {
		s := Generate(seed, i, opt)
		if key := s.Key(); !seen[key] {
			seen[key] = true
			distinct = append(distinct, s)
			last = i
		}
		if i-last > patience {
			return nil, fmt.Errorf("draw %d different scenes of the %s split: only %d exist with these options", n, opt.Split, len(distinct))
		}
	}
	return distinct, nil
}
