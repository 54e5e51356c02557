package albef

import (
	"fmt"

	"vlab/albef/torch"
)

const (
	bertEps = 1e-12
	bertStd = 0.02 // initializer_range
	padding = 0    // word_embeddings' padding_idx
	// maskedOut is added to attention scores at padding, as xbert.py does.
	maskedOut = -10000.0
)

// TextModel is BERT cut in two: layers below Config.FusionLayer encode text
// alone ([TextModel.Encode]), those from there on also attend to the image
// ([TextModel.Fuse]); its MLM head reads either. Source: models/xbert.py.
type TextModel struct {
	words, positions, types *torch.Tensor // [V, C], [max, C], [2, C]
	embedNorm               torch.LayerNorm
	layers                  []textLayer
	textNorm, fusionNorm    *torch.LayerNorm // only with PreNorm
	mlm                     mlmHead          // zero in a model without MLM
	config                  Config
}

type textLayer struct {
	self  textAttention
	cross *textAttention // nil below the fusion layer
	dense linear         // intermediate
	out   linear
	norm  torch.LayerNorm
}

type textAttention struct {
	query, key, value linear
	out               linear
	norm              torch.LayerNorm
	heads             int
}

// newTextModel builds BERT with its MLM head under the prefix of the text
// encoder, such as "text_encoder.". The order is the official classes'.
func newTextModel(b builder, c Config) *TextModel {
	m := newBert(b.in("bert"), c)
	m.mlm = newMLMHead(b.in("cls.predictions"), c, m.words)
	return m
}

// newBert builds BERT alone, as the models that are finetuned have it: under
// "text_encoder." without "bert.".
func newBert(b builder, c Config) *TextModel {
	m := &TextModel{config: c}
	e := b.in("embeddings")
	ids := make([]int64, c.MaxPositions)
	for i := range ids {
		ids[i] = int64(i)
	}
	e.buffer("position_ids", int64s(ids, b.device, 1, c.MaxPositions))
	m.words = e.param("word_embeddings.weight", normal(bertStd), c.VocabSize, c.Hidden)
	m.positions = e.param("position_embeddings.weight", normal(bertStd), c.MaxPositions, c.Hidden)
	m.types = e.param("token_type_embeddings.weight", normal(bertStd), 2, c.Hidden)
	m.embedNorm = e.layerNorm("LayerNorm", c.Hidden, bertEps)
	for i := range c.Layers {
		m.layers = append(m.layers, newTextLayer(b.in(fmt.Sprintf("encoder.layer.%d", i)), c, i >= c.FusionLayer))
	}
	if c.Norms == PreNorm {
		text := b.layerNorm("encoder.text_norm", c.Hidden, bertEps)
		fusion := b.layerNorm("encoder.fusion_norm", c.Hidden, bertEps)
		m.textNorm, m.fusionNorm = &text, &fusion
	}
	return m
}

func newTextLayer(b builder, c Config, fusion bool) textLayer {
	l := textLayer{self: newTextAttention(b.in("attention"), c, c.Hidden)}
	if fusion {
		cross := newTextAttention(b.in("crossattention"), c, c.VisionWidth)
		l.cross = &cross
	}
	l.dense = b.linear("intermediate.dense", c.Hidden, c.Intermediate, normal(bertStd))
	l.out = b.linear("output.dense", c.Intermediate, c.Hidden, normal(bertStd))
	l.norm = b.layerNorm("output.LayerNorm", c.Hidden, bertEps)
	return l
}

func newTextAttention(b builder, c Config, keyWidth int) textAttention {
	return textAttention{
		heads: c.Heads,
		query: b.linear("self.query", c.Hidden, c.Hidden, normal(bertStd)),
		key:   b.linear("self.key", keyWidth, c.Hidden, normal(bertStd)),
		value: b.linear("self.value", keyWidth, c.Hidden, normal(bertStd)),
		out:   b.linear("output.dense", c.Hidden, c.Hidden, normal(bertStd)),
		norm:  b.layerNorm("output.LayerNorm", c.Hidden, bertEps),
	}
}

// KeyValues are what texts look at, images or questions, as keys and values
// projected for every fusion layer, [I, N, C] each: computed once, used by every
// text that meets them.
type KeyValues struct {
	keys, values []*torch.Tensor
	of           *torch.Tensor // [B] int64, what each text looks at; nil: as many texts, each its own
	mask         *torch.Tensor // added to the scores, [B, 1, 1, N]; nil: all N are seen, as of images
}

// Image projects embeds [I, P, C] for the fusion layers.
func (m *TextModel) Image(embeds *torch.Tensor) KeyValues {
	layers := m.layers[m.config.FusionLayer:]
	both := embeds.Scope().Segment(func(s *torch.Scope) []*torch.Tensor {
		embeds := m.seen(s.Use(embeds))
		both := make([]*torch.Tensor, 2*len(layers))
		for i, l := range layers {
			both[i], both[len(layers)+i] = l.cross.key.forward(embeds), l.cross.value.forward(embeds)
		}
		return both
	})
	return KeyValues{keys: both[:len(layers)], values: both[len(layers):]}
}

// seen is what keys are made of, in the type of matrix products.
func (m *TextModel) seen(embeds *torch.Tensor) *torch.Tensor {
	if m.config.CrossKeys == PatchKeys {
		embeds = embeds.Narrow(1, 1, embeds.Size(1)-1)
	}
	return embeds.Low()
}

// Len returns how many texts can look at it.
func (kv KeyValues) Len() int {
	if kv.of != nil {
		return kv.of.Size(0)
	}
	return kv.keys[0].Size(0)
}

// in returns aliases that belong to s.
func (kv KeyValues) in(s *torch.Scope) KeyValues { return kv.each(s.Use) }

// Pick returns what as many texts look at as index (int64) has entries, each at
// the image that its entry names. Nothing is copied.
func (kv KeyValues) Pick(index *torch.Tensor) KeyValues {
	if kv.mask != nil {
		kv.mask = kv.mask.IndexSelect(0, index)
	}
	if kv.of != nil {
		index = kv.of.IndexSelect(0, index)
	}
	kv.of = index
	return kv
}

// Repeat returns what n texts look at that all are about the same image.
func (kv KeyValues) Repeat(image, n int) KeyValues {
	index := make([]int64, n)
	for i := range index {
		index[i] = int64(image)
	}
	first := kv.keys[0]
	return kv.Pick(first.Scope().Ints(index, n).ToDevice(first.Meta().Device))
}

func (kv KeyValues) each(of func(x *torch.Tensor) *torch.Tensor) KeyValues {
	var out KeyValues
	for i := range kv.keys {
		out.keys, out.values = append(out.keys, of(kv.keys[i])), append(out.values, of(kv.values[i]))
	}
	if kv.of != nil {
		out.of = of(kv.of)
	}
	if kv.mask != nil {
		out.mask = of(kv.mask)
	}
	return out
}

// additive turns an attention mask [B, T] of ones and zeros into what is added
// to the scores, [B, 1, 1, T].
func additive(mask *torch.Tensor) *torch.Tensor {
	shape := mask.Shape()
	return mask.To(torch.Float32).Scale(-maskedOut).Shift(maskedOut).View(shape[0], 1, 1, shape[1])
}

// Encode runs the text encoder on ids [B, T] with mask [B, T] (1 for tokens, 0
// for padding) and returns embeds [B, T, C], float32.
func (m *TextModel) Encode(ids, mask *torch.Tensor, dropout float64) *torch.Tensor {
	scores := additive(mask)
	st := m.begin(m.embed(ids, dropout))
	for _, l := range m.layers[:m.config.FusionLayer] {
		st = torch.Advance(st, func(st [2]*torch.Tensor) [2]*torch.Tensor { return m.layer(l, st, scores, layerImage{}, dropout) })
	}
	return m.finish(m.textNorm, st, dropout)
}

// embed looks ids [B, T] up and adds their positions: [B, T, C].
func (m *TextModel) embed(ids *torch.Tensor, dropout float64) *torch.Tensor {
	return segment(ids.Scope(), func(s *torch.Scope) *torch.Tensor {
		x := s.Use(ids).Embedding(m.words, padding)
		x = x.Add(s.Use(m.positions).Narrow(0, 0, ids.Size(1)).Add(s.Use(m.types).Select(0, 0)))
		x, _ = m.embedNorm.After(x, nil, 0)
		return x.Dropout(dropout)
	})
}

// segment is [torch.Scope.Segment] of one result.
func segment(s *torch.Scope, run func(s *torch.Scope) *torch.Tensor) *torch.Tensor {
	return s.Segment(func(s *torch.Scope) []*torch.Tensor { return []*torch.Tensor{run(s)} })[0]
}

// FuseMap is Fuse that also returns the cross-attention probabilities of one
// layer (counted from 0 over all layers, as the official block_num is),
// [B, H, T, N], as a part of the graph.
func (m *TextModel) FuseMap(embeds, mask *torch.Tensor, image KeyValues, layer int) (hidden, attention *torch.Tensor) {
	st, scores := m.begin(embeds), additive(mask)
	for i, l := range m.layers[m.config.FusionLayer:] {
		in := image.layer(i)
		if i+m.config.FusionLayer == layer {
			in.read = &attention
		}
		st = m.layer(l, st, scores, in, 0)
	}
	return m.finish(m.fusionNorm, st, 0), attention
}

// layerImage is what one fusion layer sees of the images; read, where set,
// takes the attention map. query is what it is asked with, nil where that is still
// to be projected.
type layerImage struct {
	k, v, of, mask, query *torch.Tensor
	read                  **torch.Tensor
}

func (kv KeyValues) layer(i int) layerImage {
	return layerImage{k: kv.keys[i], v: kv.values[i], of: kv.of, mask: kv.mask}
}

// begin makes embeds the state of a stream: as in BERT the sum so far and the
// same for matrix products, with pre-norm the sum so far and what is still to be
// added to it.
func (m *TextModel) begin(embeds *torch.Tensor) [2]*torch.Tensor {
	embeds = embeds.Scope().Use(embeds) // the state is freed as it advances
	if m.config.Norms == PreNorm {
		return [2]*torch.Tensor{embeds}
	}
	return [2]*torch.Tensor{embeds, embeds.Low()}
}

// finish is what comes of a stream; norm is only there with pre-norm.
func (m *TextModel) finish(norm *torch.LayerNorm, st [2]*torch.Tensor, dropout float64) *torch.Tensor {
	if norm == nil {
		return st[0]
	}
	return segment(st[0].Scope(), func(s *torch.Scope) *torch.Tensor {
		full, _ := norm.After(s.Use(st[0]), st[1], dropout)
		return full
	})
}

func (m *TextModel) layer(l textLayer, st [2]*torch.Tensor, scores *torch.Tensor, image layerImage, dropout float64) [2]*torch.Tensor {
	return m.meet(l, m.selfAttend(l, st, scores, dropout, nil), image, dropout)
}

// selfAttend is a layer's self-attention. Of the places alone there are results,
// of all tokens keys and values.
func (m *TextModel) selfAttend(l textLayer, st [2]*torch.Tensor, scores *torch.Tensor, dropout float64, at *places) [2]*torch.Tensor {
	var of *torch.Tensor
	if at != nil {
		of, scores = at.of, scores.IndexSelect(0, at.of)
	}
	return m.residual(l.self.norm, st, dropout, at, func(h *torch.Tensor) *torch.Tensor {
		q, k, v := l.self.query.forward(at.pick(h)), l.self.key.forward(h), l.self.value.forward(h)
		return l.self.out.forward(q.Attend(torch.Attention{K: k, V: v, Of: of, Mask: scores, Heads: l.self.heads, Dropout: dropout}))
	})
}

// meet is a layer behind its self-attention: cross-attention, where there is an
// image, and the MLP.
func (m *TextModel) meet(l textLayer, st [2]*torch.Tensor, image layerImage, dropout float64) [2]*torch.Tensor {
	if image.k != nil {
		st = m.residual(l.cross.norm, st, dropout, nil, func(h *torch.Tensor) *torch.Tensor {
			return l.cross.out.forward(l.cross.look(h, image, dropout))
		})
	}
	return m.residual(l.norm, st, dropout, nil, func(h *torch.Tensor) *torch.Tensor {
		return l.out.forward(l.dense.forward(h).Gelu())
	})
}

// look is cross-attention of texts h [B, T, C]: [B, T, C].
func (a textAttention) look(h *torch.Tensor, image layerImage, dropout float64) *torch.Tensor {
	q := image.query
	if q == nil {
		q = a.query.forward(h)
	}
	if image.read == nil {
		return q.Attend(torch.Attention{K: image.k, V: image.v, Of: image.of, Mask: image.mask, Heads: a.heads, Dropout: dropout})
	}
	k, v := image.k, image.v
	if image.of != nil {
		k, v = k.IndexSelect(0, image.of), v.IndexSelect(0, image.of)
	}
	*image.read = attentionMap(splitHeads(q, a.heads), splitHeads(k, a.heads), image.mask)
	return joinHeads((*image.read).MatMul(splitHeads(v, a.heads)))
}

// residual adds part of the stream, with dropout, to the stream: the norm comes
// after the sum as in BERT, or before the part. part makes something of the
// places alone, and they alone go on.
func (m *TextModel) residual(norm torch.LayerNorm, st [2]*torch.Tensor, dropout float64, at *places,
	part func(*torch.Tensor) *torch.Tensor,
) [2]*torch.Tensor {
	if m.config.Norms == PreNorm {
		sum, low := norm.Before(st[0], st[1], dropout)
		return [2]*torch.Tensor{at.pick(sum), part(low)}
	}
	full, low := norm.After(at.pick(st[0]), part(st[1]), dropout)
	return [2]*torch.Tensor{full, low}
}
