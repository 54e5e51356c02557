package albef

import (
	"fmt"

	"vlab/albef/torch"
)

// Cells label the patches of a batch of images, once for every entry of
// Config.CellLabels: int64 [B·(P-1)] each, [ignored] (-100) where a patch has
// no label.
type Cells struct{ Labels []*torch.Tensor }

// buildCells makes a linear head for every entry of Config.CellLabels.
func (m *Model) buildCells(b builder) {
	for i, n := range m.config.CellLabels {
		m.cells = append(m.cells, b.linear(fmt.Sprintf("cell_head.%d", i), m.config.VisionWidth, n, fanIn(m.config.VisionWidth)))
	}
}

// CellLogits classifies every patch of embeds [B, P, C] with each head:
// [B·(P-1), n].
func (m *Model) CellLogits(embeds *torch.Tensor) []*torch.Tensor {
	shape := embeds.Shape()
	patches := embeds.Narrow(1, 1, shape[1]-1).View(-1, shape[2])
	out := make([]*torch.Tensor, len(m.cells))
	for i, head := range m.cells {
		out[i] = head.forward(patches).To(torch.Float32)
	}
	return out
}

// CellLoss is the mean cross-entropy of all heads over the labelled patches: a
// supervised start for the image encoder where nothing pretrained can be had,
// in place of the official model's DeiT weights.
func (m *Model) CellLoss(embeds *torch.Tensor, cells Cells) *torch.Tensor {
	var sum *torch.Tensor
	for i, logits := range m.CellLogits(embeds) {
		loss := logits.CrossEntropy(cells.Labels[i], ignored)
		if sum == nil {
			sum = loss
		} else {
			sum = sum.Add(loss)
		}
	}
	return sum.Scale(1 / float64(len(m.cells)))
}
