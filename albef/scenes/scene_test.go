package scenes_test

import (
	"math"
	"reflect"
	"testing"

	"vlab/albef/scenes"
)

func TestGenerateDependsOnSeedAndIndexAlone(t *testing.T) {
	var opt scenes.Options
	want := scenes.Generate(3, 17, opt)
	for i := range 30 {
		scenes.Generate(3, i, opt)
	}
	if got := scenes.Generate(3, 17, opt); !reflect.DeepEqual(got, want) {
		t.Errorf("scene 17 again:\n got %+v\nwant %+v", got, want)
	}
	for name, other := range map[string]scenes.Scene{
		"seed":  scenes.Generate(4, 17, opt),
		"index": scenes.Generate(3, 18, opt),
		"split": scenes.Generate(3, 17, scenes.Options{Split: scenes.Test}),
	} {
		if reflect.DeepEqual(other.Objects, want.Objects) {
			t.Errorf("another %s gave the same objects: %+v", name, want.Objects)
		}
	}
}

func TestSizeOnlyScalesBoxes(t *testing.T) {
	for i := range 200 {
		small, big := scenes.Generate(1, i, scenes.Options{}), scenes.Generate(1, i, scenes.Options{Size: 256})
		for k := range big.Objects {
			b := &big.Objects[k].Box
			*b = scenes.Box{X: b.X / 4, Y: b.Y / 4, W: b.W / 4, H: b.H / 4}
		}
		if !reflect.DeepEqual(big.Objects, small.Objects) || big.Background != small.Background {
			t.Fatalf("scene %d: at 256 pixels, divided by 4:\n got %+v\nwant %+v", i, big.Objects, small.Objects)
		}
	}
}

func TestObjectsKeepApartAndInside(t *testing.T) {
	for _, opt := range []scenes.Options{{}, {Objects: 3}, {Split: scenes.HeldOut}} {
		for i := range 3000 {
			s := scenes.Generate(2, i, opt)
			for a, o := range s.Objects {
				checkBox(t, o)
				for _, p := range s.Objects[:a] {
					dx := max(o.Box.X-p.Box.X-p.Box.W, p.Box.X-o.Box.X-o.Box.W)
					dy := max(o.Box.Y-p.Box.Y-p.Box.H, p.Box.Y-o.Box.Y-o.Box.H)
					if max(dx, dy) < 2 {
						t.Fatalf("scene %d: boxes are %v and %v pixels apart, want 2: %+v %+v", i, dx, dy, o, p)
					}
				}
			}
		}
	}
}

func checkBox(t *testing.T, o scenes.Object) {
	t.Helper()
	longer := math.Max(o.Box.W, o.Box.H)
	low, high := 17.0, 19.0
	if o.Size == scenes.Large {
		low, high = 24, 27
	}
	if longer < low || longer > high {
		t.Errorf("longer side of %+v is %v, want %v to %v", o, longer, low, high)
	}
	if o.Box.X < 1 || o.Box.Y < 1 || o.Box.X+o.Box.W > 63 || o.Box.Y+o.Box.H > 63 {
		t.Errorf("box of %+v leaves the picture", o)
	}
}

func TestHeldOutPairsStayInTheirSplit(t *testing.T) {
	seen := map[scenes.Pair]bool{}
	for _, split := range scenes.Splits() {
		for i := range 3000 {
			s := scenes.Generate(9, i, scenes.Options{Split: split})
			held := 0
			for _, o := range s.Objects {
				if o.Pair().IsHeldOut() {
					held++
					seen[o.Pair()] = true
				}
			}
			if (held > 0) != (split == scenes.HeldOut) {
				t.Fatalf("scene %d of split %s has %d held-out pairs: %s", i, split, held, s.Key())
			}
		}
	}
	if len(seen) != 6 {
		t.Errorf("got %d of the held-out pairs in 3000 scenes, want 6: %v", len(seen), seen)
	}
}

func TestDistribution(t *testing.T) {
	const n = 20000
	var counts [4]float64
	shapes, colours, sizes := map[scenes.Shape]float64{}, map[scenes.Colour]float64{}, map[scenes.Size]float64{}
	pairs := map[scenes.Pair]bool{}
	objects := 0.0
	for i := range n {
		s := scenes.Generate(1, i, scenes.Options{})
		counts[len(s.Objects)]++
		for _, o := range s.Objects {
			objects++
			shapes[o.Shape]++
			colours[o.Colour]++
			sizes[o.Size]++
			pairs[o.Pair()] = true
		}
	}
	near := func(what any, got, want, within float64) {
		t.Helper()
		if math.Abs(got-want) > within {
			t.Errorf("share of %v: got %.3f, want %.3f within %.3f", what, got, want, within)
		}
	}
	near("one object", counts[1]/n, .15, .01)
	near("two objects", counts[2]/n, .45, .015)
	near("three objects", counts[3]/n, .40, .015)
	for s := scenes.Circle; s <= scenes.Ring; s++ {
		near(s, shapes[s]/objects, 1/8., .025) // shapes with a held-out pair are a little rarer
	}
	for c := scenes.Red; c <= scenes.White; c++ {
		near(c, colours[c]/objects, 1/8., .025)
	}
	near(scenes.Small, sizes[scenes.Small]/objects, .5, .015)
	if len(pairs) != 64-6 {
		t.Errorf("got %d colour-shape pairs in training, want 58", len(pairs))
	}
}

func TestOptionsLimitObjects(t *testing.T) {
	for i := range 300 {
		for want := 1; want <= 3; want++ {
			s := scenes.Generate(1, i, scenes.Options{Objects: want, SameColour: true})
			if len(s.Objects) != want {
				t.Fatalf("got %d objects, want %d", len(s.Objects), want)
			}
			for _, o := range s.Objects {
				if o.Colour != s.Objects[0].Colour {
					t.Fatalf("got %s, want one colour", s.Key())
				}
			}
		}
	}
}

func TestEveryPairOfObjectsHasARelation(t *testing.T) {
	for i := range 3000 {
		s := scenes.Generate(6, i, scenes.Options{Objects: 3})
		for a := range 3 {
			for b := range 3 {
				if a == b {
					continue
				}
				found := s.Relations(a, b)
				if len(found) == 0 {
					t.Fatalf("scene %d: no relation between %+v and %+v", i, s.Objects[a], s.Objects[b])
				}
				for _, r := range found {
					if got := s.Related(b, r.Opposite(), a); got != scenes.True {
						t.Fatalf("scene %d: %v holds but its opposite is %v", i, r, got)
					}
					if got := s.Related(b, r, a); got != scenes.False {
						t.Fatalf("scene %d: %v holds and so it is %v the other way round", i, r, got)
					}
				}
			}
		}
	}
}

func TestDistinct(t *testing.T) {
	list, err := scenes.GenerateDistinct(1, 200, scenes.Options{Split: scenes.Test})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, s := range list {
		texts[scenes.Describe(s).String()] = true
	}
	if len(list) != 200 || len(texts) != 200 {
		t.Errorf("got %d scenes with %d descriptions, want 200 and 200", len(list), len(texts))
	}
	if got := scenes.Distinct(append(list, list[:50]...)); !reflect.DeepEqual(got, list) {
		t.Errorf("Distinct kept %d scenes, want the first 200", len(got))
	}
	if _, err := scenes.GenerateDistinct(1, 200, scenes.Options{Objects: 1}); err == nil {
		t.Error("200 different scenes of one object: got no error, want one, for there are 116")
	}
}
