package scenes_test

import (
	"testing"

	"vlab/albef/scenes"
)

func TestGridNamesWhatCoversACell(t *testing.T) {
	s := scenes.Scene{Size: 64, Objects: []scenes.Object{
		{Shape: scenes.Square, Colour: scenes.Red, Size: scenes.Large, Box: scenes.Box{X: 8, Y: 8, W: 24, H: 24}},
		{Shape: scenes.Triangle, Colour: scenes.Blue, Size: scenes.Small, Box: scenes.Box{X: 40, Y: 40, W: 16, H: 16}},
	}}
	// The square fills nine cells. The triangle fills most of two, and of the two above them half each of the
	// halves beside its tip.
	want := "" +
		"........" +
		".sss...." +
		".sss...." +
		".sss...." +
		"........" +
		".....tt." +
		".....tt." +
		"........"
	got := ""
	for i, c := range s.Grid(8) {
		switch c {
		case scenes.Cell{Shape: scenes.Square, Colour: scenes.Red, Size: scenes.Large, Object: 0}:
			got += "s"
		case scenes.Cell{Shape: scenes.Triangle, Colour: scenes.Blue, Size: scenes.Small, Object: 1}:
			got += "t"
		case scenes.Cell{Object: -1}:
			got += "."
		default:
			t.Errorf("cell %d: got %+v", i, c)
		}
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEveryObjectHasCells(t *testing.T) {
	for _, g := range []int{4, 8, 16} {
		for i := range 500 {
			s := scenes.Generate(3, i, scenes.Options{})
			cells := make([]int, len(s.Objects))
			for k, c := range s.Grid(g) {
				if c.Object < 0 {
					continue
				}
				cells[c.Object]++
				if o := s.Objects[c.Object]; c.Shape != o.Shape || c.Colour != o.Colour || c.Size != o.Size {
					t.Fatalf("cell %d: got %+v, want the attributes of %+v", k, c, o)
				}
			}
			for k, n := range cells {
				if n == 0 || g == 8 && n > 20 {
					t.Fatalf("scene %d, grid of %d: %+v has %d cells", i, g, s.Objects[k], n)
				}
			}
		}
	}
}

// At a fine grid the cells of an object take up its area, a ring's hole included.
func TestGridFollowsSilhouettes(t *testing.T) {
	area := map[scenes.Shape]float64{
		scenes.Circle: .785, scenes.Square: 1, scenes.Triangle: .5, scenes.Star: .376, scenes.Cross: .556,
		scenes.Heart: .69, scenes.Diamond: .5, scenes.Ring: .785,
	}
	for shape, want := range area {
		s := scenes.Scene{Size: 64, Objects: []scenes.Object{{Shape: shape, Colour: scenes.Red, Size: scenes.Large, Box: scenes.Box{W: 64, H: 64}}}}
		n := 0
		for _, c := range s.Grid(64) {
			if c.Object == 0 {
				n++
			}
		}
		if got := float64(n) / (64 * 64); got < want-.03 || got > want+.04 {
			t.Errorf("%s covers %.3f of its box, want %.3f", shape, got, want)
		}
	}
}
