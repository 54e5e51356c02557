package albef

import (
	"math/rand/v2"
	"slices"

	"vlab/albef/torch"
)

// ignored is the label of a position that MLM does not ask about.
const ignored = -100

// mlmHead predicts a word from a hidden state: dense, GELU, norm, and a
// decoder whose weight is the word embedding. Source: xbert.py
// BertLMPredictionHead.
type mlmHead struct {
	dense   linear
	norm    torch.LayerNorm
	decoder *torch.Tensor // [V, C], tied to the word embeddings
	bias    *torch.Tensor // [V]
}

func newMLMHead(b builder, c Config, words *torch.Tensor) mlmHead {
	h := mlmHead{decoder: words}
	h.bias = b.param("bias", zeros, c.VocabSize)
	h.dense = b.linear("transform.dense", c.Hidden, c.Hidden, normal(bertStd))
	h.norm = b.layerNorm("transform.LayerNorm", c.Hidden, bertEps)
	*b.params = append(*b.params,
		Param{Name: b.prefix + "decoder.weight", Tensor: words, Shape: []int{c.VocabSize, c.Hidden}, Tied: true},
		Param{Name: b.prefix + "decoder.bias", Tensor: h.bias, Shape: []int{c.VocabSize}, Tied: true})
	return h
}

func (h mlmHead) forward(x *torch.Tensor) *torch.Tensor {
	_, low := h.norm.After(h.dense.forward(x).Gelu().To(torch.Float32), nil, 0)
	return low.Linear(h.decoder, h.bias)
}

// Words returns the MLM logits over the vocabulary for hidden states
// [..., C]: [..., V].
func (m *TextModel) Words(hidden *torch.Tensor) *torch.Tensor { return m.mlm.forward(hidden) }

// HasWords reports whether the model has an MLM head; finetuning for retrieval or
// grounding drops it.
func (m *TextModel) HasWords() bool { return m.mlm.decoder != nil }

// Masking is the outcome of drawing masked words for a batch [B, T].
type Masking struct {
	IDs       []int64 // the input ids with masks and random words in place, B·T
	Positions []int64 // where a word is asked for, as indices into B·T
	Words     []int64 // the word that was there, one a position
}

// Masker draws which words MLM hides.
type Masker struct {
	Prob      float64 // share of the words that are asked for
	Mask      int64   // id of [MASK]
	CLS, Pad  int64   // ids that are never hidden
	VocabSize int
}

// fillTo rounds the number of asked positions up, and the more of them there are
// the more coarsely, so that products come in few sizes: libtorch keeps a compiled
// kernel for each, and a recorded step is of one.
const fillTo = 16

// filled is n rounded up, by an eighth at most from 128 on.
func filled(n int) int {
	to := fillTo
	for 16*to <= n {
		to *= 2
	}
	return (n + to - 1) / to * to
}

// Filled returns the positions and words with entries that don't count (word
// -100 at position 0) up to a round number.
func (m Masking) Filled() (positions, words []int64) {
	positions, words = slices.Clone(m.Positions), slices.Clone(m.Words)
	for n := filled(len(words)); len(words) < n; {
		positions, words = append(positions, 0), append(words, ignored)
	}
	return positions, words
}

// Padded returns m with positions and words as [Masking.Filled] gives them.
func (m Masking) Padded() Masking {
	m.Positions, m.Words = m.Filled()
	return m
}

// Draw hides words of ids as the official mask() does: of those asked for, 80 %
// become [MASK], 10 % a random word, 10 % stay (model_pretrain.py:252). prob
// may raise or lower the share word by word; nil means Prob everywhere.
func (m Masker) Draw(ids []int64, prob func(i int) float64, rng *rand.Rand) Masking {
	n := len(ids)
	masked, mask80, random50 := make([]bool, n), make([]bool, n), make([]bool, n)
	words := make([]int64, n)
	for i := range ids {
		p := m.Prob
		if prob != nil {
			p = prob(i)
		}
		masked[i] = rng.Float64() < p
		mask80[i] = rng.Float64() < 0.8
		random50[i] = rng.Float64() < 0.5
		words[i] = rng.Int64N(int64(m.VocabSize))
	}
	return m.apply(ids, masked, mask80, random50, words)
}

// apply turns the four draws into a masking.
func (m Masker) apply(ids []int64, masked, mask80, random50 []bool, words []int64) Masking {
	out := Masking{IDs: append([]int64(nil), ids...)}
	for i, id := range ids {
		if !masked[i] || id == m.Pad || id == m.CLS {
			continue
		}
		out.Positions = append(out.Positions, int64(i))
		out.Words = append(out.Words, id)
		switch {
		case mask80[i]:
			out.IDs[i] = m.Mask
		case random50[i]:
			out.IDs[i] = words[i]
		}
	}
	return out
}

// softCrossEntropy is -sum(targets·log_softmax(logits)) a row, averaged.
func softCrossEntropy(logits, targets *torch.Tensor) *torch.Tensor {
	return logits.LogSoftmax(1).Mul(targets).SumDim(1, false).Mean().Neg()
}
