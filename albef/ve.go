package albef

import (
	"fmt"
	"strings"

	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// Labelled is one step's input of the tasks that put sentences about images
// into classes: VE and NLVR2. All tensors live on the model's device.
type Labelled struct {
	// Images are normalised pixels [n·B, 3, R, R]: the first image of every
	// sentence, then the second of every one. VE has n = 1, NLVR2 has 2.
	Images *torch.Tensor
	IDs    *torch.Tensor // [B, T] int64
	Mask   *torch.Tensor // [B, T] int64, 1 for tokens and 0 for padding
	Labels *torch.Tensor // [B] int64, the class of each sentence
}

// Len returns how many sentences the batch has.
func (b Labelled) Len() int { return b.IDs.Size(0) }

// Check reports the first thing of a batch that doesn't fit the model.
func (b Labelled) Check(c Config) error {
	shape := b.Images.Shape()
	if len(shape) != 4 || shape[1] != 3 || shape[2] != c.ImageRes || shape[3] != c.ImageRes {
		return fmt.Errorf("batch: images are %v, want [n·B 3 %d %d]", shape, c.ImageRes, c.ImageRes)
	}
	n, t := b.Len(), b.IDs.Size(1)
	switch {
	case shape[0] != n && shape[0] != 2*n:
		return fmt.Errorf("batch: %d images for %d sentences", shape[0], n)
	case b.Labels.Numel() != n:
		return fmt.Errorf("batch: %d labels for %d sentences", b.Labels.Numel(), n)
	case t > c.MaxPositions:
		return &hintError{
			fmt.Errorf("batch: sentences of %d tokens, the model has %d positions", t, c.MaxPositions),
			"shorten the sentences, or begin with a model of more positions",
		}
	}
	return nil
}

// classHead puts [CLS] of the fusion encoder into a class: linear, ReLU,
// linear, as the official cls_head.
type classHead struct{ hidden, out linear }

func (b builder) classHead(name string, c Config, classes int) classHead {
	b = b.in(name)
	return classHead{
		hidden: b.linear("0", c.Hidden, c.Hidden, fanIn(c.Hidden)),
		out:    b.linear("2", c.Hidden, classes, fanIn(c.Hidden)), // 1 is the ReLU
	}
}

// forward returns float32 logits [B, K] for hidden states [B, T, C].
func (h classHead) forward(hidden *torch.Tensor) *torch.Tensor {
	return h.out.forward(h.hidden.forward(hidden.Select(1, 0)).Relu()).To(torch.Float32)
}

// classLoss is the cross-entropy of logits [B, K] with labels [B], mixed with
// the teacher's distribution by distill; teacher may be nil when that is 0.
func classLoss(logits, teacher, labels *torch.Tensor, distill float64) *torch.Tensor {
	hard := logits.CrossEntropy(labels, ignored)
	if distill == 0 {
		return hard
	}
	return hard.Scale(1 - distill).Add(softCrossEntropy(logits, teacher.Softmax(1)).Scale(distill))
}

// VEClasses are the classes of visual entailment in the order of the logits,
// as dataset/ve_dataset.py numbers them.
var VEClasses = [...]string{"contradiction", "neutral", "entailment"}

// VE tells whether an image shows what a sentence says. It owns its
// parameters: Close frees them. Source: models/model_ve.py.
type VE struct{ Classifier }

// NewVE makes a model with fresh weights drawn from seed, on dev. The caller
// closes it.
func NewVE(c Config, dev torch.Device, seed int64) (*VE, error) {
	m := &VE{}
	if err := m.build(c, dev, seed, classifierKind{newBert, (*TextModel).Image, len(VEClasses)}); err != nil {
		return nil, err
	}
	return m, nil
}

// Classifier is what VE and NLVR2 have in common: an image encoder, BERT and a
// head that puts sentences about images into classes, with momentum copies of
// all three.
type Classifier struct {
	Image *ImageEncoder
	Text  *TextModel
	Module

	online, teacher *classifier
}

// classifier is a model without its momentum copy, or that copy.
type classifier struct {
	image *ImageEncoder
	text  *TextModel
	head  classHead
	see   func(text *TextModel, embeds *torch.Tensor) KeyValues
}

// classifierKind is what tells the tasks' models apart.
type classifierKind struct {
	text    func(b builder, c Config) *TextModel
	see     func(text *TextModel, embeds *torch.Tensor) KeyValues // what of the images each fusion layer looks at
	classes int
}

func (m *Classifier) build(c Config, dev torch.Device, seed int64, k classifierKind) error {
	c.CellLabels = nil // heads of pretraining
	if err := c.Validate(); err != nil {
		return err
	}
	torch.Seed(seed)
	m.Module = Module{config: c, device: dev}
	return m.make(func(b builder) {
		m.online = newClassifier(b, "", c, k)
		b.frozen = true
		m.teacher = newClassifier(b, "_m", c, k)
		m.Image, m.Text = m.online.image, m.online.text
	})
}

// newClassifier registers the parts in the official order; suffix is "_m" for
// the momentum model.
func newClassifier(b builder, suffix string, c Config, k classifierKind) *classifier {
	return &classifier{
		image: newImageEncoder(b.in("visual_encoder"+suffix), c),
		text:  k.text(b.in("text_encoder"+suffix), c),
		head:  b.classHead("cls_head"+suffix, c, k.classes),
		see:   k.see,
	}
}

// Logits returns the logits [B, K] of sentences ids, mask [B, T] about images
// [n·B, 3, R, R], without dropout.
func (m *Classifier) Logits(images, ids, mask *torch.Tensor) *torch.Tensor {
	return m.online.logits(Labelled{Images: images, IDs: ids, Mask: mask}, 0)
}

// LogitsOf is [Classifier.Logits] of sentences about images whose keys and
// values are there.
func (m *Classifier) LogitsOf(images KeyValues, ids, mask *torch.Tensor) *torch.Tensor {
	return m.online.head.forward(m.Text.Fuse(m.Text.Encode(ids, mask, 0), mask, images, 0))
}

// GradCAM explains the logit of one class, by its place, for each sentence by
// the cross-attention of a fusion layer (counted over all layers), as
// [Model.GradCAM] does for the match: [B, T, G, G]. In a model for pairs an even
// fusion layer looks at the first image and an odd one at the second. The
// official code has no such maps of its classifiers.
func (m *Classifier) GradCAM(images, ids, mask *torch.Tensor, class, layer int) (*torch.Tensor, error) {
	if layer < m.config.FusionLayer || layer >= m.config.Layers {
		return nil, &hintError{
			fmt.Errorf("grad-cam: layer %d is no fusion layer", layer),
			fmt.Sprintf("layers %d to %d attend to images", m.config.FusionLayer, m.config.Layers-1),
		}
	}
	var maps *torch.Tensor
	torch.NoGrad(func() {
		text := m.Text.Encode(ids, mask, 0)
		seen := m.online.see(m.Text, m.Image.Forward(images))
		var attention, gradient *torch.Tensor
		torch.WithGrad(func() {
			hidden, read := m.Text.FuseMap(text.Detach().RequireGrad(true), mask, seen, layer)
			attention, gradient = read, m.online.head.forward(hidden).Select(1, class).Sum().Gradients(read)[0]
		})
		maps = m.weigh(attention.Detach(), gradient, mask).MeanDim(1, false)
	})
	return maps, nil
}

// Loss computes the loss of a batch with distillation weight distill (alpha; 0
// for none), and on the way updates the momentum model, as the official forward
// does.
func (m *Classifier) Loss(b Labelled, distill float64) *torch.Tensor {
	logits := m.online.logits(b, m.config.Dropout)
	var teacher *torch.Tensor
	torch.NoGrad(func() {
		m.MomentumUpdate()
		if distill > 0 {
			teacher = m.teacher.logits(b, m.config.Dropout)
		}
	})
	return classLoss(logits, teacher, b.Labels, distill)
}

func (c *classifier) logits(b Labelled, dropout float64) *torch.Tensor {
	text := c.text.Encode(b.IDs, b.Mask, dropout)
	return c.head.forward(c.text.Fuse(text, b.Mask, c.see(c.text, c.image.Forward(b.Images)), dropout))
}

// ClassesOf returns how many classes the head in weights of VE or NLVR2 has; 0
// where there is no such head.
func ClassesOf(state *weights.Dict) int {
	_, t := LookUp(state, "cls_head.2.weight")
	if t == nil || len(t.Shape) != 2 {
		return 0
	}
	return t.Shape[0]
}

// IsClassHead is true of the weights that a pretraining checkpoint lacks and
// that VE and NLVR2 begin afresh.
func IsClassHead(name string) bool { return strings.HasPrefix(name, "cls_head") }
