package albef

import "vlab/albef/torch"

// Fuse runs the fusion encoder on text embeds [B, T, C] with the images' keys
// and values and returns hidden states [B, T, C], float32.
func (m *TextModel) Fuse(embeds, mask *torch.Tensor, image KeyValues, dropout float64) *torch.Tensor {
	return m.fuse(fusing{st: m.begin(embeds), scores: additive(mask), image: image, dropout: dropout})
}

// FuseAt is Fuse for those who read some hidden states only: rows [R] (int64)
// are indices into B·T. The last layer computes those alone, from the keys and
// values of all tokens. The result is [R, C], float32.
func (m *TextModel) FuseAt(rows, embeds, mask *torch.Tensor, image KeyValues, dropout float64) *torch.Tensor {
	at := newPlaces(rows, embeds.Size(1))
	return joinRows(m.fuse(fusing{st: m.begin(embeds), scores: additive(mask), image: image, dropout: dropout, at: at}))
}

// Enter runs the self-attention of the first fusion layer, which sees no image:
// a text that meets many is entered once. The result [B, T, C], float32, goes to
// [TextModel.FuseEntered].
func (m *TextModel) Enter(embeds, mask *torch.Tensor) *torch.Tensor {
	st := m.selfAttend(m.layers[m.config.FusionLayer], m.begin(embeds), additive(mask), 0, nil)
	if m.config.Norms == PreNorm {
		return st[0].Add(st[1])
	}
	return st[0]
}

// FuseEntered is [TextModel.FuseAt] of texts that [TextModel.Enter] has begun,
// without dropout.
func (m *TextModel) FuseEntered(rows, entered, mask *torch.Tensor, image KeyValues) *torch.Tensor {
	at := newPlaces(rows, entered.Size(1))
	return joinRows(m.fuse(fusing{st: m.begin(entered), scores: additive(mask), image: image, at: at, entered: true}))
}

// FirstTokens are the rows of [TextModel.FuseAt] that hold the texts' first
// tokens, [CLS], for n texts of length tokens in s on dev.
func FirstTokens(s *torch.Scope, n, length int, dev torch.Device) *torch.Tensor {
	rows := make([]int64, n)
	for i := range rows {
		rows[i] = int64(i * length)
	}
	return s.Ints(rows, n).ToDevice(dev)
}

// fusing is one pass through the fusion encoder.
type fusing struct {
	st      [2]*torch.Tensor
	scores  *torch.Tensor // added to those of self-attention
	image   KeyValues
	dropout float64
	at      *places // nil: all
	entered bool    // the first layer's self-attention is done
}

func (m *TextModel) fuse(f fusing) *torch.Tensor {
	layers := m.layers[m.config.FusionLayer:]
	st := f.st
	for i, l := range layers {
		st = torch.Advance(st, func(st [2]*torch.Tensor) [2]*torch.Tensor {
			image, at := f.image.layer(i), (*places)(nil)
			if i == len(layers)-1 {
				at = f.at
			}
			if i == 0 && f.entered {
				st = at.pickBoth(st)
			} else {
				st = m.selfAttend(l, st, f.scores, f.dropout, at)
			}
			return m.meet(l, st, at.see(image), f.dropout)
		})
	}
	return m.finish(m.fusionNorm, st, f.dropout)
}

// places are some rows of B texts of T tokens; nil ones are all.
type places struct {
	rows *torch.Tensor // [R] int64, indices into B·T
	of   *torch.Tensor // [R] int64, the text of each
}

func newPlaces(rows *torch.Tensor, length int) *places {
	return &places{rows: rows, of: rows.FloorDivide(length)}
}

// pick takes the rows of x [B, T, C] as texts of one token, [R, 1, C].
func (p *places) pick(x *torch.Tensor) *torch.Tensor {
	if p == nil || x == nil {
		return x
	}
	shape := x.Shape()
	return x.View(shape[0]*shape[1], shape[2]).IndexSelect(0, p.rows).View(-1, 1, shape[2])
}

func (p *places) pickBoth(st [2]*torch.Tensor) [2]*torch.Tensor {
	return [2]*torch.Tensor{p.pick(st[0]), p.pick(st[1])}
}

// see is what the picked rows see of the images of their texts.
func (p *places) see(image layerImage) layerImage {
	if p == nil || image.k == nil {
		return image
	}
	if image.mask != nil {
		image.mask = image.mask.IndexSelect(0, p.of)
	}
	if image.of != nil {
		image.of = image.of.IndexSelect(0, p.of)
	} else {
		image.of = p.of
	}
	return image
}

// joinRows turns [R, 1, C] into [R, C].
func joinRows(x *torch.Tensor) *torch.Tensor { return x.Select(1, 0) }
