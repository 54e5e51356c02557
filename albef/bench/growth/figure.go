package main

import (
	"fmt"
	"image"

	"vlab/viz"
)

// draw draws a panel for each axis, at a print's resolution.
func (g growth) draw() image.Image {
	panels := make([]viz.Panel, 0, len(g.Axes))
	for _, a := range g.Axes {
		panels = append(panels, a.panel())
	}
	r := g.Reference
	return viz.Panels(panels, viz.PanelsOptions{
		Title: fmt.Sprintf("Time of a pretraining step around batch %d, %d tokens, %d pixels, %d layers (%s, %s, %d threads)",
			r.Batch, r.Tokens, r.Pixels, r.Layers, g.DType, g.Device, g.Threads),
		Points: fmt.Sprintf("measured: median of %d, fastest to slowest", g.Steps),
		Line:   fmt.Sprintf("counted operations at the reference's %.0f GFLOP/s", g.GFLOPS),
		Scale:  3,
	})
}

func (a grown) panel() viz.Panel {
	note := fmt.Sprintf("%s; over the count %.3f", a.Line.text(a.Unit), a.Count.R2)
	p := viz.Panel{Title: a.Name, Note: note, XLabel: a.Label, YLabel: "time of a step (ms)"}
	for _, e := range a.expected {
		p.Line.X, p.Line.Y = append(p.Line.X, float64(e.Value)), append(p.Line.Y, e.Predicted)
	}
	for _, m := range a.Points {
		p.Points = append(p.Points, viz.Measured{X: float64(m.Value), Y: m.Median, Low: m.Min, High: m.Max})
	}
	return p
}
