package task

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/scenes"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// DrawnConfig is the map under scenes in a configuration: pretraining on the
// drawn corpus, scene by scene from a seed and never the same one twice.
type DrawnConfig struct {
	Seed       uint64  `yaml:"seed"`
	EpochSteps int     `yaml:"epoch_steps"` // batches that count as an epoch; 0: 100
	Claims     int     `yaml:"claims"`      // further texts an image for ITM, in pairs of a true one and one that is false in a word
	Phrases    float64 `yaml:"phrases"`     // share of images whose text is a phrase on one object
	MaskWords  bool    `yaml:"mask_words"`  // MLM hides words on attributes and relations alone
	Pictograms float64 `yaml:"pictograms"`  // share of objects that are pictograms
	Textures   float64 `yaml:"textures"`    // share of drawn shapes that are striped or dotted
	Cells      bool    `yaml:"cells"`       // label the patches for the image encoder's supervised heads
}

// CellLabels are the sizes of the supervised heads for drawn scenes: shapes and pictograms,
// colours, sizes, textures, and the column and row of the covering object's centre among
// grid, each with a class for none. By the last two a patch can tell where its
// object is, which relations are about.
func CellLabels(grid int) []int {
	return []int{
		scenes.ThingCount + 1, scenes.ColourCount + 1, scenes.SizeCount + 1, scenes.TextureCount + 1, grid + 1, grid + 1,
	}
}

// SceneTokenizer returns a tokenizer whose vocabulary is the words of the
// drawn corpus: a small model learns sooner with 60 words than with 30,522.
func SceneTokenizer() (*text.Tokenizer, []string, error) {
	vocab := append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, scenes.Words()...)
	tok, err := text.Load(strings.NewReader(strings.Join(vocab, "\n")))
	return tok, vocab, err
}

// Drawn feeds pretraining with drawn scenes. Batches are drawn ahead on
// goroutines of its own.
type Drawn struct {
	config    DrawnConfig
	model     albef.Config
	batch     int
	tok       *text.Tokenizer
	mask      albef.Masker
	attribute map[int64]bool
	device    torch.Device

	next   int // the batch that Next returns
	ahead  chan chan *drawnBatch
	cancel context.CancelFunc
	wait   sync.WaitGroup
	pixels sync.Pool // of []float32, a batch's
}

// drawnBatch is a batch before it becomes tensors.
type drawnBatch struct {
	images      []float32
	texts       text.Batch
	masking     albef.Masking
	same        []float32
	claims      text.Batch
	claimImages []int64
	claimHolds  []int64
	cells       [][]int64
}

// NewDrawn makes the feed of batches of a size for a model.
func NewDrawn(c DrawnConfig, model albef.Config, batch int, tok *text.Tokenizer, dev torch.Device) (*Drawn, error) {
	if batch < 2 {
		return nil, fmt.Errorf("scenes: batch_size %d, want 2 or more", batch)
	}
	if c.Claims%2 != 0 {
		return nil, &hintError{fmt.Errorf("scenes: claims %d, and they come in pairs", c.Claims), fmt.Sprintf("claims: %d", c.Claims+1)}
	}
	for _, share := range []struct {
		key   string
		value float64
	}{{"pictograms", c.Pictograms}, {"textures", c.Textures}, {"phrases", c.Phrases}} {
		if share.value < 0 || share.value > 1 {
			return nil, fmt.Errorf("scenes: %s %g, want a share from 0 to 1", share.key, share.value)
		}
	}
	if c.EpochSteps <= 0 {
		c.EpochSteps = 100
	}
	d := &Drawn{
		config: c, model: model, batch: batch, tok: tok, mask: newMasker(tok, model.MaskProb), device: dev,
		attribute: map[int64]bool{},
	}
	d.pixels.New = func() any { return make([]float32, batch*3*model.ImageRes*model.ImageRes) }
	for _, w := range scenes.AttributeWords() {
		if id, ok := tok.ID(w); ok {
			d.attribute[int64(id)] = true
		}
	}
	return d, nil
}

// Steps returns how many batches count as an epoch.
func (d *Drawn) Steps() int { return d.config.EpochSteps }

// Seek makes step of epoch the next batch.
func (d *Drawn) Seek(epoch, step int) error {
	d.stop()
	d.next = epoch*d.config.EpochSteps + step
	return nil
}

// Close ends the goroutines.
func (d *Drawn) Close() error {
	d.stop()
	return nil
}

func (d *Drawn) stop() {
	if d.cancel != nil {
		d.cancel()
		d.wait.Wait()
		d.cancel, d.ahead = nil, nil
	}
}

// begin starts drawing ahead, a batch for each processor at a time.
func (d *Drawn) begin() {
	ahead := max(2, runtime.GOMAXPROCS(0))
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel, d.ahead = cancel, make(chan chan *drawnBatch, ahead)
	first, queue := d.next, d.ahead
	d.wait.Add(1)
	go func() {
		defer d.wait.Done()
		for n := first; ; n++ {
			one := make(chan *drawnBatch, 1)
			select {
			case queue <- one:
			case <-ctx.Done():
				return
			}
			d.wait.Add(1)
			go func() {
				defer d.wait.Done()
				one <- d.draw(n)
			}()
		}
	}()
}

// Next returns the next batch in s.
func (d *Drawn) Next(ctx context.Context, s *torch.Scope) (albef.Batch, error) {
	if d.ahead == nil {
		d.begin()
	}
	var b *drawnBatch
	select {
	case one := <-d.ahead:
		select {
		case b = <-one:
		case <-ctx.Done():
			d.stop() // the batch taken off the queue is drawn again
			return albef.Batch{}, ctx.Err()
		}
	case <-ctx.Done():
		return albef.Batch{}, ctx.Err()
	}
	d.next++
	return d.tensors(s, b), nil
}

func (d *Drawn) tensors(s *torch.Scope, b *drawnBatch) albef.Batch {
	out := textBatch(s, b.texts, b.masking, d.device)
	out.Images = s.Floats(b.images, d.batch, 3, d.model.ImageRes, d.model.ImageRes).ToDevice(d.device)
	d.pixels.Put(b.images) //nolint:staticcheck // a header of 24 bytes for each batch
	out.Same = s.Floats(b.same, d.batch, d.batch).ToDevice(d.device)
	if n := b.claims.B; n > 0 {
		out.Claims = &albef.Claims{
			IDs:   s.Ints(b.claims.IDs, n, b.claims.T).ToDevice(d.device),
			Mask:  s.Ints(b.claims.Mask, n, b.claims.T).ToDevice(d.device),
			Image: s.Ints(b.claimImages, n).ToDevice(d.device),
			Holds: s.Ints(b.claimHolds, n).ToDevice(d.device),
		}
	}
	if b.cells != nil {
		out.Cells = &albef.Cells{}
		for _, labels := range b.cells {
			out.Cells.Labels = append(out.Cells.Labels, s.Ints(labels, len(labels)).ToDevice(d.device))
		}
	}
	return out
}

// draw makes batch n.
func (d *Drawn) draw(n int) *drawnBatch {
	rng := rand.New(rand.NewPCG(d.config.Seed, uint64(n)))
	res := d.model.ImageRes
	b := &drawnBatch{images: d.pixels.Get().([]float32), same: make([]float32, d.batch*d.batch)}
	all := make([]scenes.Scene, d.batch)
	said := make([]scenes.Claim, d.batch)
	captions := make([]string, d.batch)
	pixels := data.NewResized(res)
	for i := range all {
		all[i] = scenes.Generate(d.config.Seed, n*d.batch+i, scenes.Options{Size: res, Pictograms: d.config.Pictograms, Textures: d.config.Textures})
		// A drawn scene has the right size and is never cropped: nothing can fail.
		_ = pixels.Apply(data.FromImage(all[i].Render(res)), nil, b.images[i*3*res*res:(i+1)*3*res*res])
		said[i] = d.say(all[i], rng)
		captions[i] = said[i].String()
	}
	for i := range all {
		for j := range said {
			if i == j || said[j].Holds(all[i]) {
				b.same[i*d.batch+j] = 1
			}
		}
	}
	b.texts = bucketed(d.tok, captions, text.BatchOptions{})
	b.masking = d.mask.Draw(b.texts.IDs, d.maskProb(b.texts.IDs), rng)
	d.addClaims(b, all, rng)
	if d.config.Cells {
		b.cells = cellLabels(all, d.model.Grid())
	}
	return b
}

// say picks a scene's text: a caption, or a phrase on one object.
func (d *Drawn) say(s scenes.Scene, rng *rand.Rand) scenes.Claim {
	if rng.Float64() < d.config.Phrases {
		phrases := scenes.Phrases(s)
		return phrases[rng.IntN(len(phrases))].Claim
	}
	return scenes.Caption(s, rng)
}

// maskProb hides words on attributes and relations alone, if so configured.
func (d *Drawn) maskProb(ids []int64) func(int) float64 {
	if !d.config.MaskWords {
		return nil
	}
	return func(i int) float64 {
		if d.attribute[ids[i]] {
			return d.mask.Prob
		}
		return 0
	}
}

// pairKinds are the kinds of claims that an image gets in turn.
var pairKinds = []scenes.Kind{
	scenes.KindRelation, scenes.KindShape, scenes.KindBinding, scenes.KindOrder, scenes.KindCount,
	scenes.KindRelation, scenes.KindColour, scenes.KindOrder, scenes.KindSize, scenes.KindTexture,
}

// addClaims gives every image further texts: pairs of a true claim and one that
// differs from it in one word or order and is false.
func (d *Drawn) addClaims(b *drawnBatch, all []scenes.Scene, rng *rand.Rand) {
	var texts []string
	add := func(i int, claim scenes.Sentence, holds int64) {
		texts = append(texts, claim.String())
		b.claimImages = append(b.claimImages, int64(i))
		b.claimHolds = append(b.claimHolds, holds)
	}
	turn := rng.IntN(len(pairKinds))
	for i, s := range all {
		made, refused := 0, 0 // a single object is in no relation
		for ; made < d.config.Claims/2 && refused < len(pairKinds); turn++ {
			c, ok := scenes.ContrastOf(s, pairKinds[turn%len(pairKinds)], rng)
			if !ok {
				refused++
				continue
			}
			add(i, c.True, 1)
			add(i, c.False, 0)
			made, refused = made+1, 0
		}
	}
	if len(texts) > 0 {
		b.claims = bucketed(d.tok, texts, text.BatchOptions{})
	}
}

// cellLabels labels every patch of every scene: what covers it and where that
// is, none included.
func cellLabels(all []scenes.Scene, grid int) [][]int64 {
	out := make([][]int64, len(CellLabels(grid)))
	for _, s := range all {
		at := func(v float64) int64 { return 1 + int64(min(int(v*float64(grid)/float64(s.Size)), grid-1)) }
		for _, c := range s.Grid(grid) {
			column, row := int64(0), int64(0)
			if c.Object >= 0 {
				x, y := s.Objects[c.Object].Centre()
				column, row = at(x), at(y)
			}
			for i, label := range []int64{int64(c.Shape), int64(c.Colour), int64(c.Size), int64(c.Texture), column, row} {
				out[i] = append(out[i], label)
			}
		}
	}
	return out
}
