package albef

import (
	"math"

	"vlab/albef/torch"
)

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

// Entered are texts that have begun the fusion encoder, as far as they get
// without an image: a text that meets many is entered once. Both are [B, T, C].
type Entered struct {
	State *torch.Tensor // behind the first fusion layer's self-attention, float32
	Query *torch.Tensor // what that layer asks images with, in the type of matrix products
}

// Enter runs the fusion encoder up to where it needs an image, for
// [TextModel.FuseEntered].
func (m *TextModel) Enter(embeds, mask *torch.Tensor) Entered {
	l := m.layers[m.config.FusionLayer]
	st := m.selfAttend(l, m.begin(embeds), additive(mask), 0, nil)
	if m.config.Norms == PreNorm {
		sum, low := l.cross.norm.Before(st[0], st[1], 0)
		return Entered{sum, l.cross.query.forward(low)}
	}
	return Entered{st[0], l.cross.query.forward(st[1])}
}

// FuseEntered is [TextModel.FuseAt] of texts that [TextModel.Enter] has begun,
// without dropout.
func (m *TextModel) FuseEntered(rows *torch.Tensor, e Entered, mask *torch.Tensor, image KeyValues) *torch.Tensor {
	at := newPlaces(rows, e.State.Size(1))
	return joinRows(m.fuse(fusing{st: m.begin(e.State), scores: additive(mask), image: image, at: at, query: e.Query}))
}

// FirstTokens are the rows of [TextModel.FuseAt] that hold the texts' first
// tokens, [CLS], for n texts of length tokens in s on dev.
func FirstTokens(s *torch.Scope, n, length int, dev torch.Device) *torch.Tensor {
	return s.Arange(dev, 0, n*length, length)
}

// fusing is one pass through the fusion encoder.
type fusing struct {
	st      [2]*torch.Tensor
	scores  *torch.Tensor // added to those of self-attention
	image   KeyValues
	dropout float64
	at      *places       // nil: all
	query   *torch.Tensor // what the first layer asks images with, where its self-attention is done; else nil
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
			switch {
			case i == 0 && f.query != nil:
				st, image.query = at.pickBoth(st), f.query
			case at != nil && f.query != nil:
				st = m.askSelf(l, st, f.scores, at)
			default:
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
	image.query = p.pick(image.query)
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

// askSelf is a layer's self-attention for some places, without dropout, and
// without making keys and values of the texts' tokens h: as
//
//	q·(K h + k) = (Kᵀ q)·h + q·k    and    Σ p (V h + v) = V (Σ p h) + v
//
// with shares p that sum to 1, and q·k the same for all tokens, a query asks the
// tokens themselves, head by head.
func (m *TextModel) askSelf(l textLayer, st [2]*torch.Tensor, scores *torch.Tensor, at *places) [2]*torch.Tensor {
	a, scores := l.self, scores.IndexSelect(0, at.of)
	return m.residual(a.norm, st, 0, at, func(h *torch.Tensor) *torch.Tensor {
		s, n, width := h.Scope(), at.rows.Size(0), h.Size(2)
		byHead := func(weight *torch.Tensor) *torch.Tensor {
			return s.Use(weight).Low().View(a.heads, width/a.heads, width)
		}
		q := a.query.forward(at.pick(h)).View(n, a.heads, width/a.heads).Transpose(0, 1)
		q = q.MatMul(byHead(a.key.weight)).Scale(math.Sqrt(float64(a.heads))).Transpose(0, 1) // [R, H, C]: heads as wide as the layer
		seen := q.Attend(torch.Attention{K: h, V: h, Of: at.of, Mask: scores, Heads: 1})
		context := seen.Transpose(0, 1).MatMul(byHead(a.value.weight).Transpose(1, 2))
		return a.out.forward(context.Transpose(0, 1).View(n, 1, width).Add(s.Use(a.value.bias).Low()))
	})
}

// joinRows turns [R, 1, C] into [R, C].
func joinRows(x *torch.Tensor) *torch.Tensor { return x.Select(1, 0) }
