package albef

import "vlab/albef/torch"

// itcTerms is what ITC leaves behind for the hard negatives.
type itcTerms struct {
	loss     *torch.Tensor
	i2t, t2i *torch.Tensor // similarities of the batch, [B, B], over the temperature
}

// itc is the image-text contrastive loss with momentum distillation: ALBEF
// eq. 1 and 6. Queries are the online features [B, D]; the bank is this
// batch's momentum features followed by the queue. same, [B images, B texts] of 0
// and 1, says which texts of the batch are true of which images; nil means its
// own alone.
func (m *Model) itc(image, text, imageM, textM, same *torch.Tensor, distill float64) itcTerms {
	b := image.Size(0)
	s := image.Scope()
	imageBank := torch.Cat(1, imageM.T(), s.Use(m.queue.images)) // [D, B+Q]
	textBank := torch.Cat(1, textM.T(), s.Use(m.queue.texts))
	var i2tTargets, t2iTargets *torch.Tensor
	torch.NoGrad(func() {
		if same == nil {
			same = s.Floats(identity(b), b, b).ToDevice(m.device)
		}
		i2tTargets, t2iTargets = m.bankTargets(s, same), m.bankTargets(s, same.T())
		if distill > 0 {
			temp := s.Use(m.temp)
			i2tTargets = imageM.MatMul(textBank).Div(temp).Softmax(1).Scale(distill).Add(i2tTargets.Scale(1 - distill))
			t2iTargets = textM.MatMul(imageBank).Div(temp).Softmax(1).Scale(distill).Add(t2iTargets.Scale(1 - distill))
		}
	})
	i2t := image.MatMul(textBank).Div(m.temp) // [B, B+Q]
	t2i := text.MatMul(imageBank).Div(m.temp)
	loss := softCrossEntropy(i2t, i2tTargets).Add(softCrossEntropy(t2i, t2iTargets)).Scale(0.5)
	return itcTerms{loss: loss, i2t: i2t.Detach().Narrow(1, 0, b), t2i: t2i.Detach().Narrow(1, 0, b)}
}

// bankTargets makes every row of same [B, B] sum to 1 and spreads it over the
// whole bank, [B, B+Q].
func (m *Model) bankTargets(s *torch.Scope, same *torch.Tensor) *torch.Tensor {
	return torch.Cat(1, same.Div(same.SumDim(1, true)), s.Zeros(m.device, same.Size(0), m.queue.size))
}

func identity(n int) []float32 {
	out := make([]float32, n*n)
	for i := range n {
		out[i*n+i] = 1
	}
	return out
}
