package lab

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"vlab/albef/torch"
	"vlab/viz"
)

// defaultHits is how many results are shown where nothing is asked for.
const defaultHits = 8

// Ranking is what was found for a text, the best first. It draws itself as a
// contact sheet.
type Ranking struct {
	Text     string
	Hits     []Hit
	Searched int      // pictures that were compared
	Unknown  []string // words of the text that the model doesn't know
	Changed  []string // pictures of a saved gallery among the best that have changed since it was saved

	gallery *Images
}

// Hit is a picture that was found.
type Hit struct {
	Rank        int     // from 1, by what ITM and ITC say together
	Index       int     // in the gallery
	Image       string  // its path, or the number of a drawn scene
	ITC         float64 // cosine of its features and the text's
	ITM         float64 // logit for a match
	Probability float64 // of a match, by ITM
}

// Retrieve finds the k pictures of a gallery that fit a text best (k below 1
// means 8). The most similar ones by ITC are ranked again: 16 unless the model
// was opened with another shortlist, or k if that is more. What counts then is
// the logarithm of ITM's probability plus ITC's similarity over the temperature. The gallery's
// features are kept, so that only its first search takes long; those of a saved
// gallery, see [OpenGallery], are there already. Of that one a picture that has
// changed since is ranked as it is now, but found by what it was; one that has
// gone is left out and told of by [Images.Bad].
func (m *Model) Retrieve(ctx context.Context, g *Images, sentence string, k int) (*Ranking, error) {
	if k < 1 {
		k = defaultHits
	}
	out := &Ranking{Text: sentence, gallery: g, Unknown: m.UnknownWords(sentence)}
	err := m.work(ctx, "retrieve", func(ctx context.Context, s *torch.Scope) error {
		t, err := m.encode(ctx, s, []string{sentence})
		if err != nil {
			return err
		}
		near, err := m.nearest(ctx, s, g, m.textFeats(t).Floats(), max(k, m.shortlist))
		if err != nil {
			return err
		}
		out.Searched = near.searched
		return m.rankImages(ctx, s, out, near, t, k)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// rankImages asks ITM about the pictures most similar to the text.
func (m *Model) rankImages(ctx context.Context, s *torch.Scope, out *Ranking, near shortlist, t texts, k int) error {
	embeds, err := m.embedsOf(ctx, s, near.seen, near.pictures)
	if err != nil {
		return err
	}
	pairs := make([]pair, len(near.pictures))
	for i := range pairs {
		pairs[i] = pair{image: i}
	}
	verdicts, err := m.match(ctx, s, embeds, t, pairs)
	if err != nil {
		return err
	}
	if len(near.changed) > 0 { // their features are of what they were
		now := m.imageFeats(embeds).MatMul(m.textFeats(t).T()).Floats()
		for _, i := range near.changed {
			near.sims[i] = now[i]
			out.Changed = append(out.Changed, out.gallery.Name(near.pictures[i]))
		}
	}
	for rank, i := range m.order(verdicts, near.sims, k) {
		v := verdicts[i]
		out.Hits = append(out.Hits, Hit{
			Rank: rank + 1, Index: near.pictures[i], Image: out.gallery.Name(near.pictures[i]),
			ITC: float64(near.sims[i]), ITM: v.logit, Probability: v.probability,
		})
	}
	return nil
}

// Image draws the contact sheet.
func (r *Ranking) Image() image.Image {
	if r == nil {
		return nil
	}
	items := make([]viz.SheetItem, len(r.Hits))
	for i, h := range r.Hits {
		items[i] = viz.SheetItem{
			Title: fmt.Sprintf("%.0f %%", 100*h.Probability),
			Lines: []string{filepath.Base(h.Image), fmt.Sprintf("ITM %.2f  ITC %.2f", h.ITM, h.ITC)},
			Share: h.Probability,
		}
		if img, err := r.gallery.Image(h.Index); err == nil {
			items[i].Image = img // else an empty frame, and Bad names the file
		}
	}
	return viz.Sheet(items, viz.SheetOptions{Title: r.Text, Subtitle: r.subtitle(), Ranked: true})
}

func (r *Ranking) subtitle() string {
	out := fmt.Sprintf("%d of %d pictures", len(r.Hits), r.Searched)
	if note := unknownNote(r.Unknown); note != "" {
		out += "; " + note
	}
	return out
}

// PNG is the contact sheet as a file.
func (r *Ranking) PNG() []byte { return encodePNG(r.Image()) }

// String is a table of scores.
func (r *Ranking) String() string {
	if r == nil {
		return "no ranking"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q: %s%s\n", r.Text, r.subtitle(), r.gallery.badNote())
	if n := len(r.Changed); n > 0 {
		fmt.Fprintf(&b, "%d of the best have changed since the gallery was saved, such as %s: save it again\n", n, r.Changed[0])
	}
	fmt.Fprintf(&b, "%4s  %7s  %7s  %6s  %s\n", "rank", "match", "ITM", "ITC", "picture")
	for _, h := range r.Hits {
		fmt.Fprintf(&b, "%4d  %5.1f %%  %7.3f  %6.3f  %s\n", h.Rank, 100*h.Probability, h.ITM, h.ITC, h.Image)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
