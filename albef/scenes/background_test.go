package scenes

import "testing"

func TestEveryColourHasBackgrounds(t *testing.T) {
	for a := Red; a <= White; a++ {
		for b := a; b <= White; b++ {
			for c := b; c <= White; c++ {
				good := 0
				for _, tone := range tones {
					far := true
					for _, colour := range []Colour{a, b, c} {
						far = far && distanceSquared(tone, colour.RGB()) >= contrast*contrast
					}
					if far {
						good++
					}
				}
				if good < 5 {
					t.Errorf("%s, %s and %s together: got %d backgrounds, want 5", a, b, c, good)
				}
			}
		}
	}
}
