package lab

import (
	"context"
	"fmt"
	"image"

	"vlab/viz"
)

// Explorer is a picture whose words one points at, to see where the model looks for
// each, with a chooser for the layer and one for the head. A notebook shows it as a
// page that needs no kernel; elsewhere it is the figure of [Model.Ground].
type Explorer struct {
	*Grounding        // by the model's own layer, averaged over heads
	page       string // HTML
}

// Explore is [Model.Ground] by every fusion layer and every head, to point at. It
// takes a backward pass for each layer.
func (m *Model) Explore(ctx context.Context, img image.Image, sentence string) (*Explorer, error) {
	g, err := m.Ground(ctx, img, sentence)
	if err != nil {
		return nil, err
	}
	e := viz.Explorer{Text: g.title(), Score: g.Probability, Figure: g.PNG()}
	for _, s := range g.spans {
		e.Words = append(e.Words, s.word)
	}
	first := m.config.FusionLayer
	for layer := first; layer < m.config.Layers; layer++ {
		of := *g
		of.layer = layer
		byLayer, err := of.measured(ctx)
		if err != nil {
			return nil, err
		}
		maps, err := byLayer.byHead()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(layer)
		if layer == g.layer {
			e.First = layer - first
			name += " (the model's own)"
		}
		e.Layers = append(e.Layers, viz.ExplorerLayer{Name: name, Heads: maps})
	}
	page, err := e.HTML(img)
	if err != nil {
		return nil, err
	}
	return &Explorer{Grounding: g, page: page}, nil
}

// byHead returns the maps of the mean and of every head: the text's, then its words'.
func (g *Grounding) byHead() ([][]viz.Map, error) {
	var list [][]viz.Map
	for head := meanHead; head < len(g.heads); head++ {
		of, err := g.read(head, -1)
		if err != nil {
			return nil, err
		}
		maps := []viz.Map{of.whole}
		for _, w := range of.words {
			maps = append(maps, w.Map)
		}
		list = append(list, maps)
	}
	return list, nil
}

// HTML is the explorer as a part of a page.
func (e *Explorer) HTML() string {
	if e == nil {
		return ""
	}
	return e.page
}
