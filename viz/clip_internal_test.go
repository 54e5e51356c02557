package viz

import (
	"bytes"
	"strings"
	"testing"
)

// TestCurvesAreClipped has a spike that the plot leaves out: nothing of it may stand in the title.
func TestCurvesAreClipped(t *testing.T) {
	y := make([]float64, 1000)
	y[500] = 1e6
	f := Curves([]Series{{Y: y}}, CurveOptions{Title: "loss"}).(*Figure)
	clipped := 0
	for _, m := range f.marks {
		if m.clip == nil {
			continue
		}
		clipped++
		if m.clip.y < 16 || m.clip.y+m.clip.h > f.height || m.clip.x < 0 || m.clip.x+m.clip.w > f.width {
			t.Errorf("got a clip to %v on paper of %g by %g", *m.clip, f.width, f.height)
		}
	}
	if clipped != 2 {
		t.Errorf("got %d clipped marks, want the raw and the smoothed line", clipped)
	}
	var out bytes.Buffer
	if err := SVG(&out, f, PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), `<g clip-path="url(#clip_`); n != clipped {
		t.Errorf("svg: got %d clips, want %d", n, clipped)
	}
	p, err := PrintOptions{}.page(f)
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	d := newPDF(p)
	d.SetCompression(false)
	for _, m := range f.marks {
		if err := d.mark(m, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Output(&out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "re W n\n"); n != clipped || strings.Count(out.String(), "Q\n") < n {
		t.Errorf("pdf: got %d clips, want %d, each ended", n, clipped)
	}
}

func TestMovedMarksTakeTheirClipAlong(t *testing.T) {
	m := mark{path: path{{moveTo, [3]point{{1, 2}}}}, at: frame{3, 4, 5, 6}, clip: &frame{7, 8, 9, 10}}
	got := m.moved(100, 200)
	if got.path[0].at[0] != (point{101, 202}) || got.at != (frame{103, 204, 5, 6}) || *got.clip != (frame{107, 208, 9, 10}) {
		t.Errorf("got %v, %v, %v", got.path, got.at, *got.clip)
	}
	if *m.clip != (frame{7, 8, 9, 10}) {
		t.Error("the mark itself was moved")
	}
}
