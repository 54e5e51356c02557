package albef

import "vlab/albef/torch"

// negatives are what hardNegatives drew.
type negatives struct {
	images, texts *torch.Tensor // [B] int64: an image against each text, a text against each image
	labels        *torch.Tensor // [2B] int64: 0, or ignored where there was none to draw
}

// rows are what was drawn for a part of the batch.
func (d negatives) rows(s *torch.Scope, p part) negatives {
	n := d.images.Size(0)
	labels := s.Use(d.labels)
	return negatives{
		images: p.rows(s, d.images), texts: p.rows(s, d.texts),
		labels: torch.Cat(0, p.rows(s, labels.Narrow(0, 0, n)), p.rows(s, labels.Narrow(0, n, n))),
	}
}

// asked returns how many labels count, of the pairs that match too: a scalar.
func (d negatives) asked() *torch.Tensor {
	return d.labels.Ne(ignored).To(torch.Float32).Sum().Shift(float64(d.images.Size(0)))
}

// hardNegatives draws, for every text, an image that it doesn't belong to and,
// for every image, such a text, the likelier the more similar they look. same
// is where a text is true of an image, [B images, B texts]; nil means the
// diagonal. Nothing waits for the device, but with quirks. Source:
// model_pretrain.py:142.
func (m *Model) hardNegatives(terms itcTerms, same *torch.Tensor) (out negatives) {
	torch.NoGrad(func() {
		if same == nil {
			same = terms.i2t.Scope().Eye(m.device, terms.i2t.Size(0))
		}
		draw := func(sims, together *torch.Tensor) (drawn, label *torch.Tensor) {
			weights := sims.Softmax(1).MaskedFill(together.Gt(0), 0)
			none := weights.SumDim(1, true).Eq(0) // all belong together, or all others are too unlike for float32
			drawn = m.drawOne(weights).View(-1)
			return drawn, none.To(torch.Int64).View(-1).Scale(ignored)
		}
		var imageLabels, textLabels *torch.Tensor
		out.images, imageLabels = draw(terms.t2i, same.T())
		out.texts, textLabels = draw(terms.i2t, same)
		out.labels = torch.Cat(0, imageLabels, textLabels).To(torch.Int64)
	})
	return out
}

// drawOne draws a column of each row of weights [B, B]: [B, 1] int64. With quirks
// a row that has none is an error, as officially.
func (m *Model) drawOne(weights *torch.Tensor) *torch.Tensor {
	switch {
	case m.draw != nil:
		return m.draw(weights)
	case m.quirks:
		return weights.Multinomial(1)
	}
	return weights.Draw(1)
}

// matchLoss is ITM on the fused states [3B, C] of the first tokens: B pairs that
// match, then those drawn.
func (m *Model) matchLoss(first *torch.Tensor, drawn negatives) *torch.Tensor {
	n := drawn.labels.Size(0) / 2
	labels := torch.Cat(0, torch.Full(first.Scope(), 1, torch.Int64, m.device, n), drawn.labels) // 1 is a match
	return m.itmHead.forward(first.Low()).To(torch.Float32).CrossEntropy(labels, ignored)
}

// Match returns the ITM logits [B, 2] for fused hidden states [B, T, C]:
// entry 1 speaks for a match.
func (m *Model) Match(hidden *torch.Tensor) *torch.Tensor {
	return m.itmHead.forward(hidden.Select(1, 0))
}

// MatchTexts returns the ITM logits [B, 2] of texts, embeds [B, T, C] of the text
// encoder, with what they look at.
func (m *Model) MatchTexts(embeds, mask *torch.Tensor, image KeyValues, dropout float64) *torch.Tensor {
	shape := embeds.Shape()
	first := FirstTokens(embeds.Scope(), shape[0], shape[1], m.device)
	return m.itmHead.forward(m.Text.FuseAt(first, embeds, mask, image, dropout))
}

// MatchEntered is [Model.MatchTexts] of texts that [TextModel.Enter] has begun,
// without dropout.
func (m *Model) MatchEntered(e Entered, mask *torch.Tensor, image KeyValues) *torch.Tensor {
	shape := e.State.Shape()
	first := FirstTokens(e.State.Scope(), shape[0], shape[1], m.device)
	return m.itmHead.forward(m.Text.FuseEntered(first, e, mask, image))
}
