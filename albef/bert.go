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
	embedNorm               layerNorm
	layers                  []textLayer
	textNorm, fusionNorm    *layerNorm // only with PreNorm
	mlm                     mlmHead    // zero in a model without MLM
	config                  Config
}

type textLayer struct {
	self  textAttention
	cross *textAttention // nil below the fusion layer
	dense linear         // intermediate
	out   linear
	norm  layerNorm
}

type textAttention struct {
	query, key, value linear
	out               linear
	norm              layerNorm
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

// KeyValues are what a text looks at, an image or a question, as keys and
// values projected for every fusion layer, [B, H, N, d] each: computed once,
// used by every text that meets it.
type KeyValues struct {
	keys, values []*torch.Tensor
	mask         *torch.Tensor // added to the scores, [B, 1, 1, N]; nil: all N are seen, as of images
}

// Image projects embeds [B, P, C] for the fusion layers.
func (m *TextModel) Image(embeds *torch.Tensor) KeyValues {
	if m.config.CrossKeys == PatchKeys {
		embeds = embeds.Narrow(1, 1, embeds.Size(1)-1)
	}
	var kv KeyValues
	for _, l := range m.layers[m.config.FusionLayer:] {
		kv.keys = append(kv.keys, splitHeads(l.cross.key.forward(embeds), l.cross.heads))
		kv.values = append(kv.values, splitHeads(l.cross.value.forward(embeds), l.cross.heads))
	}
	return kv
}

// Len returns how many images or questions there are.
func (kv KeyValues) Len() int { return kv.keys[0].Size(0) }

// in returns aliases that belong to s.
func (kv KeyValues) in(s *torch.Scope) KeyValues { return kv.each(s.Use) }

// Pick returns the keys and values of the images that index (int64) names.
func (kv KeyValues) Pick(index *torch.Tensor) KeyValues {
	return kv.each(func(x *torch.Tensor) *torch.Tensor { return x.IndexSelect(0, index) })
}

// Repeat returns the keys and values of one image for n texts, without copying
// them.
func (kv KeyValues) Repeat(image, n int) KeyValues {
	return kv.each(func(x *torch.Tensor) *torch.Tensor {
		return x.Narrow(0, image, 1).Expand(n, x.Size(1), x.Size(2), x.Size(3))
	})
}

func (kv KeyValues) each(of func(x *torch.Tensor) *torch.Tensor) KeyValues {
	var out KeyValues
	for i := range kv.keys {
		out.keys, out.values = append(out.keys, of(kv.keys[i])), append(out.values, of(kv.values[i]))
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
// for padding) and returns embeds [B, T, C].
func (m *TextModel) Encode(ids, mask *torch.Tensor, dropout float64) *torch.Tensor {
	x, scores := m.embed(ids, dropout), additive(mask)
	for _, l := range m.layers[:m.config.FusionLayer] {
		x = m.layer(l, x, scores, layerImage{}, dropout)
	}
	if m.textNorm != nil {
		x = m.textNorm.forward(x)
	}
	return x
}

// embed looks ids [B, T] up and adds their positions: [B, T, C].
func (m *TextModel) embed(ids *torch.Tensor, dropout float64) *torch.Tensor {
	s := ids.Scope()
	x := ids.Embedding(m.words, padding)
	x = x.Add(s.Use(m.positions).Narrow(0, 0, ids.Size(1))).Add(s.Use(m.types).Select(0, 0))
	return m.embedNorm.forward(x).Dropout(dropout)
}

// Fuse runs the fusion encoder on text embeds [B, T, C] with the images' keys
// and values and returns hidden states [B, T, C].
func (m *TextModel) Fuse(embeds, mask *torch.Tensor, image KeyValues, dropout float64) *torch.Tensor {
	x, _ := m.fuse(embeds, additive(mask), image, dropout, -1)
	return x
}

// FuseMap is Fuse that also returns the cross-attention probabilities of one
// layer (counted from 0 over all layers, as the official block_num is),
// [B, H, T, N], as a part of the graph.
func (m *TextModel) FuseMap(embeds, mask *torch.Tensor, image KeyValues, layer int) (hidden, attention *torch.Tensor) {
	return m.fuse(embeds, additive(mask), image, 0, layer)
}

// fuse is [TextModel.Fuse] with what is added to the scores of self-attention
// in the place of the mask; read is the layer whose map is wanted, or -1.
func (m *TextModel) fuse(x, scores *torch.Tensor, image KeyValues, dropout float64, read int) (hidden, attention *torch.Tensor) {
	for i, l := range m.layers[m.config.FusionLayer:] {
		in := layerImage{k: image.keys[i], v: image.values[i], mask: image.mask}
		if i+m.config.FusionLayer == read {
			in.read = &attention
		}
		x = m.layer(l, x, scores, in, dropout)
	}
	if m.fusionNorm != nil {
		x = m.fusionNorm.forward(x)
	}
	return x, attention
}

// layerImage is what one fusion layer sees of the image; read, where set,
// takes the attention map.
type layerImage struct {
	k, v, mask *torch.Tensor
	read       **torch.Tensor
}

func (m *TextModel) layer(l textLayer, x, scores *torch.Tensor, image layerImage, dropout float64) *torch.Tensor {
	x = m.residual(l.self.norm, x, func(h *torch.Tensor) *torch.Tensor {
		q, k, v := l.self.project(h)
		return l.self.out.forward(joinHeads(q.Attention(k, v, scores, dropout))).Dropout(dropout)
	})
	if image.k != nil {
		x = m.residual(l.cross.norm, x, func(h *torch.Tensor) *torch.Tensor {
			q := splitHeads(l.cross.query.forward(h), l.cross.heads)
			var context *torch.Tensor
			if image.read != nil {
				*image.read = attentionMap(q, image.k, image.mask)
				context = (*image.read).MatMul(image.v)
			} else {
				context = q.Attention(image.k, image.v, image.mask, dropout)
			}
			return l.cross.out.forward(joinHeads(context)).Dropout(dropout)
		})
	}
	return m.residual(l.norm, x, func(h *torch.Tensor) *torch.Tensor {
		return l.out.forward(l.dense.forward(h).Gelu()).Dropout(dropout)
	})
}

// residual adds part(x) to x, with the norm after the sum as in BERT or before
// the part.
func (m *TextModel) residual(norm layerNorm, x *torch.Tensor, part func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	if m.config.Norms == PreNorm {
		return x.Add(part(norm.forward(x)))
	}
	return norm.forward(x.Add(part(x)))
}

func (a textAttention) project(x *torch.Tensor) (q, k, v *torch.Tensor) {
	return splitHeads(a.query.forward(x), a.heads), splitHeads(a.key.forward(x), a.heads), splitHeads(a.value.forward(x), a.heads)
}
