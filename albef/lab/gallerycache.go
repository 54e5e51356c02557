package lab

import (
	"context"
	"fmt"
	"slices"

	"vlab/albef/torch"
)

const (
	// cachedGalleries is how many galleries a model keeps the features of.
	cachedGalleries = 4
	// cachedEmbeds is how many numbers of image embeds are kept for a gallery,
	// a quarter of a gigabyte.
	cachedEmbeds = 64 << 20
)

// galleryCache keeps what a model has seen, the latest gallery first.
type galleryCache []*seenGallery

// seenGallery is what a model knows of a gallery. Features are kept for all of
// its pictures, embeds for as many as fit.
type seenGallery struct {
	images *Images
	next   int        // the first picture not looked at yet
	rows   []int      // the pictures that could be read
	feats  []float32  // [len(rows), D]
	stamps [][2]int64 // of their files when they were read: size and time
	embeds map[int][]float32
	held   int // numbers in embeds
}

// of returns what is kept of a gallery, a new entry if nothing is.
func (c *galleryCache) of(g *Images) *seenGallery {
	for i, seen := range *c {
		if seen.images == g {
			*c = slices.Insert(slices.Delete(*c, i, i+1), 0, seen)
			return seen
		}
	}
	seen := &seenGallery{images: g, embeds: map[int][]float32{}}
	*c = slices.Insert(*c, 0, seen)
	if len(*c) > cachedGalleries {
		*c = (*c)[:cachedGalleries]
	}
	return seen
}

// keep remembers embeds of picture i. When there is no more room, the others go.
func (g *seenGallery) keep(i int, embeds []float32) {
	if g.held+len(embeds) > cachedEmbeds {
		clear(g.embeds)
		g.held = 0
	}
	if g.embeds[i] == nil {
		g.held += len(embeds)
	}
	g.embeds[i] = embeds
}

var errEmptyGallery = hinted("lab.Gallery opens a folder, lab.Scenes draws some", "the gallery is empty")

// look returns the features of all pictures of a gallery; those that the model
// has seen already are not encoded again. When ctx ends, what was done is kept.
func (m *Model) look(ctx context.Context, s *torch.Scope, g *Images) (*seenGallery, error) {
	if g.Len() == 0 {
		return nil, errEmptyGallery
	}
	seen := &seenGallery{images: g, embeds: map[int][]float32{}}
	if !m.live {
		seen = m.seen.of(g)
	}
	n := g.Len()
	bar := newBar(ctx, "reading pictures", n-seen.next, 2*imageBatch)
	defer bar.done()
	for first := seen.next; seen.next < n; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch, pixels, stamps := m.loadBatch(ctx, seen)
		if batch == nil {
			return nil, ctx.Err()
		}
		s.Do(func(s *torch.Scope) { m.remember(s, seen, batch, pixels) })
		seen.stamps = append(seen.stamps, stamps...)
		bar.set(seen.next - first)
	}
	if len(seen.rows) == 0 {
		return nil, fmt.Errorf("none of the gallery's pictures can be read%s", g.badNote())
	}
	return seen, nil
}

// loadBatch loads the next pictures that can be read, and returns their numbers
// and stamps; nil when ctx has ended.
func (m *Model) loadBatch(ctx context.Context, seen *seenGallery) (batch []int, pixels []float32, stamps [][2]int64) {
	one := 3 * m.config.ImageRes * m.config.ImageRes
	batch, pixels = []int{}, make([]float32, imageBatch*one)
	for seen.next+len(batch) < seen.images.Len() && len(batch) < imageBatch {
		if ctx.Err() != nil {
			return nil, nil, nil
		}
		i := seen.next + len(batch)
		at := seen.images.stampOf(i)
		if seen.images.pixels(i, m.config.ImageRes, pixels[len(batch)*one:(len(batch)+1)*one]) != nil {
			if len(batch) > 0 {
				break // what comes before it goes first
			}
			seen.next++
			continue
		}
		batch, stamps = append(batch, i), append(stamps, at)
	}
	return batch, pixels[:len(batch)*one], stamps
}

// stampOf is the size and the time of a picture's file as it is now, 0 without
// one.
func (g *Images) stampOf(i int) [2]int64 {
	if g.drawn {
		return [2]int64{}
	}
	size, written, err := stamp(g.Name(i))
	if err != nil {
		return [2]int64{}
	}
	return [2]int64{size, written}
}

// remember encodes a batch and keeps its features and, where they fit, embeds.
func (m *Model) remember(s *torch.Scope, seen *seenGallery, batch []int, pixels []float32) {
	if len(batch) == 0 {
		return
	}
	res := m.config.ImageRes
	embeds := m.core.Image.Forward(s.Floats(pixels, len(batch), 3, res, res).ToDevice(m.device))
	seen.feats = append(seen.feats, m.imageFeats(embeds).Floats()...)
	seen.rows = append(seen.rows, batch...)
	seen.next = batch[len(batch)-1] + 1
	if one := embeds.Size(1) * embeds.Size(2); one*seen.images.Len() <= cachedEmbeds {
		numbers := embeds.Floats()
		for k, i := range batch {
			seen.keep(i, numbers[k*one:(k+1)*one])
		}
	}
}

// embedsOf returns the embeds of pictures of a gallery, [n, P, C]; those that
// aren't kept are made again.
func (m *Model) embedsOf(ctx context.Context, s *torch.Scope, seen *seenGallery, pictures []int) (*torch.Tensor, error) {
	one := 3 * m.config.ImageRes * m.config.ImageRes
	patches := m.config.Grid()*m.config.Grid() + 1
	width := m.config.VisionWidth
	all := make([]float32, 0, len(pictures)*patches*width)
	for _, i := range pictures {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if seen.embeds[i] == nil {
			pixels := make([]float32, one)
			if err := seen.images.pixels(i, m.config.ImageRes, pixels); err != nil {
				return nil, err
			}
			s.Do(func(s *torch.Scope) {
				x := s.Floats(pixels, 1, 3, m.config.ImageRes, m.config.ImageRes).ToDevice(m.device)
				seen.keep(i, m.core.Image.Forward(x).Floats())
			})
		}
		all = append(all, seen.embeds[i]...)
	}
	return s.Floats(all, len(pictures), patches, width).ToDevice(m.device), nil
}
