package albef

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// VQA answers questions about images: the fused states of a question are read
// by a decoder that writes the answer, a word at a time. It owns its
// parameters: Close frees them. Source: models/model_vqa.py.
type VQA struct {
	Image   *ImageEncoder
	Text    *TextModel
	Decoder *TextModel
	Module

	teacher vqaParts
}

// vqaParts are a model without its momentum copy, or that copy.
type vqaParts struct {
	image         *ImageEncoder
	text, decoder *TextModel
}

// NewVQA makes a model with fresh weights drawn from seed, on dev. Its decoder
// has as many layers as the fusion encoder of c. The caller closes it.
func NewVQA(c Config, dev torch.Device, seed int64) (*VQA, error) {
	c.CellLabels = nil // heads of pretraining
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Hidden != c.VisionWidth {
		return nil, &hintError{
			fmt.Errorf("model config: hidden_size %d and vision_width %d differ", c.Hidden, c.VisionWidth),
			"the answer decoder begins as the fusion layers, and reads a question where they read an image: the widths must be equal",
		}
	}
	torch.Seed(seed)
	m := &VQA{Module: Module{config: c, device: dev}}
	err := m.make(func(b builder) {
		online := newVQAParts(b, "", c)
		m.Image, m.Text, m.Decoder = online.image, online.text, online.decoder
		b.frozen = true
		m.teacher = newVQAParts(b, "_m", c)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// newVQAParts registers the parts in the official order; suffix is "_m" for the
// momentum model.
func newVQAParts(b builder, suffix string, c Config) vqaParts {
	decoder := c
	decoder.Layers, decoder.FusionLayer, decoder.CrossKeys = c.Layers-c.FusionLayer, 0, AllKeys
	return vqaParts{
		image:   newImageEncoder(b.in("visual_encoder"+suffix), c),
		text:    newBert(b.in("text_encoder"+suffix), c),
		decoder: newTextModel(b.in("text_decoder"+suffix), decoder),
	}
}

// VQAState turns the weights of a pretraining checkpoint whose text encoder
// fuses from layer fusion on into those of a VQA model: the fusion layers, the
// embeddings and the MLM head become the decoder too, of the momentum model as
// well. A VQA model's own come back as they are. Source: VQA.py:148.
func VQAState(state *weights.Dict, fusion int) (*weights.Dict, error) {
	if IsVQAState(state) {
		return state, nil
	}
	out := weights.NewDict()
	for name, t := range state.All() {
		if !strings.Contains(name, ".cls.") { // the decoder's alone
			out.Set(name, t)
		}
		if !strings.HasPrefix(name, "text_encoder") {
			continue
		}
		decoder := strings.Replace(name, "text_encoder", "text_decoder", 1)
		if before, rest, ok := strings.Cut(decoder, ".encoder.layer."); ok {
			number, rest, _ := strings.Cut(rest, ".")
			n, err := strconv.Atoi(number)
			if err != nil {
				return nil, fmt.Errorf("%s: layer %q is no number", name, number)
			}
			if n < fusion {
				continue
			}
			decoder = fmt.Sprintf("%s.encoder.layer.%d.%s", before, n-fusion, rest)
		}
		out.Set(decoder, t)
	}
	if _, t := LookUp(out, "text_decoder.cls.predictions.bias"); t == nil {
		return nil, &hintError{
			errors.New("no MLM head, which the answer decoder begins with"),
			"begin with a pretraining checkpoint, or with one of vlab vqa",
		}
	}
	return out, nil
}

// IsVQAState reports whether weights are of a VQA model.
func IsVQAState(state *weights.Dict) bool {
	_, t := LookUp(state, "text_decoder.cls.predictions.bias")
	return t != nil
}

// VQABatch is one step's input of VQA: B questions, each about an image, with
// N answers in all.
type VQABatch struct {
	Images  *torch.Tensor // [B, 3, R, R]
	IDs     *torch.Tensor // [B, T] int64, the questions
	Mask    *torch.Tensor // [B, T] int64, 1 for tokens and 0 for padding
	Answers Answers
	Of      *torch.Tensor // [N] int64, the question of each answer
}

// Answers are N texts that the decoder is to write, and the n tokens that it is
// asked for.
type Answers struct {
	IDs       *torch.Tensor // [N, A] int64, each without its last token
	Positions *torch.Tensor // [n] int64, indices into N·A of the tokens whose next one is asked for
	Words     *torch.Tensor // [n] int64, that next token
	Weights   *torch.Tensor // [n] float32, what each counts; 0 for filling
}

// Len returns how many questions the batch has.
func (b VQABatch) Len() int { return b.Images.Size(0) }

// Check reports the first thing of a batch that doesn't fit the model.
func (b VQABatch) Check(c Config) error {
	if n := b.Answers.IDs.Size(0); n != b.Of.Numel() {
		return fmt.Errorf("batch: %d answers, %d of them with a question", n, b.Of.Numel())
	}
	if n := b.Answers.IDs.Size(1); n > c.MaxPositions {
		return fmt.Errorf("batch: answers of %d tokens, the model has %d positions", n+1, c.MaxPositions)
	}
	return checkPairs(b.Images, b.IDs, c)
}

// NewAnswers puts answers of tokens, each from [CLS] to [SEP], into s on dev.
// weights says what each counts; nil means 1 each. Positions and words are
// filled up to a round number by some that don't count.
func NewAnswers(s *torch.Scope, tokens [][]int64, weights []float64, dev torch.Device) Answers {
	h := hostAnswers(tokens, weights, true)
	return Answers{
		IDs:       s.Ints(h.ids, len(tokens), h.length).ToDevice(dev),
		Positions: s.Ints(h.positions, len(h.positions)).ToDevice(dev),
		Words:     s.Ints(h.words, len(h.words)).ToDevice(dev),
		Weights:   s.Floats(h.weights, len(h.weights)).ToDevice(dev),
	}
}

// answersOnHost is [Answers] before they are tensors.
type answersOnHost struct {
	ids, positions, words []int64
	weights               []float32
	length                int
}

// hostAnswers lists what is asked for; the first token of each answer only with
// first. Short rows are filled with 0, which nothing that counts looks at.
func hostAnswers(tokens [][]int64, weights []float64, first bool) answersOnHost {
	var h answersOnHost
	for _, answer := range tokens {
		h.length = max(h.length, len(answer)-1)
	}
	h.ids = make([]int64, len(tokens)*h.length)
	for i, answer := range tokens {
		weight := float32(1)
		if weights != nil {
			weight = float32(weights[i])
		}
		copy(h.ids[i*h.length:], answer[:len(answer)-1])
		for j, word := range answer[1:] {
			if j == 0 && !first {
				continue
			}
			h.positions = append(h.positions, int64(i*h.length+j))
			h.words, h.weights = append(h.words, word), append(h.weights, weight)
		}
	}
	for len(h.words) == 0 || len(h.words)%fillTo != 0 {
		h.positions, h.words, h.weights = append(h.positions, 0), append(h.words, 0), append(h.weights, 0)
	}
	return h
}

// Loss computes the loss of a batch with distillation weight distill (alpha; 0
// for none), and on the way updates the momentum model, as the official forward
// does: of every answer the sum over its tokens, times its weight, divided by
// the number of questions.
func (m *VQA) Loss(b VQABatch, distill float64) *torch.Tensor {
	online := vqaParts{m.Image, m.Text, m.Decoder}
	logits := online.answer(b, m.config.Dropout)
	var teacher *torch.Tensor
	torch.NoGrad(func() {
		m.MomentumUpdate()
		if distill > 0 {
			teacher = m.teacher.answer(b, m.config.Dropout).Softmax(1)
		}
	})
	log := logits.LogSoftmax(1)
	each := log.Gather(1, b.Answers.Words.View(-1, 1)).View(-1)
	if distill > 0 {
		each = each.Scale(1 - distill).Add(log.Mul(teacher).SumDim(1, false).Scale(distill))
	}
	return each.Mul(b.Answers.Weights).Sum().Scale(-1 / float64(b.Len()))
}

// answer returns the logits [n, V] of the tokens that b asks for, float32.
func (p vqaParts) answer(b VQABatch, dropout float64) *torch.Tensor {
	seen := p.decoder.States(p.question(b.Images, b.IDs, b.Mask, dropout), b.Mask).Pick(b.Of)
	return p.decoder.logitsAt(p.decoder.Decode(b.Answers.IDs, seen, dropout), b.Answers.Positions)
}

// question returns the fused states [B, T, C] of questions about images.
func (p vqaParts) question(images, ids, mask *torch.Tensor, dropout float64) *torch.Tensor {
	text := p.text.Encode(ids, mask, dropout)
	return p.text.Fuse(text, mask, p.text.Image(p.image.Forward(images)), dropout)
}

// Question returns the fused states [B, T, C] of questions ids, mask [B, T]
// about images [B, 3, R, R], without dropout.
func (m *VQA) Question(images, ids, mask *torch.Tensor) *torch.Tensor {
	return vqaParts{m.Image, m.Text, m.Decoder}.question(images, ids, mask, 0)
}

// QuestionOf is [VQA.Question] about images whose keys and values are there.
func (m *VQA) QuestionOf(images KeyValues, ids, mask *torch.Tensor) *torch.Tensor {
	return m.Text.Fuse(m.Text.Encode(ids, mask, 0), mask, images, 0)
}

// States projects the states [B, T, C] of questions, of which mask [B, T] tells
// tokens from padding, to what a decoder looks at.
func (m *TextModel) States(states, mask *torch.Tensor) KeyValues {
	kv := m.Image(states)
	kv.mask = additive(mask)
	return kv
}

// Decode runs the decoder on ids [N, A] and returns hidden states [N, A, C],
// for each of which only the tokens up to it are seen.
func (m *TextModel) Decode(ids *torch.Tensor, seen KeyValues, dropout float64) *torch.Tensor {
	n, device := ids.Size(1), ids.Meta().Device
	scores := make([]float32, n*n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			scores[i*n+j] = maskedOut
		}
	}
	x := m.embed(ids, dropout)
	if m.textNorm != nil {
		x, _ = m.textNorm.After(x, nil, 0)
	}
	causal := ids.Scope().Floats(scores, 1, 1, n, n).ToDevice(device)
	return m.fuse(fusing{st: m.begin(x), scores: causal, image: seen, dropout: dropout})
}

// logitsAt returns the word logits [n, V] of hidden states [N, A, C] at
// positions [n], float32.
func (m *TextModel) logitsAt(hidden, positions *torch.Tensor) *torch.Tensor {
	return m.Words(hidden.View(-1, hidden.Size(2)).IndexSelect(0, positions)).To(torch.Float32)
}
