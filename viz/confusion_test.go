package viz_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"vlab/viz"
)

// square is a matrix of n by n counts.
func square(n int) [][]int {
	out := make([][]int, n)
	for i := range out {
		out[i] = make([]int, n)
		out[i][i] = math.MaxInt32
	}
	return out
}

// words are the texts of a figure, in the order they are drawn, as its SVG has them.
func words(t *testing.T, counts [][]int, classes []string, o viz.ConfusionOptions) []string {
	t.Helper()
	var out []string
	for _, e := range svgElements(t, viz.Confusion(counts, classes, o)) {
		if e.label != "" {
			out = append(out, strings.ReplaceAll(e.label, "\u00a0", " "))
		}
	}
	return out
}

func TestConfusionWritesCountsAndShares(t *testing.T) {
	got := strings.Join(words(t, [][]int{{3, 1}, {0, 0}}, []string{"yes", "no"}, viz.ConfusionOptions{Title: "dev"}), "|")
	want := "dev: accuracy 75.0 % (3 of 4)|75.0 %|3|25.0 %|1|0|0|yes|yes|no|no|true|predicted|100 %|0 %"
	for part := range strings.SplitSeq(want, "|") {
		if !strings.Contains("|"+got+"|", "|"+part+"|") {
			t.Errorf("got %q, want %q in it", got, part)
		}
	}
	if strings.Contains(got, "NaN") {
		t.Errorf("got %q, want no share of an empty row", got)
	}
	if got := strings.Join(words(t, [][]int{{0}}, nil, viz.ConfusionOptions{}), "|"); !strings.Contains(got, "nothing counted") {
		t.Errorf("without counts: got %q", got)
	}
}

// TestConfusionColoursByRow counts ten times as often in one row: its share, and so its colour, is the same as in the other.
func TestConfusionColoursByRow(t *testing.T) {
	im := viz.Confusion([][]int{{30, 10}, {100, 300}}, []string{"a", "b"}, viz.ConfusionOptions{Cell: 60})
	elements := svgElements(t, im)
	var fills []string
	for _, e := range elements {
		if e.d != "" && e.label == "" && e.stroke == "" {
			fills = append(fills, e.fill)
		}
	}
	if len(fills) != 4 || fills[0] != fills[3] || fills[1] != fills[2] || fills[0] == fills[1] {
		t.Errorf("got cells of %v, want two colours crosswise", fills)
	}
}

func TestConfusionRefusesWhatIsNoMatrix(t *testing.T) {
	for name, c := range map[string]struct {
		counts  [][]int
		classes []string
		want    string
	}{
		"names":    {square(2), []string{"a"}, "2 rows and 1 classes"},
		"ragged":   {[][]int{{1, 2}, {3}}, nil, "row 1 has 1 columns"},
		"negative": {[][]int{{1, -2}, {3, 4}}, nil, "count of -2 in row 0, column 1"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r, _ := recover().(string); !strings.Contains(r, c.want) {
					t.Errorf("got panic %q, want %q in it", r, c.want)
				}
			}()
			viz.Confusion(c.counts, c.classes, viz.ConfusionOptions{})
		})
	}
}

func TestConfusionLeavesCountsAlone(t *testing.T) {
	counts := square(2)
	viz.Confusion(counts, nil, viz.ConfusionOptions{})
	var a, b bytes.Buffer
	if err := viz.SVG(&a, viz.Confusion(counts, nil, viz.ConfusionOptions{}), viz.PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := viz.SVG(&b, viz.Confusion(square(2), nil, viz.ConfusionOptions{}), viz.PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("a second figure of the same counts differs")
	}
}
