package albef

import (
	"errors"
	"fmt"
	"math"

	"vlab/albef/torch"
)

// Batch is one pretraining step's input. All tensors live on the model's
// device.
type Batch struct {
	Images *torch.Tensor // [B, 3, R, R], normalised pixels
	IDs    *torch.Tensor // [B, T], int64
	Mask   *torch.Tensor // [B, T], int64, 1 for tokens

	MaskedIDs *torch.Tensor // [B, T], the ids with words hidden
	Positions *torch.Tensor // [n], where MLM asks, indices into B·T; nil asks nowhere
	Words     *torch.Tensor // [n], the hidden words; -100 fills up and doesn't count

	// Same is 1 where a text of the batch is true of an image, else 0, float32
	// [B images, B texts], the diagonal included; nil means its own alone.
	Same *torch.Tensor

	// Claims are further texts for ITM, true or false of an image of the batch;
	// nil for none.
	Claims *Claims
	// Cells are labels for the image encoder's patches; nil for none.
	Cells *Cells

	// Distill is the distillation weight on the device, see [torch.Share]; nil where
	// the number that Pretrain is given is enough.
	Distill *torch.Tensor
}

// Claims are texts with the images they are about and whether they hold.
type Claims struct {
	IDs, Mask *torch.Tensor // [K, U], int64
	Image     *torch.Tensor // [K], int64, index into the batch
	Holds     *torch.Tensor // [K], int64, 1 where the text is true of the image
}

// Losses are the terms of one step, scalars of the batch's scope.
type Losses struct {
	MLM, ITC, ITM *torch.Tensor
	Claims, Cells *torch.Tensor // nil where the batch has none
	NegImages     *torch.Tensor // [B], the image drawn against each text
	NegTexts      *torch.Tensor // [B], the text drawn against each image
}

// Total is the unweighted sum, as in Pretrain.py.
func (l Losses) Total() *torch.Tensor {
	sum := l.MLM.Add(l.ITC).Add(l.ITM)
	for _, extra := range []*torch.Tensor{l.Claims, l.Cells} {
		if extra != nil {
			sum = sum.Add(extra)
		}
	}
	return sum
}

// student is what the online model makes of a batch before ITC.
type student struct {
	embeds       *torch.Tensor // [B, P, C]
	text, masked *torch.Tensor // [B, T, C]
	image        *torch.Tensor // [B, D]
	feats        *torch.Tensor // [B, D]
}

// Pretrain computes the three losses of a batch with distillation weight
// distill (alpha; of a batch that has Distill only whether it is 0 counts), and on the way does what the official forward does: clamps
// the temperature, updates the momentum model and pushes this batch's momentum
// features into the queue. Source: model_pretrain.py forward.
//
// The mathematics is the official one, the order of work is not: clean and
// masked texts go through the text encoder together; the image's keys and
// values are projected once; positives, negatives and the masked texts meet
// them in one batch; the last fusion layer and the heads see only what is asked,
// the texts' first tokens and the hidden words.
func (m *Model) Pretrain(b Batch, distill float64) Losses {
	m.temp.ClampInPlace(0.001, 0.5)
	st := m.encode(b)
	var imageM, textM, teacher *torch.Tensor
	torch.NoGrad(func() {
		m.MomentumUpdate()
		imageM, textM, teacher = m.teach(b, st.embeds, distill)
	})
	share := torch.Share{Value: distill, Device: b.Distill}
	terms := m.itc(st.image, st.feats, imageM, textM, together{batch: b.Same}, share)
	torch.NoGrad(func() { m.queue.push(imageM, textM) })

	drawn := m.hardNegatives(terms, b.Same)
	out := Losses{ITC: terms.loss, NegImages: drawn.images, NegTexts: drawn.texts}
	kv := m.Text.Image(st.embeds)
	m.fuseAll(b, st, kv, teacher, share, drawn, &out)
	if b.Claims != nil {
		out.Claims = m.claimLoss(b.Claims, kv)
	}
	if b.Cells != nil && !m.frozen {
		out.Cells = m.CellLoss(st.embeds, *b.Cells)
	}
	return out
}

// encode runs the online encoders, clean and masked texts in one batch.
func (m *Model) encode(b Batch) student {
	var st student
	st.embeds = m.imageEmbeds(b.Images)
	st.image = m.ImageProj(st.embeds.Select(1, 0))
	n := b.IDs.Size(0)
	texts := m.Text.Encode(torch.Cat(0, b.IDs, b.MaskedIDs), torch.Cat(0, b.Mask, b.Mask), m.config.Dropout)
	st.text, st.masked = texts.Narrow(0, 0, n), texts.Narrow(0, n, n)
	st.feats = m.TextProj(st.text.Select(1, 0))
	return st
}

// imageEmbeds runs the image encoder, without gradients where it is frozen:
// [B, P, C].
func (m *Model) imageEmbeds(images *torch.Tensor) (out *torch.Tensor) {
	if !m.frozen {
		return m.Image.Forward(images)
	}
	torch.NoGrad(func() { out = m.Image.Forward(images) })
	return out
}

// teach runs the momentum model: features for ITC and, where distillation asks
// for them, word logits [n, V] at the hidden words. Like the official model in
// training mode, it drops out as the student does. embeds are the student's of
// the images; with a frozen image encoder the teacher's would be the same.
func (m *Model) teach(b Batch, embeds *torch.Tensor, distill float64) (image, text, words *torch.Tensor) {
	t := m.teacher
	if !m.frozen {
		embeds = t.image.Forward(b.Images)
	}
	image = t.imageFeats(embeds.Select(1, 0))
	if distill == 0 || b.Positions == nil {
		return image, t.textFeats(t.text.Encode(b.IDs, b.Mask, m.config.Dropout).Select(1, 0)), nil
	}
	n := b.IDs.Size(0)
	both := t.text.Encode(torch.Cat(0, b.IDs, b.MaskedIDs), torch.Cat(0, b.Mask, b.Mask), m.config.Dropout)
	text = t.textFeats(both.Narrow(0, 0, n).Select(1, 0))
	hidden := t.text.FuseAt(b.Positions, both.Narrow(0, n, n), b.Mask, t.text.Image(embeds), m.config.Dropout)
	return image, text, t.text.Words(hidden)
}

// fuseAll runs matched pairs, (text, drawn image), (drawn text, image) and the
// masked texts through the fusion encoder as one batch of 4B.
func (m *Model) fuseAll(b Batch, st student, kv KeyValues, teacher *torch.Tensor, distill torch.Share, drawn negatives, out *Losses) {
	n := b.IDs.Size(0)
	s := b.IDs.Scope()
	texts := torch.Cat(0, st.text, st.text, st.text.IndexSelect(0, drawn.texts), st.masked)
	masks := torch.Cat(0, b.Mask, b.Mask, b.Mask.IndexSelect(0, drawn.texts), b.Mask)
	own := s.Arange(m.device, 0, n, 1)
	images := kv.Pick(torch.Cat(0, own, drawn.images, own, own))
	length := b.IDs.Size(1)
	rows := FirstTokens(s, 3*n, length, m.device)
	if b.Positions != nil {
		rows = torch.Cat(0, rows, b.Positions.Shift(float64(3*n*length)).To(torch.Int64))
	}
	hidden := m.Text.FuseAt(rows, texts, masks, images, m.config.Dropout)

	out.ITM = m.matchLoss(hidden.Narrow(0, 0, 3*n), drawn)
	if b.Positions == nil {
		out.MLM = s.Zeros(m.device)
		if m.quirks { // the mean over nothing
			out.MLM = hidden.Sum().To(torch.Float32).Scale(math.NaN())
		}
		return
	}
	logits := m.Text.Words(hidden.Narrow(0, 3*n, b.Positions.Size(0)))
	out.MLM = logits.DistilledCrossEntropy(teacher, b.Words, distill, ignored) // ALBEF eq. 3 and 7
}

// claimLoss is ITM on the batch's further texts.
func (m *Model) claimLoss(c *Claims, kv KeyValues) *torch.Tensor {
	embeds := m.Text.Encode(c.IDs, c.Mask, m.config.Dropout)
	return m.MatchTexts(embeds, c.Mask, kv.Pick(c.Image), m.config.Dropout).To(torch.Float32).CrossEntropy(c.Holds, ignored)
}

// Len returns how many images the batch has.
func (b Batch) Len() int { return b.Images.Size(0) }

// Check reports the first thing of a batch that doesn't fit the model.
func (b Batch) Check(c Config) error {
	if err := checkQueued(b.Images, b.IDs, c); err != nil {
		return err
	}
	if b.Len() == 1 {
		return &hintError{errors.New("batch: one image alone: negatives are drawn from the rest of the batch"), "set batch_size to 2 or more"}
	}
	return nil
}

// checkQueued checks images with a text for each whose features go into a queue.
func checkQueued(images, ids *torch.Tensor, c Config) error {
	if err := checkPairs(images, ids, c); err != nil {
		return err
	}
	if n := images.Size(0); c.QueueSize%n != 0 {
		return &hintError{
			fmt.Errorf("batch: queue_size %d is no multiple of the batch size %d", c.QueueSize, n),
			fmt.Sprintf("set queue_size to %d", (c.QueueSize/n+1)*n),
		}
	}
	return nil
}

// checkPairs checks images [B, 3, R, R] and a text for each, [B, T].
func checkPairs(images, ids *torch.Tensor, c Config) error {
	if shape := images.Shape(); len(shape) != 4 || shape[1] != 3 || shape[2] != c.ImageRes || shape[3] != c.ImageRes {
		return fmt.Errorf("batch: images are %v, want [B 3 %d %d]", shape, c.ImageRes, c.ImageRes)
	}
	switch n, t := ids.Size(0), ids.Size(1); {
	case n != images.Size(0):
		return fmt.Errorf("batch: %d texts for %d images", n, images.Size(0))
	case t > c.MaxPositions:
		return fmt.Errorf("batch: texts of %d tokens, the model has %d positions", t, c.MaxPositions)
	}
	return nil
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Hint() string  { return e.hint }
func (e *hintError) Unwrap() error { return e.error }
