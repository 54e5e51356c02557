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

// itc is the image-text contrastive loss with momentum distillation: ALBEF
// eq. 1 and 6. Queries are the online features [B, D]; the bank is this
// batch's momentum features followed by the queue. same makes for several right
// answers.
func (m *Model) itc(image, text, imageM, textM *torch.Tensor, same together, distill torch.Share) itcTerms {
	b := image.Size(0)
	s := image.Scope()
	imageBank := append([]*torch.Tensor{imageM.T()}, m.queue.bank(s, m.queue.images, b)...)
	textBank := append([]*torch.Tensor{textM.T()}, m.queue.bank(s, m.queue.texts, b)...)
	var i2tTargets, t2iTargets *torch.Tensor
	torch.NoGrad(func() {
		if same.batch == nil {
			same.batch = s.Eye(m.device, b)
		}
		if same.queue == nil {
			same.queue = s.Zeros(m.device, b, m.queue.size)
		}
		i2tTargets, t2iTargets = bankTargets(same.batch, same.queue), bankTargets(same.batch.T(), same.queue)
		if distill.Value > 0 {
			i2tTargets = distill.Of(m.similarities(imageM, textBank).Softmax(1)).Add(distill.Rest(i2tTargets))
			t2iTargets = distill.Of(m.similarities(textM, imageBank).Softmax(1)).Add(distill.Rest(t2iTargets))
		}
	})
	i2t, t2i := m.similarities(image, textBank), m.similarities(text, imageBank) // [B, B+Q]
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

// bankTargets spreads what is right, [B, B] of the batch and [B, Q] of the
// queue, over the bank, [B, B+Q]; a row sums to 1.
func bankTargets(batch, queue *torch.Tensor) *torch.Tensor {
	right := torch.Cat(1, batch, queue)
	return right.Div(right.SumDim(1, true))
}
