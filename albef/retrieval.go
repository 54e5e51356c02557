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
	return m.RetrievalParts(b, distill, 1)
}

// RetrievalParts is [Model.Retrieval] of a batch that is worked off in parts, as
// [Model.PretrainParts] does it.
func (m *Model) RetrievalParts(b RetrievalBatch, distill float64, parts int) (itc, itm *torch.Tensor) {
	var same together
	torch.NoGrad(func() { same = m.sameImage(b.Index) })
	pairs := Batch{Images: b.Images, IDs: b.IDs, Mask: b.Mask}
	l, _ := m.losses(m.cut(pairs, parts), same, torch.Share{Value: distill}, func(imageM, textM *torch.Tensor) {
		m.queue.pushGroups(imageM, textM, b.Index)
	})
	return l.ITC, l.ITM
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
