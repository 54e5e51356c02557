package albef

import (
	"fmt"
	"strconv"
	"strings"

	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// NLVRClasses are the classes of NLVR2 in the order of the logits.
var NLVRClasses = [...]string{"False", "True"}

// NLVR tells whether a sentence is true of a pair of images. Its Config counts
// all layers of its text encoder, see [Config.ForPairs]. It owns its
// parameters: Close frees them. Source: models/model_nlvr.py.
type NLVR struct{ Classifier }

// NewNLVR makes a model with fresh weights drawn from seed, on dev; c is of
// [Config.ForPairs]. The caller closes it.
func NewNLVR(c Config, dev torch.Device, seed int64) (*NLVR, error) {
	if err := c.checkPairs(); err != nil {
		return nil, err
	}
	m := &NLVR{}
	if err := m.build(c, dev, seed, classifierKind{newPairBert, (*TextModel).ImagePairs, len(NLVRClasses)}); err != nil {
		return nil, err
	}
	return m, nil
}

// KeepTeacher says that LoadState leaves the momentum model alone where a file
// has none of it, rather than to copy the online one. The official NLVR.py
// copies the momentum model before it loads the checkpoint, so that its teacher
// knows nothing of the pretraining; this is how to do the same.
func (m *NLVR) KeepTeacher(on bool) { m.keepTeacher = on }

// ForPairs returns the sizes of the model for pairs of images that begins with
// a pretrained one of sizes c: each fusion layer twice, one for each image.
func (c Config) ForPairs() Config {
	c.Layers = c.FusionLayer + 2*(c.Layers-c.FusionLayer)
	return c
}

func (c Config) checkPairs() error {
	if n := c.Layers - c.FusionLayer; n%2 != 0 {
		return &hintError{
			fmt.Errorf("model config: %d fusion layers, a model for pairs of images has an even number", n),
			"num_hidden_layers counts one layer for each of the two images",
		}
	}
	return nil
}

// newPairBert builds BERT for pairs of images: of two fusion layers that follow
// each other the first looks at one image, the second at the other, with the
// same projections to keys and values. Checkpoints hold those under both names.
// Source: model_nlvr.py share_cross_attention.
func newPairBert(b builder, c Config) *TextModel {
	m := newBert(b, c)
	for i := c.FusionLayer; i < c.Layers; i += 2 {
		first, second := m.layers[i].cross, m.layers[i+1].cross
		b.tie(second.key, first.key)
		b.tie(second.value, first.value)
		second.key, second.value = first.key, first.value
	}
	return m
}

// tie makes the names of one layer other names of another's parameters.
func (b builder) tie(l, to linear) {
	for i := range *b.params {
		p := &(*b.params)[i]
		for _, pair := range [][2]*torch.Tensor{{l.weight, to.weight}, {l.bias, to.bias}} {
			if p.Tensor == pair[0] {
				p.Tensor, p.Tied = pair[1], true
				pair[0].Close()
			}
		}
	}
}

// ImagePairs projects embeds [2B, P, C], the first image of every sentence and
// then the second of every one, for the fusion layers of a model for pairs.
func (m *TextModel) ImagePairs(embeds *torch.Tensor) KeyValues {
	n := embeds.Size(0) / 2
	return m.pairs(embeds, func(x *torch.Tensor) (first, second *torch.Tensor) {
		return x.Narrow(0, 0, n), x.Narrow(0, n, n)
	})
}

// pairs projects embeds once for each two fusion layers; split tells what the
// first and what the second of them looks at.
func (m *TextModel) pairs(embeds *torch.Tensor, split func(x *torch.Tensor) (first, second *torch.Tensor)) KeyValues {
	embeds = m.seen(embeds)
	var kv KeyValues
	for i := m.config.FusionLayer; i < m.config.Layers; i += 2 {
		cross := m.layers[i].cross
		key0, key1 := split(cross.key.forward(embeds))
		value0, value1 := split(cross.value.forward(embeds))
		kv.keys, kv.values = append(kv.keys, key0, key1), append(kv.values, value0, value1)
	}
	return kv
}

// PairState turns the weights of a pretraining checkpoint whose text encoder
// fuses from layer fusion on into those of a model for pairs: layer N of the
// fusion encoder becomes two. Weights that are of such a model already come
// back as they are. Source: Pretrain_nlvr.py:113.
func PairState(state *weights.Dict, fusion int) (*weights.Dict, error) {
	if IsPairState(state) {
		return state, nil
	}
	out := weights.NewDict()
	for name, t := range state.All() {
		name = strings.Replace(name, "bert.", "", 1)
		before, rest, ok := strings.Cut(name, ".encoder.layer.")
		if !ok {
			out.Set(name, t)
			continue
		}
		number, rest, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: layer %q is no number", name, number)
		}
		if n < fusion {
			out.Set(name, t)
			continue
		}
		for i := range 2 {
			out.Set(fmt.Sprintf("%s.encoder.layer.%d.%s", before, fusion+2*(n-fusion)+i, rest), t)
		}
	}
	return out, nil
}

// IsPairState reports whether weights are of a model for pairs of images: of
// text-assignment pretraining or of NLVR2.
func IsPairState(state *weights.Dict) bool {
	return IsTAState(state) || ClassesOf(state) == len(NLVRClasses)
}

// IsTAState reports whether weights are of text-assignment pretraining.
func IsTAState(state *weights.Dict) bool {
	_, t := LookUp(state, "ta_head.weight")
	return t != nil
}

// TA is the model of text assignment, the pretraining for pairs of images:
// which of two images is a caption about, or neither? It owns its parameters:
// Close frees them. Source: models/model_pretrain_nlvr.py.
type TA struct {
	Image *ImageEncoder
	Text  *TextModel
	Module

	imageProj linear
	head      linear
	draw      func(weights *torch.Tensor) *torch.Tensor
}

// The classes of text assignment: which image the caption is about.
const (
	TAFirst   = iota // of the pair's images the first
	TASecond         // the second
	TANeither        // none of them
	taClasses
)

// taTemperature divides the similarities by which images are drawn; it isn't
// the model's learned one (model_pretrain_nlvr.py:47).
const taTemperature = 0.07

// minTA is the least batch that has two other images to draw.
const minTA = 3

// NewTA makes a model with fresh weights drawn from seed, on dev; c is of
// [Config.ForPairs]. The caller closes it.
func NewTA(c Config, dev torch.Device, seed int64) (*TA, error) {
	c.CellLabels = nil // heads of pretraining
	if err := c.checkPairs(); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	torch.Seed(seed)
	m := &TA{Module: Module{config: c, device: dev}}
	m.SetSampler(nil)
	err := m.make(func(b builder) {
		b.param("temp", start{"fill", c.Temperature}) // like text_proj, official checkpoints have it, and no loss needs it
		m.Image = newImageEncoder(b.in("visual_encoder"), c)
		m.Text = newPairBert(b.in("text_encoder"), c)
		m.imageProj = b.linear("vision_proj", c.VisionWidth, c.EmbedDim, fanIn(c.VisionWidth))
		b.linear("text_proj", c.Hidden, c.EmbedDim, fanIn(c.Hidden))
		m.head = b.linear("ta_head", c.Hidden, taClasses, fanIn(c.Hidden))
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// IsTAHead is true of the weights that a pretraining checkpoint lacks and that
// TA begins afresh.
func IsTAHead(name string) bool { return strings.HasPrefix(name, "ta_head.") }

// SetSampler replaces how two other images are drawn for each caption from
// weights [B, B]; the result is [B, 2], int64, two different ones a row. nil
// restores the drawing of torch.multinomial. A deterministic sampler makes steps comparable
// with another implementation.
func (m *TA) SetSampler(draw func(weights *torch.Tensor) *torch.Tensor) {
	m.draw = draw
	if draw == nil {
		m.draw = func(w *torch.Tensor) *torch.Tensor { return w.Draw(2) }
	}
}

// TALabel draws a caption's class, each of them with probability 1/3, from
// uniform numbers as the official forward does.
func TALabel(uniform func() float64) int64 {
	switch {
	case uniform() <= 1./3:
		return TANeither
	case uniform() > 0.5:
		return TAFirst
	}
	return TASecond
}

// TABatch is one step's input of text assignment: B images with their captions.
// A label says what the caption is put beside: its image and another
// ([TAFirst]), another and its image, or two others, see [TALabel].
type TABatch struct{ Labelled }

// Check reports the first thing of a batch that doesn't fit the model.
func (b TABatch) Check(c Config) error {
	if n := b.Images.Size(0); n != b.Len() {
		return fmt.Errorf("batch: %d images for %d captions", n, b.Len())
	}
	if b.Len() < minTA {
		return &hintError{
			fmt.Errorf("batch: %d captions, text assignment draws two other images for each", b.Len()),
			fmt.Sprintf("set batch_size to %d or more", minTA),
		}
	}
	return b.Labelled.Check(c)
}

// Loss computes the loss of a batch. The more similar an image looks to the
// caption's own, the likelier it is drawn. Nothing waits for the device.
// Source: model_pretrain_nlvr.py forward.
func (m *TA) Loss(b TABatch) *torch.Tensor {
	embeds := m.Image.Forward(b.Images)
	var first, second *torch.Tensor
	torch.NoGrad(func() { first, second = m.drawPairs(embeds, b.Labels) })
	images := m.Text.pairs(embeds, func(x *torch.Tensor) (_, _ *torch.Tensor) {
		return x.IndexSelect(0, first), x.IndexSelect(0, second)
	})
	text := m.Text.Encode(b.IDs, b.Mask, m.config.Dropout)
	hidden := m.Text.Fuse(text, b.Mask, images, m.config.Dropout)
	return classLoss(m.head.forward(hidden.Select(1, 0)).To(torch.Float32), nil, b.Labels, 0)
}

// drawPairs returns the indices [B] of the images that each caption is put
// beside.
func (m *TA) drawPairs(embeds, labels *torch.Tensor) (first, second *torch.Tensor) {
	n := embeds.Size(0)
	feats := m.imageProj.forward(embeds.Select(1, 0)).To(torch.Float32).Normalize(-1)
	near := feats.MatMul(feats.T()).Scale(1 / taTemperature).Softmax(1)
	near.ZeroDiagonal()
	drawn := m.draw(near) // [B, 2]
	own := embeds.Scope().Arange(m.device, 0, n, 1)
	choice := torch.Stack(1, own, drawn.Select(1, 0), drawn.Select(1, 1)) // [B, 3]
	pick := func(column *torch.Tensor) *torch.Tensor {
		return choice.Gather(1, column.To(torch.Int64).View(n, 1)).View(n)
	}
	first = pick(labels.Ne(TAFirst))
	second = pick(labels.Eq(TAFirst).To(torch.Int64).Add(labels.Eq(TANeither).To(torch.Int64).Scale(2)))
	return first, second
}
