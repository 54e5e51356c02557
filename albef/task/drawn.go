package task

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	Claims     int     `yaml:"claims"`      // further texts an image for ITM, some true, most false in one word
	Phrases    float64 `yaml:"phrases"`     // share of images whose text is a phrase on one object
	MaskWords  bool    `yaml:"mask_words"`  // MLM hides words on attributes and relations alone
	Cells      bool    `yaml:"cells"`       // label the patches for the image encoder's supervised heads
}

// CellLabels are the sizes of the supervised heads for drawn scenes: shapes,
// colours and sizes, each with a class for none.
func CellLabels() []int {
	return []int{scenes.ShapeCount + 1, scenes.ColourCount + 1, scenes.SizeCount + 1}
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
	if c.EpochSteps <= 0 {
		c.EpochSteps = 100
	}
	d := &Drawn{
		config: c, model: model, batch: batch, tok: tok, mask: newMasker(tok, model.MaskProb), device: dev,
		attribute: map[int64]bool{},
	}
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

// begin starts drawing ahead, two batches at a time.
func (d *Drawn) begin() {
	const ahead = 2
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
	b := &drawnBatch{images: make([]float32, d.batch*3*res*res), same: make([]float32, d.batch*d.batch)}
	all := make([]scenes.Scene, d.batch)
	said := make([]scenes.Claim, d.batch)
	captions := make([]string, d.batch)
	pixels := data.NewResized(res)
	for i := range all {
		all[i] = scenes.Generate(d.config.Seed, n*d.batch+i, scenes.Options{Size: res})
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
	d.addClaims(b, all, said, rng)
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

// addClaims gives every image further texts in turn: a true phrase, a phrase
// that is false in one word, the caption made false in one point.
func (d *Drawn) addClaims(b *drawnBatch, all []scenes.Scene, said []scenes.Claim, rng *rand.Rand) {
	const truePhrase, falsePhrase, falseCaption = 0, 1, 2
	var texts []string
	add := func(i int, claim scenes.Claim, holds int64) {
		texts = append(texts, claim.String())
		b.claimImages = append(b.claimImages, int64(i))
		b.claimHolds = append(b.claimHolds, holds)
	}
	for i, s := range all {
		phrases := scenes.Phrases(s)
		for k := range d.config.Claims {
			phrase := phrases[rng.IntN(len(phrases))].Claim
			turn := k % 3
			if turn == truePhrase {
				add(i, phrase, 1)
				continue
			}
			source := phrase
			if turn == falseCaption {
				source = said[i]
			}
			for _, negative := range scenes.Negatives(s, source, rng, 1) {
				add(i, negative.Claim, 0)
			}
		}
	}
	if len(texts) > 0 {
		// As many a batch as can be: a claim that can't be made false leaves a gap.
		for want := len(all) * d.config.Claims; len(texts) < want; {
			i := len(texts) % len(all)
			phrases := scenes.Phrases(all[i])
			add(i, phrases[rng.IntN(len(phrases))].Claim, 1)
		}
		b.claims = bucketed(d.tok, texts, text.BatchOptions{})
	}
}

// cellLabels labels every patch of every scene: what covers it, none included.
func cellLabels(all []scenes.Scene, grid int) [][]int64 {
	out := make([][]int64, len(CellLabels()))
	for _, s := range all {
		for _, c := range s.Grid(grid) {
			out[0] = append(out[0], int64(c.Shape))
			out[1] = append(out[1], int64(c.Colour))
			out[2] = append(out[2], int64(c.Size))
		}
	}
	return out
}
