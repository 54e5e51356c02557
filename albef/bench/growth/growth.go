package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"vlab/albef/bench"
)

// growth is what was measured, with the keys of --json.
type growth struct {
	DType   string `json:"dtype"`
	Device  string `json:"device"`
	Threads int    `json:"threads"`
	Steps   int    `json:"steps"` // timed at each size, over all rounds

	Reference size    `json:"reference"`
	GFLOPS    float64 `json:"gflops"` // the rate reached at the reference, 10^9 counted operations a second
	Axes      []grown `json:"axes"`
}

// grown is what was measured along one axis.
type grown struct {
	Name   string  `json:"name"`
	Label  string  `json:"label"`
	Unit   string  `json:"unit"` // of which Line is a function
	Points []point `json:"points"`
	Line   fit     `json:"line"`     // of the median time, over the amount of Unit
	Count  fit     `json:"by_flops"` // of the median time, over the counted GFLOP

	expected []point // Value and Predicted in small steps, for the picture
}

// point is one size. Times are of a step, in milliseconds.
type point struct {
	Value     int     `json:"value"`
	GFLOP     float64 `json:"gflop"`
	Predicted float64 `json:"predicted_ms"` // GFLOP at the reference's rate
	Median    float64 `json:"median_ms"`
	Min       float64 `json:"min_ms"`
	Max       float64 `json:"max_ms"`
	CPU       float64 `json:"cpu_ms"` // median of the process's CPU time
}

func newGrowth(axes []axis, times map[size]bench.StepTimes) growth {
	ref := axes[0].reference
	g := growth{Reference: ref, GFLOPS: ref.flops() / bench.Median(times[ref].Wall) / 1e6}
	for _, a := range axes {
		g.Axes = append(g.Axes, g.along(a, times))
	}
	return g
}

// along evaluates one axis.
func (g growth) along(a axis, times map[size]bench.StepTimes) grown {
	out := grown{Name: a.name, Label: a.label, Unit: a.unit}
	n := len(a.values)
	amounts, counts, medians := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, v := range a.values {
		z := a.at(v)
		t, p := times[z], g.expect(a, v)
		p.Median, p.Min, p.Max, p.CPU = bench.Median(t.Wall), slices.Min(t.Wall), slices.Max(t.Wall), bench.Median(t.CPU)
		out.Points = append(out.Points, p)
		amounts[i], counts[i], medians[i] = a.amount(z), p.GFLOP, p.Median
	}
	out.Line, out.Count = fitLine(amounts, medians), fitLine(counts, medians)
	for v := slices.Min(a.values); v <= slices.Max(a.values); v += a.grid {
		out.expected = append(out.expected, g.expect(a, v))
	}
	return out
}

// expect is what the count predicts at v.
func (g growth) expect(a axis, v int) point {
	gflop := a.at(v).flops() / 1e9
	return point{Value: v, GFLOP: gflop, Predicted: gflop / g.GFLOPS * 1e3}
}

// fit is the line of least squares y = Fixed + Slope·x.
type fit struct {
	Slope float64 `json:"slope_ms"`
	Fixed float64 `json:"fixed_ms"`
	R2    float64 `json:"r2"` // the share of y's variance that the line explains
}

// fitLine fits a line to points whose x are not all the same.
func fitLine(x, y []float64) fit {
	n := float64(len(x))
	var sx, sy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
	}
	var xx, xy, yy float64
	for i := range x {
		dx, dy := x[i]-sx/n, y[i]-sy/n
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	slope := xy / xx
	return fit{Slope: slope, Fixed: (sy - slope*sx) / n, R2: xy * xy / (xx * yy)}
}

// text is the line in words, over the amount of unit.
func (f fit) text(unit string) string {
	sign := "+"
	if f.Fixed < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%.3g ms a %s %s %.0f ms, R² %.3f", f.Slope, unit, sign, math.Abs(f.Fixed), f.R2)
}

// write prints a table for a person.
func (g growth) write(w io.Writer) error {
	var b strings.Builder
	r := g.Reference
	fmt.Fprintf(&b, "pretraining step around batch %d, %d tokens, %d pixels, %d layers; %s, %s, %d threads, %d steps at each size\n",
		r.Batch, r.Tokens, r.Pixels, r.Layers, g.DType, g.Device, g.Threads, g.Steps)
	fmt.Fprintf(&b, "predicted: the counted GFLOP at the rate of that size, %.1f GFLOP/s; times in ms\n", g.GFLOPS)
	for _, a := range g.Axes {
		fmt.Fprintf(&b, "\n%s\n%8s %10s %10s %10s %10s %10s %10s %10s\n", a.Label, "", "GFLOP", "predicted", "median", "min", "max", "CPU", "ratio")
		for _, p := range a.Points {
			fmt.Fprintf(&b, "%8d %10.2f %10.1f %10.1f %10.1f %10.1f %10.1f %10.3f\n",
				p.Value, p.GFLOP, p.Predicted, p.Median, p.Min, p.Max, p.CPU, p.Median/p.Predicted)
		}
		fmt.Fprintf(&b, "  line: %s\n  over the count: %s\n", a.Line.text(a.Unit), a.Count.text("GFLOP"))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
