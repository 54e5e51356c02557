package lab

import (
	"context"
	"fmt"
	"image"
	"strings"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/viz"
)

// Entailment is whether a picture shows what a sentence says. It draws itself as
// bars beside the picture.
type Entailment struct {
	Text    string
	Classes []ClassHit // entailment, neutral, contradiction
	Unknown []string   // words of the sentence that the model doesn't know

	picture image.Image
}

// ClassHit is one class.
type ClassHit struct {
	Class       string
	Probability float64 // all classes together have 1
}

// Entails judges a sentence about a picture with a model that vlab ve trained:
// the picture shows it (entailment), doesn't tell (neutral) or shows otherwise
// (contradiction).
func (m *Model) Entails(ctx context.Context, img image.Image, sentence string) (*Entailment, error) {
	m, err := m.asks("ve")
	if err != nil {
		return nil, err
	}
	out := &Entailment{Text: sentence, picture: img, Unknown: m.UnknownWords(sentence)}
	has := func() bool { return m.judge != nil && !m.pairs }
	err = m.workWith(ctx, "entails", has, "it takes a model of vlab ve", func(ctx context.Context, s *torch.Scope) error {
		in, err := m.said(s, sentence)
		if err != nil {
			return err
		}
		seen, err := m.see(ctx, s, img)
		if err != nil {
			return err
		}
		p := m.judge.LogitsOf(seen.image, in.ids, in.mask).Softmax(1).Floats()
		for i := len(p) - 1; i >= 0; i-- {
			out.Classes = append(out.Classes, ClassHit{albef.VEClasses[i], float64(p[i])})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// said makes tensors of a sentence.
func (m *Model) said(s *torch.Scope, sentence string) (asked, error) {
	b, _, err := m.tokens([]string{sentence})
	if err != nil {
		return asked{}, err
	}
	return asked{ids: s.Ints(b.IDs, 1, b.T).ToDevice(m.device), mask: s.Ints(b.Mask, 1, b.T).ToDevice(m.device)}, nil
}

// Best is the likeliest class.
func (e *Entailment) Best() string {
	if e == nil || len(e.Classes) == 0 {
		return ""
	}
	best := e.Classes[0]
	for _, c := range e.Classes {
		if c.Probability > best.Probability {
			best = c
		}
	}
	return best.Class
}

// Image draws the classes as bars.
func (e *Entailment) Image() image.Image {
	if e == nil {
		return nil
	}
	var bars []viz.Bar
	for _, c := range e.Classes {
		bars = append(bars, viz.Bar{Label: c.Class, Value: c.Probability})
	}
	return viz.Bars(bars, viz.BarsOptions{Title: titled(e.Text, e.Unknown), Image: e.picture})
}

// PNG is the figure as a file.
func (e *Entailment) PNG() []byte { return encodePNG(e.Image()) }

// String is a table of probabilities.
func (e *Entailment) String() string {
	if e == nil {
		return "no entailment"
	}
	var b strings.Builder
	b.WriteString(titled(e.Text, e.Unknown))
	for _, c := range e.Classes {
		fmt.Fprintf(&b, "\n  %5.1f %%  %s", 100*c.Probability, c.Class)
	}
	return b.String()
}

// titled is a sentence with its unknown words.
func titled(sentence string, unknown []string) string {
	if note := unknownNote(unknown); note != "" {
		return sentence + " (" + note + ")"
	}
	return sentence
}
