package albef

import "vlab/albef/torch"

// itcTerms is what ITC leaves behind for the hard negatives.
type itcTerms struct {
	loss     *torch.Tensor
	i2t, t2i *torch.Tensor // similarities of the batch, [B, B], over the temperature
}

// together says, in zeros and ones, what belongs together beside each image and
// its own text.
type together struct {
	batch *torch.Tensor // [B images, B texts]; nil: nothing else
	queue *torch.Tensor // [B, Q], for queries of both kinds; nil: nothing
}

// queries are features of both kinds, [B, D], the online model's and the
// momentum model's.
type queries struct{ image, text, imageM, textM *torch.Tensor }

// bank is what queries are compared with: this batch's momentum features
// followed by the queue, as parts [D, n] side by side.
type bank struct{ images, texts []*torch.Tensor }

// newBank makes the bank of the batch with momentum features [B, D], before they
// are pushed.
func (m *Model) newBank(imageM, textM *torch.Tensor) bank {
	s, n := imageM.Scope(), imageM.Size(0)
	return bank{
		images: append([]*torch.Tensor{imageM.T()}, m.queue.bank(s, m.queue.images, n)...),
		texts:  append([]*torch.Tensor{textM.T()}, m.queue.bank(s, m.queue.texts, n)...),
	}
}

// itc is the image-text contrastive loss with momentum distillation: ALBEF
// eq. 1 and 6. same makes for several right answers.
func (m *Model) itc(ps []part, q queries, same together, distill torch.Share) itcTerms {
	s := q.image.Scope()
	if same.batch == nil {
		same.batch = s.Eye(m.device, q.image.Size(0))
	}
	with := m.newBank(q.imageM, q.textM)
	out := s.InParts(len(ps), func(s *torch.Scope, k int) []*torch.Tensor {
		p := ps[k]
		own := queries{p.rows(s, q.image), p.rows(s, q.text), p.rows(s, q.imageM), p.rows(s, q.textM)}
		terms := m.contrast(own, with, same.rows(s, p), distill)
		// Copies: views would keep the similarities with the queue.
		return []*torch.Tensor{terms.loss.Scale(1 / float64(len(ps))).View(1), terms.i2t.Contiguous(), terms.t2i.Contiguous()}
	})
	return itcTerms{loss: out[0].Sum(), i2t: out[1].Detach(), t2i: out[2].Detach()}
}

// answers are what is right for some queries of a batch of B.
type answers struct {
	i2t, t2i *torch.Tensor // [b, B], of images and of texts
	queue    *torch.Tensor // [b, Q]; nil: nothing
}

// rows are the answers of a part of the batch.
func (t together) rows(s *torch.Scope, p part) answers {
	return answers{i2t: p.rows(s, t.batch), t2i: p.rows(s, t.batch.T()), queue: p.rows(s, t.queue)}
}

// contrast is ITC of some queries [b, D] of a batch of B, or of all.
func (m *Model) contrast(q queries, with bank, right answers, distill torch.Share) itcTerms {
	b := with.images[0].Size(1)
	var i2tTargets, t2iTargets *torch.Tensor
	torch.NoGrad(func() {
		if right.queue == nil {
			right.queue = q.image.Scope().Zeros(m.device, q.image.Size(0), m.queue.size)
		}
		i2tTargets, t2iTargets = bankTargets(right.i2t, right.queue), bankTargets(right.t2i, right.queue)
		if distill.Value > 0 {
			i2tTargets = distill.Of(m.similarities(q.imageM, with.texts).Softmax(1)).Add(distill.Rest(i2tTargets))
			t2iTargets = distill.Of(m.similarities(q.textM, with.images).Softmax(1)).Add(distill.Rest(t2iTargets))
		}
	})
	i2t, t2i := m.similarities(q.image, with.texts), m.similarities(q.text, with.images) // [b, B+Q]
	loss := softCrossEntropy(i2t, i2tTargets).Add(softCrossEntropy(t2i, t2iTargets)).Scale(0.5)
	return itcTerms{loss: loss, i2t: i2t.Detach().Narrow(1, 0, b), t2i: t2i.Detach().Narrow(1, 0, b)}
}

// similarities are those of queries [B, D] to the parts [D, n] of a bank, over
// the temperature, side by side. They are float32 under autocast too: converting
// the queue takes longer than reading it.
func (m *Model) similarities(query *torch.Tensor, bank []*torch.Tensor) (out *torch.Tensor) {
	torch.FullPrecision(m.device, func() {
		sims := make([]*torch.Tensor, len(bank))
		for i, part := range bank {
			sims[i] = query.MatMul(part)
		}
		out = torch.Cat(1, sims...).Div(m.temp)
	})
	return out
}

// bankTargets spreads what is right, [b, B] of the batch and [b, Q] of the
// queue, over the bank, [b, B+Q]; a row sums to 1.
func bankTargets(batch, queue *torch.Tensor) *torch.Tensor {
	return spread(torch.Cat(1, batch, queue))
}

// spread divides what is right, zeros and ones, by how many there are in a row.
func spread(right *torch.Tensor) *torch.Tensor { return right.Div(right.SumDim(1, true)) }

// Align is ITC within the batch alone, without momentum model and queue: a start
// for the image's [CLS] and the text encoder, a scalar. embeds [B, P, C] are the
// image encoder's of the batch's images; of the batch are read IDs and Mask [B, T],
// and Same [B, B], or else each image's own text is right alone (ALBEF eq. 1).
func (m *Model) Align(embeds *torch.Tensor, b Batch) *torch.Tensor {
	image := m.ImageProj(embeds.Select(1, 0))
	text := m.TextProj(m.Text.Encode(b.IDs, b.Mask, m.config.Dropout).Select(1, 0))
	right := b.Same
	if right == nil {
		right = image.Scope().Eye(m.device, image.Size(0))
	}
	var sims *torch.Tensor
	torch.FullPrecision(m.device, func() { sims = image.MatMul(text.T()).Div(m.temp) })
	return softCrossEntropy(sims, spread(right)).Add(softCrossEntropy(sims.T(), spread(right.T()))).Scale(0.5)
}
