package lab

import (
	"context"
	"errors"
	"fmt"

	"vlab/albef/torch"
)

// shortlist are the pictures of a gallery that ITC finds nearest to a text, the
// nearest first.
type shortlist struct {
	pictures []int
	sims     []float32
	changed  []int // places of pictures that aren't any more what their features are of
	searched int
	seen     *seenGallery // for their embeds
}

// nearest finds the n pictures whose features are nearest to query.
func (m *Model) nearest(ctx context.Context, s *torch.Scope, g *Images, query []float32, n int) (shortlist, error) {
	if g != nil && g.saved != nil {
		return m.nearestSaved(ctx, g, query, n)
	}
	seen, err := m.look(ctx, s, g)
	if err != nil {
		return shortlist{}, err
	}
	sims := make([]float32, len(seen.rows))
	for i := range sims {
		sims[i] = dot(seen.feats[i*len(query):(i+1)*len(query)], query)
	}
	out := shortlist{searched: len(sims), seen: seen}
	for _, row := range best(len(sims), n, func(i int) float32 { return sims[i] }) {
		out.pictures, out.sims = append(out.pictures, seen.rows[row]), append(out.sims, sims[row])
	}
	return out, nil
}

func dot(a, b []float32) float32 {
	sum := float32(0)
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// nearestSaved searches a saved gallery. Where pictures have gone, it looks
// further.
func (m *Model) nearestSaved(ctx context.Context, g *Images, query []float32, n int) (shortlist, error) {
	if g.Len() == 0 {
		return shortlist{}, errEmptyGallery
	}
	if err := m.fits(g.saved); err != nil {
		return shortlist{}, err
	}
	for ask := n; ; ask *= 4 {
		hits, err := g.saved.Search(ctx, [][]float32{query}, ask)
		if err != nil {
			return shortlist{}, err
		}
		out := shortlist{searched: g.Len(), seen: m.kept(g)}
		for _, hit := range hits[0] {
			if len(out.pictures) == n {
				return out, nil
			}
			if err := out.add(m, g, hit.Row, hit.Score); err != nil {
				return shortlist{}, err
			}
		}
		if ask >= g.Len() || len(out.pictures) == n {
			return out, out.some(g)
		}
	}
}

// add takes a picture that was found, unless it can't be read any more.
func (l *shortlist) add(m *Model, g *Images, picture int, sim float32) error {
	changed, err := g.changed(picture)
	var gone *goneError
	if errors.As(err, &gone) {
		return nil
	}
	if err != nil {
		return err
	}
	if changed {
		res := m.config.ImageRes
		if g.pixels(picture, res, make([]float32, 3*res*res)) != nil {
			return nil //nolint:nilerr // pixels has noted it among those that can't be read
		}
		l.changed = append(l.changed, len(l.pictures))
	}
	l.pictures, l.sims = append(l.pictures, picture), append(l.sims, sim)
	return nil
}

// some is an error where nothing is left.
func (l *shortlist) some(g *Images) error {
	if len(l.pictures) > 0 {
		return nil
	}
	return fmt.Errorf("none of the gallery's pictures can be read%s", g.badNote())
}

// kept is what is known of a gallery's embeds; nothing while the model is in
// training.
func (m *Model) kept(g *Images) *seenGallery {
	if m.live {
		return &seenGallery{images: g, embeds: map[int][]float32{}}
	}
	return m.seen.of(g)
}
