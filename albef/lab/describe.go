package lab

import (
	"context"
	"fmt"
	"image"
	"reflect"
	"slices"
	"strings"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/torch"
	"vlab/viz"
)

// Captions are the texts that fit a picture best, the best first. They draw
// themselves as bars beside it.
type Captions struct {
	Hits     []CaptionHit
	Searched int      // texts that were compared
	Unknown  []string // words of the hits that the model doesn't know

	picture image.Image
}

// CaptionHit is a text that was found.
type CaptionHit struct {
	Rank        int // from 1, by what ITM and ITC say together
	Index       int // among the captions given
	Caption     string
	ITC         float64 // cosine of its features and the picture's
	ITM         float64 // logit for a match
	Probability float64 // of a match, by ITM
}

// Describe finds the k texts that fit a picture best (k below 1 means 8), by
// ITC and then ITM as [Model.Retrieve] does.
func (m *Model) Describe(ctx context.Context, img image.Image, captions []string, k int) (*Captions, error) {
	if k < 1 {
		k = defaultHits
	}
	out := &Captions{picture: img, Searched: len(captions)}
	err := m.work(ctx, "describe", func(ctx context.Context, s *torch.Scope) error {
		seen, err := m.see(ctx, s, img)
		if err != nil {
			return err
		}
		if len(captions) == 0 {
			return hinted("give the texts to choose from, such as g.AllCaptions()", "no captions")
		}
		t, err := m.encode(ctx, s, captions)
		if err != nil {
			return err
		}
		sims := m.textFeats(t).MatMul(m.imageFeats(seen.embeds).T()).Floats()
		return m.rankTexts(ctx, s, out, captions, seen.image, sims, t, k)
	})
	if err != nil {
		return nil, err
	}
	for _, h := range out.Hits {
		for _, w := range m.UnknownWords(h.Caption) {
			if !slices.Contains(out.Unknown, w) {
				out.Unknown = append(out.Unknown, w)
			}
		}
	}
	return out, nil
}

// rankTexts asks ITM about the texts most similar to the picture.
func (m *Model) rankTexts(ctx context.Context, s *torch.Scope, out *Captions, captions []string, seen albef.KeyValues,
	sims []float32, t texts, k int,
) error {
	list := best(len(sims), max(k, m.shortlist), func(i int) float32 { return sims[i] })
	verdicts, err := m.matchOne(ctx, s, seen, t, list)
	if err != nil {
		return err
	}
	near := make([]float32, len(list))
	for i, row := range list {
		near[i] = sims[row]
	}
	for rank, i := range m.order(verdicts, near, k) {
		row, v := list[i], verdicts[i]
		out.Hits = append(out.Hits, CaptionHit{
			Rank: rank + 1, Index: row, Caption: captions[row],
			ITC: float64(sims[row]), ITM: v.logit, Probability: v.probability,
		})
	}
	return nil
}

// pixelsOf makes a picture model input.
func (m *Model) pixelsOf(img image.Image) ([]float32, error) {
	if err := checkPicture(img); err != nil {
		return nil, err
	}
	pixels := make([]float32, 3*m.config.ImageRes*m.config.ImageRes)
	return pixels, data.NewResized(m.config.ImageRes).Apply(data.FromImage(img), nil, pixels)
}

// checkPicture is an error for a picture that isn't there or has no pixels.
func checkPicture(img image.Image) error {
	const hint = "lab.Load(path) reads one"
	if v := reflect.ValueOf(img); img == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return hinted(hint, "no picture: it is nil")
	}
	if img.Bounds().Empty() {
		return hinted(hint, "the picture has no pixels")
	}
	return nil
}

// Image draws the bars.
func (c *Captions) Image() image.Image {
	if c == nil {
		return nil
	}
	bars := make([]viz.Bar, len(c.Hits))
	for i, h := range c.Hits {
		bars[i] = viz.Bar{Label: h.Caption, Value: h.Probability}
	}
	return viz.Bars(bars, viz.BarsOptions{Title: c.title(), Image: c.picture})
}

func (c *Captions) title() string {
	out := fmt.Sprintf("the best %d of %d texts, and how likely each matches", len(c.Hits), c.Searched)
	if note := unknownNote(c.Unknown); note != "" {
		out += "; " + note
	}
	return out
}

// PNG is the figure as a file.
func (c *Captions) PNG() []byte { return encodePNG(c.Image()) }

// String is a table of scores.
func (c *Captions) String() string {
	if c == nil {
		return "no captions"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%4s  %7s  %7s  %6s  %s\n", c.title(), "rank", "match", "ITM", "ITC", "text")
	for _, h := range c.Hits {
		fmt.Fprintf(&b, "%4d  %5.1f %%  %7.3f  %6.3f  %s\n", h.Rank, 100*h.Probability, h.ITM, h.ITC, h.Caption)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
