package lab

import (
	"context"
	"fmt"

	"vlab/albef/scenes"
	"vlab/albef/torch"
	"vlab/viz"
)

// PointingScore tells how often the peak of a phrase's map lies in the box of
// the object that the phrase names, from 0 to 1. An untrained model hits some
// too, as objects are large: show its figure beside it.
type PointingScore struct {
	Share             float64 // among all phrases of scenes with two objects or more
	Phrases           int
	SameColour        float64 // where all objects of a scene have one colour, so that colour can't tell them apart
	SameColourPhrases int
	Scenes            int
	Layer             int // fusion layer, counted over all layers
}

// String is a small table.
func (p *PointingScore) String() string {
	return fmt.Sprintf("peak in the right box (layer %d, %d held-out scenes each)\n"+
		"  all phrases          %6.1f %%   of %d\n  objects of one colour %5.1f %%   of %d\n",
		p.Layer, p.Scenes, 100*p.Share, p.Phrases, 100*p.SameColour, p.SameColourPhrases)
}

// Pointing measures grounding on n scenes of the test split with two objects or
// more, and on n whose objects share a colour: every phrase that names one
// object is grounded by the mean map of its tokens. layer, where given, is the
// fusion layer to read in place of the model's own.
func Pointing(ctx context.Context, m *Model, n int, seed uint64, layer ...int) (*PointingScore, error) {
	return TestSet{N: n, Seed: seed}.Pointing(ctx, m, layer...)
}

// Pointing is the function of this name on a set.
func (t TestSet) Pointing(ctx context.Context, m *Model, layer ...int) (*PointingScore, error) {
	n := t.N
	out := &PointingScore{Scenes: n, Layer: m.Layer()}
	if len(layer) > 0 {
		out.Layer = layer[0]
	}
	err := m.work(ctx, "pointing", func(ctx context.Context, s *torch.Scope) (err error) {
		if n < 1 {
			return fmt.Errorf("%d scenes, want 1 or more", n)
		}
		size := m.config.ImageRes
		all := t.scenes(2, scenes.Options{Size: size})
		if out.Share, out.Phrases, err = m.point(ctx, s, all, out.Layer); err != nil {
			return err
		}
		one := t.scenes(2, scenes.Options{Size: size, SameColour: true})
		out.SameColour, out.SameColourPhrases, err = m.point(ctx, s, one, out.Layer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// pointBatch is how many phrases get their maps at a time.
const pointBatch = 32

// point grounds all phrases of scenes and returns the share of peaks in the
// right box and the number of phrases.
func (m *Model) point(ctx context.Context, s *torch.Scope, list []scenes.Scene, layer int) (share float64, n int, err error) {
	embeds, err := m.embedScenes(ctx, s, list)
	if err != nil {
		return 0, 0, err
	}
	var said []string
	var boxes []scenes.Box
	var images []int64
	for i, scene := range list {
		for _, p := range scenes.Phrases(scene) {
			said, boxes, images = append(said, p.Text), append(boxes, p.Box), append(images, int64(i))
		}
	}
	b, _, err := m.tokens(said)
	if err != nil {
		return 0, 0, err
	}
	dev, hits := m.device, 0
	for at := 0; at < len(said) && err == nil; at += pointBatch {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		n := min(pointBatch, len(said)-at)
		s.Do(func(s *torch.Scope) {
			var peaks [][2]float64
			ids := s.Ints(b.IDs[at*b.T:(at+n)*b.T], n, b.T).ToDevice(dev)
			mask := s.Ints(b.Mask[at*b.T:(at+n)*b.T], n, b.T).ToDevice(dev)
			peaks, err = m.peaks(embeds.IndexSelect(0, s.Ints(images[at:at+n], n).ToDevice(dev)), ids, mask, layer)
			for i, p := range peaks {
				if box := boxes[at+i]; p[0] >= box.X && p[0] < box.X+box.W && p[1] >= box.Y && p[1] < box.Y+box.H {
					hits++
				}
			}
		})
	}
	return float64(hits) / float64(len(said)), len(said), err
}

// peaks returns where the phrases' maps point to, in pixels of the model's
// input: the mean over all tokens, as in [Grounding].
func (m *Model) peaks(embeds, ids, mask *torch.Tensor, layer int) ([][2]float64, error) {
	maps, err := m.core.GradCAM(embeds, ids, mask, layer)
	if err != nil {
		return nil, err
	}
	shape := maps.Tokens.Shape() // [B, T, G, G], padding 0
	words := maps.Tokens.SumDim(1, false).Floats()
	grid := shape[3]
	out := make([][2]float64, shape[0])
	for i := range out {
		x, y := viz.Map{W: grid, H: grid, V: words[i*grid*grid : (i+1)*grid*grid]}.Spot()
		out[i] = [2]float64{x * float64(m.config.ImageRes), y * float64(m.config.ImageRes)}
	}
	return out, nil
}
