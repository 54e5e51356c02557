package albef

import (
	"vlab/albef/torch"
)

// Model is ALBEF for pretraining, and what retrieval and grounding read. It
// owns its parameters: Close frees them.
type Model struct {
	Image     *ImageEncoder
	Text      *TextModel
	ImageProj func(cls *torch.Tensor) *torch.Tensor // [B, C] to features [B, D] of length 1
	TextProj  func(cls *torch.Tensor) *torch.Tensor

	Module

	temp    *torch.Tensor // learned temperature, a scalar
	queue   *Queue
	itmHead linear
	teacher *encoders // the momentum model
	cells   []linear
	frozen  bool                                      // the image encoder isn't trained
	draw    func(weights *torch.Tensor) *torch.Tensor // a test's, or nil
}

// encoders are the parts that the momentum model has too.
type encoders struct {
	image     *ImageEncoder
	text      *TextModel
	imageProj linear
	textProj  linear
}

// New makes a model with fresh weights drawn from seed, on dev. The caller
// closes it.
func New(c Config, dev torch.Device, seed int64) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	torch.Seed(seed)
	m := &Model{Module: Module{config: c, device: dev}}
	err := m.make(func(b builder) {
		m.build(b, newQueue, newTextModel)
		m.buildCells(b)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// build registers in the official order what pretraining and retrieval have in
// common.
func (m *Model) build(b builder, queue func(builder, Config) *Queue, text func(builder, Config) *TextModel) {
	m.temp = b.param("temp", start{"fill", m.config.Temperature})
	m.queue = queue(b, m.config)
	parts := &encoders{}
	parts.image = newImageEncoder(b.in("visual_encoder"), m.config)
	parts.text = text(b.in("text_encoder"), m.config)
	parts.imageProj = b.linear("vision_proj", m.config.VisionWidth, m.config.EmbedDim, fanIn(m.config.VisionWidth))
	parts.textProj = b.linear("text_proj", m.config.Hidden, m.config.EmbedDim, fanIn(m.config.Hidden))
	m.itmHead = b.linear("itm_head", m.config.Hidden, 2, fanIn(m.config.Hidden))
	m.teacher = m.buildMomentum(b, text)
	m.Image, m.Text = parts.image, parts.text
	m.ImageProj, m.TextProj = parts.imageFeats, parts.textFeats
}

func (m *Model) buildMomentum(b builder, text func(builder, Config) *TextModel) *encoders {
	b.frozen = true
	e := &encoders{}
	e.image = newImageEncoder(b.in("visual_encoder_m"), m.config)
	e.imageProj = b.linear("vision_proj_m", m.config.VisionWidth, m.config.EmbedDim, zeros)
	e.text = text(b.in("text_encoder_m"), m.config)
	e.textProj = b.linear("text_proj_m", m.config.Hidden, m.config.EmbedDim, zeros)
	return e
}

func (e *encoders) imageFeats(cls *torch.Tensor) *torch.Tensor {
	return e.imageProj.forward(cls).To(torch.Float32).Normalize(-1)
}

func (e *encoders) textFeats(cls *torch.Tensor) *torch.Tensor {
	return e.textProj.forward(cls).To(torch.Float32).Normalize(-1)
}

// ImageFrozen reports what [Model.FreezeImage] has set.
func (m *Model) ImageFrozen() bool { return m.frozen }

// Temperature returns the learned temperature.
func (m *Model) Temperature() float64 { return m.temp.Item() }

// FreezeImage stops training the image encoder, or goes on with it. A frozen
// one costs a third, and its patches go on telling of their own places while
// the fusion encoder learns to read them. The momentum image encoder is then
// the online one.
func (m *Model) FreezeImage(on bool) { m.frozen = on }

// SetSampler replaces how hard negatives are drawn from weights [B, B]; the
// result is [B, 1], int64. nil restores the drawing of torch.multinomial. A
// deterministic sampler makes steps comparable with another implementation.
func (m *Model) SetSampler(draw func(weights *torch.Tensor) *torch.Tensor) { m.draw = draw }
