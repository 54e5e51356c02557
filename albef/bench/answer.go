package bench

import (
	"context"
	"math/rand/v2"

	"vlab/albef"
	"vlab/albef/torch"
)

// What questions are timed on: 10 tokens, and a list of 100 answers, all of which
// are ranked.
const (
	QuestionTokens = 10
	AnswerCount    = 100
)

// AnswerWords is how many words answer i of the list has: of 100 answers 60 have
// one, 25 two, 10 three and 5 four. A word is a token; [CLS] and [SEP] stand
// around them.
func AnswerWords(i int) int {
	switch i % 20 {
	case 19:
		return 4
	case 17, 18:
		return 3
	case 12, 13, 14, 15, 16:
		return 2
	}
	return 1
}

// Answer ranks all of answers for each question about an image, the images'
// encoding included.
func Answer(m *albef.VQA, query func(s *torch.Scope) Query, answers [][]int64, bf16 bool) (ranked [][]albef.Ranked, err error) {
	err = inScope(m.Device(), bf16, func(s *torch.Scope) (err error) {
		q := query(s)
		ranked, err = m.Rank(m.Decoder.States(m.Question(q.Images, q.IDs, q.Mask), q.Mask), answers, len(answers))
		return err
	})
	return ranked, err
}

// answerings answers a batch of questions.
func answerings(ctx context.Context, m *albef.VQA, spec Spec, times *clock, r *Result) error {
	c, rng := m.Config(), rand.New(rand.NewPCG(1, 2))
	p := newPairs(c, spec.Device, spec.Batch, textLength, rng)
	defer p.close()
	answers := make([][]int64, AnswerCount)
	for i := range answers {
		answers[i] = []int64{clsID}
		for range AnswerWords(i) {
			answers[i] = append(answers[i], randomWord(c, rng))
		}
		answers[i] = append(answers[i], sepID)
	}
	r.FLOPs = float64(spec.Batch) * AnswerFLOPs(c, QuestionTokens, AnswerWords, AnswerCount)
	return spec.repeat(ctx, times, func() error {
		_, err := Answer(m, p.query(QuestionTokens), answers, spec.BF16)
		return err
	})
}
