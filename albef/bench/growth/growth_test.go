package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlab/albef/bench"
	"vlab/albef/torch"
)

func TestMain(m *testing.M) {
	torch.SetThreads(1) // small work, and other packages are tested beside
	before := torch.Live()
	code := m.Run()
	if now := torch.Live(); code == 0 && now != before {
		fmt.Fprintf(os.Stderr, "torch.Live() is %d after all tests, want %d\n", now, before)
		code = 1
	}
	os.Exit(code)
}

// small are the axes at sizes that take no time.
func small() []axis {
	axes := around(size{Batch: 2, Tokens: 8, Pixels: 32, Layers: 2})
	for i, values := range [][]int{{2, 3, 4}, {8, 16}, {32, 48}, {2, 4}} {
		axes[i].values = values
	}
	return axes
}

// TestRun measures small sizes and looks whether table, JSON and picture have
// everything.
func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "growth.png")
	o := options{out: path, asJSON: true, dtype: "fp32", device: "cpu", rounds: 2, steps: 2, warmup: 1}
	var stdout, stderr bytes.Buffer
	if err := o.run(t.Context(), small(), &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	var g growth
	if err := json.Unmarshal(stdout.Bytes(), &g); err != nil {
		t.Fatalf("%v in %s", err, &stdout)
	}
	if g.DType != "fp32" || g.Device != "cpu" || g.Threads != 1 || g.Steps != 4 || !(g.GFLOPS > 0) {
		t.Errorf("got %+v, want fp32 on one thread of the CPU and 4 steps", g)
	}
	if got, want := strings.Count(stderr.String(), "\n"), 2*6; got != want { // the reference once a round
		t.Errorf("progress: got %d lines, want %d:\n%s", got, want, &stderr)
	}
	complete(t, g)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range drawn(im) {
		if n.points < 500 || n.lines < 300 {
			t.Errorf("panel %d: %d pixels of points and %d of the line", i, n.points, n.lines)
		}
	}
}

// complete looks whether every value of every axis was measured.
func complete(t *testing.T, g growth) {
	t.Helper()
	for i, a := range small() {
		if len(g.Axes) != 4 || g.Axes[i].Name != a.name || len(g.Axes[i].Points) != len(a.values) {
			t.Fatalf("axis %d: got %+v, want %s with %v", i, g.Axes, a.name, a.values)
		}
		for j, p := range g.Axes[i].Points {
			if p.Value != a.values[j] || !(0 < p.Min && p.Min <= p.Median && p.Median <= p.Max) || !(p.CPU > 0 && p.Predicted > 0) {
				t.Errorf("%s: got %+v, want times at %d", a.name, p, a.values[j])
			}
			if p.Value == a.values[0] && math.Abs(p.Predicted/p.Median-1) > 1e-9 {
				t.Errorf("%s: at the reference %v ms are predicted and %v measured, want the same", a.name, p.Predicted, p.Median)
			}
		}
	}
}

// ink is how many pixels of a panel have the colours of points and of the line.
type ink struct{ points, lines int }

// drawn counts the ink in the four quarters of a picture.
func drawn(im image.Image) (out [4]ink) {
	b := im.Bounds()
	const head = 3 * 90 // above the panels stand title and legend
	for y := b.Min.Y + head; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			at := 0
			if x >= b.Min.X+b.Dx()/2 {
				at = 1
			}
			if y >= b.Min.Y+head+(b.Dy()-head)/2 {
				at += 2
			}
			switch r, g, b, _ := im.At(x, y).RGBA(); [3]uint32{r >> 8, g >> 8, b >> 8} {
			case [3]uint32{0x00, 0x72, 0xb2}:
				out[at].points++
			case [3]uint32{0xd5, 0x5e, 0x00}:
				out[at].lines++
			}
		}
	}
	return out
}

// TestAMissingPanelShows looks whether the count above would notice.
func TestAMissingPanelShows(t *testing.T) {
	g := newGrowth(small(), exactly(2))
	if n := drawn(g.draw()); n[3].points < 500 || n[3].lines < 300 {
		t.Fatalf("four panels: got %+v", n)
	}
	g.Axes = g.Axes[:3]
	if n := drawn(g.draw()); n[3] != (ink{}) || n[2].points < 500 {
		t.Errorf("three panels: got %+v, want nothing in the fourth quarter", n)
	}
}

// exactly are times, two at each size, that follow the count at a rate in
// GFLOP/s.
func exactly(rate float64) map[size]bench.StepTimes {
	times := map[size]bench.StepTimes{}
	for _, a := range small() {
		for _, v := range a.values {
			ms := a.at(v).flops() / rate / 1e6
			times[a.at(v)] = bench.StepTimes{Wall: []float64{.9 * ms, 1.1 * ms}, CPU: []float64{ms}}
		}
	}
	return times
}

// TestGrowthOfTimesThatFollowTheCount has times without any fixed cost.
func TestGrowthOfTimesThatFollowTheCount(t *testing.T) {
	g := newGrowth(small(), exactly(2))
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6*math.Max(1, math.Abs(want)) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	near("rate", g.GFLOPS, 2)
	for _, a := range g.Axes {
		near(a.Name+": ms a GFLOP", a.Count.Slope, 500)
		near(a.Name+": fixed", a.Count.Fixed, 0)
		near(a.Name+": R²", a.Count.R2, 1)
		for _, p := range a.Points {
			near(a.Name+": predicted", p.Predicted, p.Median)
		}
	}
	var b bytes.Buffer
	if err := g.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, a := range small() {
		if got := strings.Count(b.String(), a.label); got != 1 {
			t.Errorf("the table has %q %d times:\n%s", a.label, got, &b)
		}
	}
	// A line of the table ends with its ratio, a line below it with an R² of as many digits.
	if got, want := len(regexp.MustCompile(`(?m)^ +\d.* 1\.000$`).FindAllString(b.String(), -1)), 9; got != want {
		t.Errorf("got %d rows with a ratio of 1, want %d:\n%s", got, want, &b)
	}
}

func TestFitLine(t *testing.T) {
	for _, tt := range []struct {
		name string
		x, y []float64
		want fit
	}{
		{"exact", []float64{1, 2, 4}, []float64{5, 7, 11}, fit{2, 3, 1}},
		{"scattered", []float64{0, 1, 2}, []float64{0, 3, 3}, fit{1.5, 0.5, 0.75}},
		{"falling", []float64{0, 1}, []float64{1, 0}, fit{-1, 1, 1}},
	} {
		got := fitLine(tt.x, tt.y)
		if math.Abs(got.Slope-tt.want.Slope)+math.Abs(got.Fixed-tt.want.Fixed)+math.Abs(got.R2-tt.want.R2) > 1e-12 {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestReferenceIsTheBenchmarksMid(t *testing.T) {
	r, err := bench.Run(t.Context(), bench.Spec{Work: "step", Device: torch.CPU, Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := reference().flops(); r.Batch != reference().Batch || math.Abs(got/r.FLOPs-1) > .05 {
		t.Errorf("got batch %d, %v FLOPs, want those of the benchmark's step: %d, %v", reference().Batch, got, r.Batch, r.FLOPs)
	}
	for _, a := range around(reference()) {
		for _, v := range a.values {
			c := a.at(v).config()
			if err := c.Validate(); err != nil || c.QueueSize%a.at(v).Batch != 0 {
				t.Errorf("%s %d: %v, queue %d", a.name, v, err, c.QueueSize)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, args := range []string{"--dtype fp16", "--steps 0", "--rounds 0", "--warm -1", "--threads -1", "extra", "--nothing"} {
		if o, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s: got %+v, want an error", args, o)
		}
	}
	o, err := parse(strings.Fields("--out x.png --json --dtype bf16 --threads 1 --steps 3 --rounds 5"))
	if want := (options{out: "x.png", asJSON: true, dtype: "bf16", device: "cpu", threads: 1, rounds: 5, steps: 3, warmup: 1}); err != nil || o != want {
		t.Errorf("got %+v, %v, want %+v", o, err, want)
	}
}
