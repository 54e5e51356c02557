package albef

import (
	"slices"

	"vlab/albef/torch"
)

// Weighed returns b with the distillation weight on its device too, in s.
func (b Batch) Weighed(s *torch.Scope, distill float64) Batch {
	b.Distill = s.Shares(b.Images.Meta().Device, distill)
	return b
}

// Tensors lists what b holds, always in the same order, nil for what it lacks.
func (b Batch) Tensors() []*torch.Tensor {
	places := b.places()
	out := make([]*torch.Tensor, len(places))
	for i, at := range places {
		out[i] = *at
	}
	return out
}

// With returns b with other tensors in the places that [Batch.Tensors] lists.
func (b Batch) With(tensors []*torch.Tensor) Batch {
	if b.Claims != nil {
		claims := *b.Claims
		b.Claims = &claims
	}
	if b.Cells != nil {
		b.Cells = &Cells{Labels: slices.Clone(b.Cells.Labels)}
	}
	for i, at := range b.places() {
		*at = tensors[i]
	}
	return b
}

func (b *Batch) places() []**torch.Tensor {
	claims, cells := b.Claims, b.Cells
	if claims == nil {
		claims = &Claims{}
	}
	if cells == nil {
		cells = &Cells{}
	}
	labels := make([]**torch.Tensor, len(cells.Labels))
	for i := range labels {
		labels[i] = &cells.Labels[i]
	}
	return append([]**torch.Tensor{
		&b.Images, &b.IDs, &b.Mask, &b.MaskedIDs, &b.Positions, &b.Words, &b.Same, &b.Distill,
		&claims.IDs, &claims.Mask, &claims.Image, &claims.Holds,
	}, labels...)
}
