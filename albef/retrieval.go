package albef

import (
	"fmt"

	"vlab/albef/torch"
)

// NewRetrieval makes the model that retrieval and grounding finetune, with
// fresh weights drawn from seed, on dev: no MLM head, and a queue that knows
// which image each entry belongs to. The caller closes it. Source:
// models/model_retrieval.py.
func NewRetrieval(c Config, dev torch.Device, seed int64) (*Model, error) {
	c.CellLabels = nil // heads of pretraining
	if err := c.Validate(); err != nil {
		return nil, err
	}
	torch.Seed(seed)
	m := &Model{Module: Module{config: c, device: dev}}
	if err := m.make(func(b builder) { m.build(b, newGroupQueue, newBert) }); err != nil {
		return nil, err
	}
	return m, nil
}

// RetrievalBatch is one step's input of retrieval: B images, each with a text
// of T tokens.
type RetrievalBatch struct {
	Images *torch.Tensor // [B, 3, R, R]
	IDs    *torch.Tensor // [B, T] int64
	Mask   *torch.Tensor // [B, T] int64, 1 for tokens and 0 for padding
	Index  *torch.Tensor // [B] int64, the image that each pair is of, from 0 over all data
}

// Len returns how many pairs the batch has.
func (b RetrievalBatch) Len() int { return b.Images.Size(0) }

// Check reports the first thing of a batch that doesn't fit the model.
func (b RetrievalBatch) Check(c Config) error {
	if n := b.Index.Numel(); n != b.Images.Size(0) {
		return fmt.Errorf("batch: %d image ids for %d images", n, b.Images.Size(0))
	}
	return checkQueued(b.Images, b.IDs, c)
}

// Retrieval computes both losses of a batch, ITC and ITM, with distillation
// weight distill (alpha; 0 for none), and on the way does what the official
// forward does: updates the momentum model and pushes this batch's momentum
// features with their image ids into the queue. All pairs of one image belong
// together: they share ITC's targets and are no negatives of each other. Where
// a whole batch is of one image, no negative is asked about. Source:
// model_retrieval.py forward.
func (m *Model) Retrieval(b RetrievalBatch, distill float64) (itc, itm *torch.Tensor) {
	embeds := m.imageEmbeds(b.Images)
	text := m.Text.Encode(b.IDs, b.Mask, m.config.Dropout)
	image, feats := m.ImageProj(embeds.Select(1, 0)), m.TextProj(text.Select(1, 0))
	var imageM, textM *torch.Tensor
	var same together
	torch.NoGrad(func() {
		m.MomentumUpdate()
		imageM, textM, _ = m.teach(Batch{Images: b.Images, IDs: b.IDs, Mask: b.Mask}, embeds, 0)
		same = m.sameImage(b.Index)
	})
	terms := m.itc(image, feats, imageM, textM, same, torch.Share{Value: distill})
	torch.NoGrad(func() { m.queue.pushGroups(imageM, textM, b.Index) })
	drawn := m.hardNegatives(terms, same.batch)
	return terms.loss, m.matchLoss(m.fuseDrawn(embeds, text, b.Mask, drawn), drawn)
}

// sameImage compares the image ids [B] of a batch with each other and with the
// queue's.
func (m *Model) sameImage(index *torch.Tensor) together {
	n := index.Size(0)
	own := index.View(n, 1)
	return together{
		batch: own.EqTensor(index.View(1, n)).To(torch.Float32),
		queue: own.EqTensor(index.Scope().Use(m.queue.groups)).To(torch.Float32),
	}
}

// fuseDrawn runs matched pairs, (text, drawn image) and (drawn text, image)
// through the fusion encoder as one batch, and returns their first tokens'
// states [3B, C]. An image's keys and values are projected once.
func (m *Model) fuseDrawn(embeds, text, mask *torch.Tensor, drawn negatives) *torch.Tensor {
	n := text.Size(0)
	own := text.Scope().Arange(m.device, 0, n, 1)
	texts := torch.Cat(0, text, text, text.IndexSelect(0, drawn.texts))
	masks := torch.Cat(0, mask, mask, mask.IndexSelect(0, drawn.texts))
	images := m.Text.Image(embeds).Pick(torch.Cat(0, own, drawn.images, own))
	first := FirstTokens(text.Scope(), 3*n, text.Size(1), m.device)
	return m.Text.FuseAt(first, texts, masks, images, m.config.Dropout)
}
