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
	text, masked *torch.Tensor // [B, T, C]; masked is nil where MLM isn't trained
	image        *torch.Tensor // [B, D]
	feats        *torch.Tensor // [B, D]
}

// Pretrain computes the three losses of a batch with distillation weight
// distill (alpha; of a batch that has Distill only whether it is 0 counts), and on
// the way does what the official forward does: clamps the temperature, updates the
// momentum model and pushes this batch's momentum features into the queue. Source:
// model_pretrain.py forward.
//
// The mathematics is the official one, the order of work is not: clean and
// masked texts go through the text encoder together; the image's keys and
// values are projected once; positives, negatives and the masked texts meet
// them in one batch; the last fusion layer and the heads see only what is asked,
// the texts' first tokens and the hidden words.
func (m *Model) Pretrain(b Batch, distill float64) Losses { return m.PretrainParts(b, distill, 1) }

// PretrainParts is [Model.Pretrain] of a batch that is worked off in parts of as
// many pairs: on a [torch.Tape] the memory is that of one part and of what the
// parts have in common. Losses and gradients are those of the whole batch, as
// negatives are drawn among all of it; only dropout is drawn in another order.
// The number of parts divides the batch.
func (m *Model) PretrainParts(b Batch, distill float64, parts int) Losses {
	m.temp.ClampInPlace(0.001, 0.5)
	share := torch.Share{Value: distill, Device: b.Distill}
	out, embeds := m.losses(m.cut(b, parts), together{batch: b.Same}, share, m.queue.push)
	if b.Cells != nil && !m.frozen {
		out.Cells = m.CellLoss(embeds, *b.Cells)
	}
	return out
}

// losses computes the losses of pairs, with MLM where there are masked texts, and
// the images' embeds [B, P, C]. push puts momentum features [B, D] into the
// queue.
func (m *Model) losses(ps []part, same together, distill torch.Share, push func(imageM, textM *torch.Tensor)) (out Losses, embeds *torch.Tensor) {
	st := m.encode(ps)
	q := queries{image: st.image, text: st.feats}
	var words *torch.Tensor
	torch.NoGrad(func() {
		m.MomentumUpdate()
		q.imageM, q.textM, words = m.teach(ps, st.embeds, distill.Value)
	})
	terms := m.itc(ps, q, same, distill)
	torch.NoGrad(func() { push(q.imageM, q.textM) })
	drawn := m.hardNegatives(terms, same.batch)
	out = m.fuse(ps, st, words, distill, drawn)
	out.ITC, out.NegImages, out.NegTexts = terms.loss, drawn.images, drawn.texts
	return out, st.embeds
}

// encode runs the online encoders, clean and masked texts in one batch.
func (m *Model) encode(ps []part) student {
	var st student
	s := ps[0].batch.IDs.Scope()
	m.training(func() {
		st.embeds = s.InParts(len(ps), func(s *torch.Scope, k int) []*torch.Tensor {
			return []*torch.Tensor{m.Image.Forward(ps[k].in(s).Images)}
		})[0]
	})
	out := s.InParts(len(ps), func(s *torch.Scope, k int) []*torch.Tensor {
		image := m.ImageProj(ps[k].rows(s, st.embeds).Select(1, 0))
		text, masked := m.encodeTexts(m.Text, ps[k].in(s))
		return []*torch.Tensor{image, m.TextProj(text.Select(1, 0)), text, masked}
	})
	st.image, st.feats, st.text, st.masked = out[0], out[1], out[2], out[3]
	return st
}

// training runs the image encoder's share, without gradients where it is frozen.
func (m *Model) training(fn func()) {
	if m.frozen {
		torch.NoGrad(fn)
		return
	}
	fn()
}

// encodeTexts runs a text encoder on texts and, in the same batch, on the masked
// ones where there are such: [B, T, C] each.
func (m *Model) encodeTexts(encoder *TextModel, b Batch) (text, masked *torch.Tensor) {
	if b.MaskedIDs == nil {
		return encoder.Encode(b.IDs, b.Mask, m.config.Dropout), nil
	}
	n := b.IDs.Size(0)
	both := encoder.Encode(torch.Cat(0, b.IDs, b.MaskedIDs), torch.Cat(0, b.Mask, b.Mask), m.config.Dropout)
	return both.Narrow(0, 0, n), both.Narrow(0, n, n)
}

// teach runs the momentum model: features for ITC [B, D] and, where distillation
// asks for them, word logits [n, V] at the hidden words. Like the official model
// in training mode, it drops out as the student does. embeds are the student's of
// the images; with a frozen image encoder the teacher's would be the same.
func (m *Model) teach(ps []part, embeds *torch.Tensor, distill float64) (image, text, words *torch.Tensor) {
	out := embeds.Scope().InParts(len(ps), func(s *torch.Scope, k int) []*torch.Tensor {
		t, b, embeds := m.teacher, ps[k].in(s), ps[k].rows(s, embeds)
		if !m.frozen {
			embeds = t.image.Forward(b.Images)
		}
		image := t.imageFeats(embeds.Select(1, 0))
		if distill == 0 || b.Positions == nil {
			b.MaskedIDs = nil
		}
		text, masked := m.encodeTexts(t.text, b)
		feats := t.textFeats(text.Select(1, 0))
		if masked == nil {
			return []*torch.Tensor{image, feats, nil}
		}
		hidden := t.text.FuseAt(b.Positions, masked, b.Mask, t.text.Image(embeds), m.config.Dropout)
		return []*torch.Tensor{image, feats, t.text.Words(hidden)}
	})
	return out[0], out[1], out[2]
}

// fuse computes the losses of the fusion encoder: ITM, MLM and that of claims.
// words are the teacher's logits of all parts, nil for none.
func (m *Model) fuse(ps []part, st student, words *torch.Tensor, distill torch.Share, drawn negatives) (out Losses) {
	s := st.text.Scope()
	losses := s.InParts(len(ps), func(s *torch.Scope, k int) []*torch.Tensor {
		l := m.fusePart(ps[k], s, st, words, distill, drawn)
		return []*torch.Tensor{one(l.ITM), one(l.MLM), one(l.Claims)}
	})
	out.ITM = losses[0].Sum()
	if losses[2] != nil {
		out.Claims = losses[2].Sum()
	}
	switch {
	case losses[1] != nil:
		out.MLM = losses[1].Sum()
	case m.quirks: // the mean over nothing
		out.MLM = out.ITM.Scale(math.NaN())
	default:
		out.MLM = s.Zeros(m.device)
	}
	return out
}

// one is a scalar as a row, whose rows parts join; nil stays nil.
func one(x *torch.Tensor) *torch.Tensor {
	if x == nil {
		return nil
	}
	return x.View(1)
}

// fusePart runs a part's matched pairs, (text, drawn image), (drawn text, image)
// and masked texts through the fusion encoder as one batch of 4n. The losses are
// the part's share in those of the batch.
func (m *Model) fusePart(p part, s *torch.Scope, st student, words *torch.Tensor, distill torch.Share, all negatives) (out Losses) {
	b, drawn := p.in(s), all.rows(s, p)
	text := p.rows(s, st.text)
	texts := []*torch.Tensor{text, text, s.Use(st.text).IndexSelect(0, drawn.texts)}
	masks := []*torch.Tensor{b.Mask, b.Mask, s.Use(p.batch.Mask).IndexSelect(0, drawn.texts)}
	kv, own, other := m.pairImages(p, s, st.embeds, drawn.images)
	images := []*torch.Tensor{own, other, own}
	length := b.IDs.Size(1)
	rows := FirstTokens(s, 3*p.n, length, m.device)
	if st.masked != nil {
		texts, masks, images = append(texts, p.rows(s, st.masked)), append(masks, b.Mask), append(images, own)
	}
	if b.Positions != nil {
		rows = torch.Cat(0, rows, b.Positions.Shift(float64(3*p.n*length)).To(torch.Int64))
	}
	hidden := m.Text.FuseAt(rows, torch.Cat(0, texts...), torch.Cat(0, masks...), kv.Pick(torch.Cat(0, images...)), m.config.Dropout)

	out.ITM = m.matchLoss(hidden.Narrow(0, 0, 3*p.n), drawn)
	if !p.whole() {
		out.ITM = out.ITM.Mul(drawn.asked().Div(all.asked()))
	}
	if b.Positions != nil {
		n := b.Positions.Size(0)
		logits := m.Text.Words(hidden.Narrow(0, 3*p.n, n))
		if words != nil {
			words = s.Use(words).Narrow(0, p.asks, n)
		}
		out.MLM = logits.DistilledCrossEntropy(words, b.Words, distill, ignored).Scale(p.askShare) // ALBEF eq. 3 and 7
	}
	if b.Claims != nil {
		out.Claims = m.claimLoss(b.Claims, kv).Scale(p.claimShare)
	}
	return out
}

// pairImages projects the images that a part's pairs meet, the own ones and those
// drawn from the whole batch, and says where in there they are: [n] each.
func (m *Model) pairImages(p part, s *torch.Scope, embeds, drawn *torch.Tensor) (kv KeyValues, own, other *torch.Tensor) {
	own = s.Arange(m.device, 0, p.n, 1)
	if p.whole() {
		return m.Text.Image(s.Use(embeds)), own, drawn
	}
	both := torch.Cat(0, p.rows(s, embeds), s.Use(embeds).IndexSelect(0, drawn))
	return m.Text.Image(both), own, own.Shift(float64(p.n)).To(torch.Int64)
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
