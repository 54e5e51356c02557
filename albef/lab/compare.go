package lab

import (
	"context"
	"fmt"
	"image"

	"vlab/albef/torch"
	"vlab/viz"
)

// Comparison is whether a sentence is true of two pictures. It draws itself as
// the pictures with the places that speak for the verdict.
type Comparison struct {
	Text    string
	True    float64  // probability
	Unknown []string // words of the sentence that the model doesn't know

	pictures [2]image.Image
	maps     [2]viz.Map
}

// Compare judges a sentence about two pictures, such as "both have a circle",
// with a model that vlab nlvr trained. Of the layers that look at either picture
// the middle ones give the maps: Grad-CAM of the verdict's logit, the mean over
// heads and words.
func (m *Model) Compare(ctx context.Context, first, second image.Image, sentence string) (*Comparison, error) {
	m, err := m.asks("nlvr")
	if err != nil {
		return nil, err
	}
	out := &Comparison{Text: sentence, pictures: [2]image.Image{first, second}, Unknown: m.UnknownWords(sentence)}
	has := func() bool { return m.judge != nil && m.pairs }
	err = m.workWith(ctx, "compare", has, "it takes a model of vlab nlvr", func(ctx context.Context, s *torch.Scope) error {
		in, err := m.judged(s, sentence, first, second)
		if err != nil {
			return err
		}
		p := m.judge.Logits(in.image, in.ids, in.mask).Softmax(1).Floats()
		out.True = float64(p[1])
		if err := ctx.Err(); err != nil {
			return err
		}
		return m.explainPair(in, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// judged makes tensors of a sentence and the pictures it is about.
func (m *Model) judged(s *torch.Scope, sentence string, pictures ...image.Image) (asked, error) {
	var all []float32
	for _, img := range pictures {
		pixels, err := m.pixelsOf(img)
		if err != nil {
			return asked{}, err
		}
		all = append(all, pixels...)
	}
	in, err := m.said(s, sentence)
	if err != nil {
		return asked{}, err
	}
	side := m.config.ImageRes
	in.image = s.Floats(all, len(pictures), 3, side, side).ToDevice(m.device)
	return in, nil
}

// explainPair reads the map of either picture.
func (m *Model) explainPair(in asked, out *Comparison) error {
	class := 0
	if out.IsTrue() {
		class = 1
	}
	fusion := (m.config.Layers - m.config.FusionLayer) / 2 // layers for each picture
	middle := m.config.FusionLayer + (fusion-1)/2*2
	for i := range out.maps {
		tokens, err := m.judge.GradCAM(in.image, in.ids, in.mask, class, middle+i)
		if err != nil {
			return err
		}
		shape := tokens.Shape() // [1, T, G, G]
		words := tokens.Narrow(1, 1, shape[1]-1).MeanDim(1, false)
		out.maps[i] = viz.Map{W: shape[3], H: shape[2], V: words.Floats()}
	}
	return nil
}

// IsTrue is the verdict.
func (c *Comparison) IsTrue() bool { return c != nil && c.True >= 0.5 }

// Maps returns where the verdict looks in the first and in the second picture.
func (c *Comparison) Maps() [2]viz.Map {
	if c == nil {
		return [2]viz.Map{}
	}
	return c.maps
}

// verdict is what the model says, and its probability.
func (c *Comparison) verdict() (string, float64) {
	if c.IsTrue() {
		return "true", c.True
	}
	return "false", 1 - c.True
}

// Image draws the pictures side by side.
func (c *Comparison) Image() image.Image {
	if c == nil {
		return nil
	}
	verdict, p := c.verdict()
	sides := make([]viz.CompareSide, len(c.pictures))
	for i, caption := range []string{"first", "second"} {
		sides[i] = viz.CompareSide{Image: c.pictures[i], Caption: caption, Map: c.maps[i]}
	}
	return viz.Compare(sides, viz.CompareOptions{Title: titled(c.Text, c.Unknown), Verdict: verdict, Probability: p})
}

// PNG is the figure as a file.
func (c *Comparison) PNG() []byte { return encodePNG(c.Image()) }

// String is the verdict in a line.
func (c *Comparison) String() string {
	if c == nil {
		return "no comparison"
	}
	verdict, p := c.verdict()
	return fmt.Sprintf("%s: %s, %.1f %%", titled(c.Text, c.Unknown), verdict, 100*p)
}
