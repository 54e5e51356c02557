package task

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

const (
	// rankTexts is how many texts are encoded, or fused with images, at a time.
	rankTexts = 64
	// rankFill rounds the number of fused texts up, see [bucketed].
	rankFill = 8
	// rankImages is how many images' texts are sorted by length together: so many
	// that few batches hold texts of several lengths.
	rankImages = 16
	// keptImages is how many bytes the encoded images may take that are kept for
	// ITM; more are read and encoded again.
	keptImages = 512 << 20
	// simsBlock is how many similarities are held at once.
	simsBlock = 4 << 20
)

// ranker ranks texts for images and images for texts as Retrieval.py's
// evaluation does: the k most similar by ITC are ranked by ITM's logit for a
// match. In memory are the features of all images and texts, the texts' embeds
// without padding, the shortlists, and the images' embeds where they are few: else
// one batch of them, and images are read and encoded twice. A pair that both directions ask about is
// judged once, and an image's keys and values are projected once.
type ranker struct {
	model   *albef.Model
	k       int                                  // candidates that ITM judges for each image and each text
	batch   int                                  // images that are encoded at a time
	workers int                                  // readers of images
	observe func(stage string, p train.Progress) // nil: nobody

	kept []*torch.Tensor // the images' embeds [B, P, C], batch after batch; empty where they are too many
}

// rankings are what was found in both directions.
type rankings struct {
	texts  shortlist // for each image
	images shortlist // for each text
}

// shortlist holds the k most similar candidates of each query, [queries, k], and
// ITM's logit of each.
type shortlist struct {
	k      int
	found  []int32
	scores []float32
}

// rank ranks the pictures of a source, one a sample, and texts.
func (r *ranker) rank(ctx context.Context, pictures data.Source, tokens text.Batch) (*rankings, error) {
	loader, err := data.NewLoader(pictures, data.LoaderConfig{
		Batch: r.batch, Size: r.model.Config().ImageRes, Order: data.InOrder, KeepLast: true,
		Epochs:  2, // the second is for ITM
		Workers: r.workers, MaxBad: -1,
	})
	if err != nil {
		return nil, err
	}
	out := &rankings{}
	failed := torch.Do(func(s *torch.Scope) {
		var texts *encodedTexts
		if texts, err = r.encode(ctx, s, tokens); err != nil {
			return
		}
		var feats *torch.Tensor
		if feats, err = r.imageFeats(ctx, s, loader, pictures.Len()); err != nil {
			return
		}
		textFeats := s.Floats(texts.feats, tokens.B, feats.Size(1)).ToDevice(r.model.Device())
		out.texts = mostSimilar(s, feats, textFeats, r.k)
		out.images = mostSimilar(s, textFeats, feats, r.k)
		err = r.rerank(ctx, s, loader, texts, out)
	})
	if failed != nil {
		err = failed
	}
	if closed := loader.Close(); err == nil {
		err = closed
	}
	return out, err
}

// encodedTexts is the work on all texts that needs no image: the text encoder's
// and the fusion encoder's up to the first image.
type encodedTexts struct {
	entered albef.Entered // [tokens, C], text after text, without padding
	feats   []float32     // [texts, D]
	start   []int         // where each text begins in entered
	length  []int         // in tokens
	total   int           // tokens of all
}

// encode runs the text encoder on all texts, those of like length together.
func (r *ranker) encode(ctx context.Context, s *torch.Scope, tokens text.Batch) (*encodedTexts, error) {
	c := r.model.Config()
	t := &encodedTexts{start: make([]int, tokens.B), length: make([]int, tokens.B)}
	order := make([]int, tokens.B)
	for i := range order {
		order[i] = i
		for _, m := range tokens.Mask[i*tokens.T : (i+1)*tokens.T] {
			t.length[i] += int(m)
		}
		t.total += t.length[i]
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(t.length[a], t.length[b]), cmp.Compare(a, b)) })
	t.feats = make([]float32, tokens.B*c.EmbedDim)
	done, watch := 0, r.watch("texts", tokens.B)
	for part := range slices.Chunk(order, rankTexts) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.Do(func(in *torch.Scope) {
			e, rows := r.encodePart(in, tokens, t, part, done)
			keepRows(s, &t.entered.State, e.State, rows, done, t.total)
			keepRows(s, &t.entered.Query, e.Query, rows, done, t.total)
			done += rows.Size(0)
		})
		watch(len(part))
	}
	return t, nil
}

// encodePart encodes some texts, whose tokens t will have from place at on, and
// returns them with the rows of B·T that are no padding.
func (r *ranker) encodePart(s *torch.Scope, tokens text.Batch, t *encodedTexts, part []int, at int) (albef.Entered, *torch.Tensor) {
	dev, dim, n := r.model.Device(), r.model.Config().EmbedDim, len(part)
	width := t.width(part)
	ids, held := make([]int64, n*width), []int64(nil)
	for row, i := range part {
		copy(ids[row*width:(row+1)*width], tokens.IDs[i*tokens.T:(i+1)*tokens.T])
		t.start[i] = at
		at += t.length[i]
		for j := range t.length[i] {
			held = append(held, int64(row*width+j))
		}
	}
	mask := t.mask(s, part, width).ToDevice(dev)
	embeds := r.model.Text.Encode(s.Ints(ids, n, width).ToDevice(dev), mask, 0)
	feats := r.model.TextProj(embeds.Select(1, 0)).Floats()
	for row, i := range part {
		copy(t.feats[i*dim:(i+1)*dim], feats[row*dim:(row+1)*dim])
	}
	return r.model.Text.Enter(embeds, mask), s.Ints(held, len(held)).ToDevice(dev)
}

// keepRows copies rows of part [B, T, C] to all [total, C] from place at on. all
// is made in s with the first of them.
func keepRows(s *torch.Scope, all **torch.Tensor, part, rows *torch.Tensor, at, total int) {
	width := part.Size(2)
	if *all == nil {
		*all = torch.Full(s, 0, part.Meta().DType, part.Meta().Device, total, width)
	}
	(*all).Narrow(0, at, rows.Size(0)).Copy(part.View(-1, width).IndexSelect(0, rows))
}

// width is what a batch of texts is padded to.
func (t *encodedTexts) width(part []int) int {
	longest := 0
	for _, i := range part {
		longest = max(longest, t.length[i])
	}
	return longest
}

// mask marks the tokens of some texts, [n, width].
func (t *encodedTexts) mask(s *torch.Scope, part []int, width int) *torch.Tensor {
	mask := make([]int64, len(part)*width)
	for row, i := range part {
		for j := range t.length[i] {
			mask[row*width+j] = 1
		}
	}
	return s.Ints(mask, len(part), width)
}

// batch lays some entered texts side by side, [n, width, C], with their mask.
// What stands in padding doesn't matter.
func (t *encodedTexts) batch(s *torch.Scope, part []int, dev torch.Device) (e albef.Entered, mask *torch.Tensor) {
	width := t.width(part)
	rows := make([]int64, len(part)*width)
	for row, i := range part {
		for j := range t.length[i] {
			rows[row*width+j] = int64(t.start[i] + j)
		}
	}
	at := s.Ints(rows, len(rows)).ToDevice(dev)
	lay := func(x *torch.Tensor) *torch.Tensor {
		return s.Use(x).IndexSelect(0, at).View(len(part), width, x.Size(1))
	}
	return albef.Entered{State: lay(t.entered.State), Query: lay(t.entered.Query)}, t.mask(s, part, width).ToDevice(dev)
}

// imageFeats encodes n pictures, [n, D].
func (r *ranker) imageFeats(ctx context.Context, s *torch.Scope, loader *data.Loader, n int) (*torch.Tensor, error) {
	feats := make([]float32, 0, n*r.model.Config().EmbedDim)
	watch := r.watch("images", n)
	for range loader.Steps() {
		err := r.next(ctx, s, loader, func(in *torch.Scope, embeds *torch.Tensor) error {
			feats = append(feats, r.model.ImageProj(embeds.Select(1, 0)).Floats()...)
			if n*embeds.Size(1)*embeds.Size(2)*embeds.Meta().DType.Bytes() <= keptImages {
				r.kept = append(r.kept, in.Keep(embeds))
			}
			watch(embeds.Size(0))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s.Floats(feats, n, r.model.Config().EmbedDim).ToDevice(r.model.Device()), nil
}

// next encodes the loader's next batch of pictures, [B, P, C], for fn.
func (r *ranker) next(ctx context.Context, s *torch.Scope, loader *data.Loader, fn func(s *torch.Scope, embeds *torch.Tensor) error) error {
	b, err := loader.Next(ctx)
	if err != nil {
		return err
	}
	s.Do(func(s *torch.Scope) {
		size := r.model.Config().ImageRes
		pixels := s.Floats(b.Images, len(b.Index), 3, size, size).ToDevice(r.model.Device())
		err = fn(s, r.model.Image.Forward(pixels))
	})
	return err
}

// again hands a batch of pictures that was encoded before to fn, [B, P, C].
func (r *ranker) again(ctx context.Context, s *torch.Scope, loader *data.Loader, batch int, fn func(s *torch.Scope, embeds *torch.Tensor) error) (err error) {
	if len(r.kept) == 0 {
		return r.next(ctx, s, loader, fn)
	}
	s.Do(func(in *torch.Scope) { err = fn(in, in.Use(r.kept[batch])) })
	return err
}

// mostSimilar finds the k candidates [m, D] most similar to each query [n, D],
// all of them where there are fewer.
func mostSimilar(s *torch.Scope, queries, candidates *torch.Tensor, k int) shortlist {
	n, m := queries.Size(0), candidates.Size(0)
	out := shortlist{k: min(k, m)}
	out.found, out.scores = make([]int32, 0, n*out.k), make([]float32, n*out.k)
	step := max(1, simsBlock/m)
	for at := 0; at < n; at += step {
		s.Do(func(s *torch.Scope) {
			sims := s.Use(queries).Narrow(0, at, min(step, n-at)).MatMul(s.Use(candidates).T())
			_, best := sims.TopK(out.k, 1)
			for _, i := range best.Ints() {
				out.found = append(out.found, int32(i))
			}
		})
	}
	return out
}

// rerank has ITM judge all pairs on the shortlists, some pictures at a time.
func (r *ranker) rerank(ctx context.Context, s *torch.Scope, loader *data.Loader, texts *encodedTexts, out *rankings) error {
	n := len(out.texts.found) / out.texts.k
	asking := newAskers(out.images, n)
	group := make([]*pairs, 0, rankImages)
	for range rankImages {
		group = append(group, newPairs(len(texts.length)))
	}
	image, watch := 0, r.watch("ranking", n)
	for batch := range loader.Steps() {
		err := r.again(ctx, s, loader, batch, func(s *torch.Scope, embeds *torch.Tensor) (err error) {
			for i := 0; i < embeds.Size(0) && err == nil; i += rankImages {
				now := group[:min(rankImages, embeds.Size(0)-i)]
				for j, p := range now {
					p.gather(out.texts.of(image+j), asking.of(image+j), out.images.k)
				}
				s.Do(func(s *torch.Scope) {
					err = r.judge(ctx, r.model.Text.Image(s.Use(embeds).Narrow(0, i, len(now))), texts, now)
				})
				for j, p := range now {
					p.scatter(out, image+j, asking.of(image+j))
				}
				image += len(now)
				watch(len(now))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// judged is one pair: the image's place in its group, and the text's among the
// image's.
type judged struct{ image, place int }

// judge asks ITM about the images of a group, each with the texts of its pairs.
func (r *ranker) judge(ctx context.Context, kv albef.KeyValues, t *encodedTexts, group []*pairs) error {
	var order []judged
	for i, p := range group {
		for place := range p.texts {
			order = append(order, judged{i, place})
		}
	}
	length := func(x judged) int { return t.length[group[x.image].texts[x.place]] }
	slices.SortStableFunc(order, func(a, b judged) int { return cmp.Compare(length(a), length(b)) })
	parts := slices.Collect(slices.Chunk(order, rankTexts))
	slices.Reverse(parts) // the longest first: all threads end at about the same time
	torch.Spread(r.model.Device(), len(parts), func(i int) {
		if ctx.Err() != nil {
			return
		}
		if err := torch.Do(func(s *torch.Scope) { r.judgePart(s, kv, t, group, parts[i]) }); err != nil {
			panic(err)
		}
	})
	return ctx.Err()
}

func (r *ranker) judgePart(s *torch.Scope, kv albef.KeyValues, t *encodedTexts, group []*pairs, part []judged) {
	var texts []int
	var images []int64
	add := func(x judged) {
		texts, images = append(texts, group[x.image].texts[x.place]), append(images, int64(x.image))
	}
	for _, x := range part {
		add(x)
	}
	for len(texts)%rankFill != 0 {
		add(part[0])
	}
	dev := r.model.Device()
	entered, mask := t.batch(s, texts, dev)
	logits := r.model.MatchEntered(entered, mask, kv.In(s).Pick(s.Ints(images, len(images)).ToDevice(dev))).Floats()
	for i, x := range part {
		group[x.image].logits[x.place] = logits[2*i+1]
	}
}

// of returns a query's candidates.
func (l shortlist) of(query int) []int32 { return l.found[query*l.k : (query+1)*l.k] }

// askers lists for every image the places in the texts' shortlists where it
// stands.
type askers struct {
	first []int // [images + 1], into slots
	slots []int
}

func newAskers(images shortlist, n int) askers {
	a := askers{first: make([]int, n+1), slots: make([]int, len(images.found))}
	for _, image := range images.found {
		a.first[image+1]++
	}
	for i := range n {
		a.first[i+1] += a.first[i]
	}
	next := slices.Clone(a.first)
	for slot, image := range images.found {
		a.slots[next[image]] = slot
		next[image]++
	}
	return a
}

func (a askers) of(image int) []int { return a.slots[a.first[image]:a.first[image+1]] }

// pairs are the texts that meet one image, each once.
type pairs struct {
	texts  []int
	logits []float32 // one a text
	place  []int     // by text: where it is in texts, -1 if it isn't
}

func newPairs(texts int) *pairs {
	return &pairs{place: slices.Repeat([]int{-1}, texts)}
}

// gather lists the texts on an image's shortlist and those on whose shortlists,
// of k places, the image is.
func (p *pairs) gather(listed []int32, askers []int, k int) {
	for _, text := range p.texts {
		p.place[text] = -1
	}
	p.texts = p.texts[:0]
	add := func(text int) {
		if p.place[text] < 0 {
			p.place[text] = len(p.texts)
			p.texts = append(p.texts, text)
		}
	}
	for _, text := range listed {
		add(int(text))
	}
	for _, slot := range askers {
		add(slot / k)
	}
	p.logits = slices.Grow(p.logits[:0], len(p.texts))[:len(p.texts)]
}

// scatter puts the logits where they were asked for.
func (p *pairs) scatter(out *rankings, image int, askers []int) {
	for i, text := range out.texts.of(image) {
		out.texts.scores[image*out.texts.k+i] = p.logits[p.place[text]]
	}
	for _, slot := range askers {
		out.images.scores[slot] = p.logits[p.place[slot/out.images.k]]
	}
}

// watch returns what is told of n further items that are done of a stage.
func (r *ranker) watch(stage string, total int) func(n int) {
	done, began := 0, time.Now()
	return func(n int) {
		done += n
		if r.observe == nil {
			return
		}
		took := time.Since(began)
		r.observe(stage, train.Progress{
			Step: done, Steps: total, ImagesPerSec: float64(done) / max(took.Seconds(), 1e-9),
			Left: time.Duration(float64(took) / float64(done) * float64(total-done)),
		})
	}
}
