package albef

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"vlab/albef/torch"
)

// Ranked is an answer with its probability among those that were ranked.
type Ranked struct {
	Answer      int // index into the list
	Probability float64
}

// rankRows bounds how many answers are decoded at once.
const rankRows = 256

// Rank returns, for each of the questions that seen holds, the k likeliest of
// answers, each of tokens from [CLS] to [SEP], the likeliest first. Candidates
// are the k whose first word is likeliest, of equals the earlier in the list; a
// k above their number means all. Their score is what the official code
// computes, in which the first word counts twice. Source: model_vqa.py
// rank_answer.
func (m *VQA) Rank(seen KeyValues, answers [][]int64, k int) ([][]Ranked, error) {
	if err := m.checkAnswers(answers); err != nil {
		return nil, err
	}
	k = min(k, len(answers))
	r := ranking{m: m, seen: seen, answers: answers}
	torch.NoGrad(func() {
		seen.keys[0].Scope().Do(func(s *torch.Scope) {
			r.shortlist(s, k)
			r.finish(s)
		})
	})
	return r.questions, nil
}

func (m *VQA) checkAnswers(answers [][]int64) error {
	if len(answers) == 0 {
		return &hintError{fmt.Errorf("rank answers: the list is empty"), "name at least one answer"}
	}
	for i, answer := range answers {
		if n := len(answer); n < 2 || n-1 > m.config.MaxPositions {
			return fmt.Errorf("rank answers: answer %d has %d tokens, want 2 to %d, from [CLS] to [SEP]", i, n, m.config.MaxPositions+1)
		}
	}
	return nil
}

// ranking is one Rank at work. Until it is done, Probability is the score, a
// logarithm.
type ranking struct {
	m         *VQA
	seen      KeyValues
	answers   [][]int64
	questions [][]Ranked
}

// shortlist keeps the k answers of each question whose first word is likeliest.
func (r *ranking) shortlist(s *torch.Scope, k int) {
	n := r.seen.Len()
	begin, firsts := make([]int64, n), make([]int64, len(r.answers))
	for i := range begin {
		begin[i] = r.answers[0][0]
	}
	for i, answer := range r.answers {
		firsts[i] = answer[1]
	}
	ids := s.Ints(begin, n, 1).ToDevice(r.m.device)
	log := r.m.Decoder.Words(r.m.Decoder.Decode(ids, r.seen, 0).Select(1, 0)).To(torch.Float32).LogSoftmax(1)
	likely := log.IndexSelect(1, s.Ints(firsts, len(firsts)).ToDevice(r.m.device)).Floats()
	for q := range n {
		list := make([]Ranked, len(r.answers))
		for i := range list {
			list[i] = Ranked{i, float64(likely[q*len(list)+i])}
		}
		slices.SortStableFunc(list, byProbability)
		list = slices.Clip(list[:k])
		for i := range list {
			list[i].Probability *= 2
		}
		r.questions = append(r.questions, list)
	}
}

// byProbability orders the likeliest first.
func byProbability(a, b Ranked) int { return cmp.Compare(b.Probability, a.Probability) }

// row is one shortlisted answer: its question and its place in that list.
type row struct{ question, place int }

// finish scores the words behind the first and makes scores probabilities.
// Answers are decoded in groups of one length.
func (r *ranking) finish(s *torch.Scope) {
	var rows []row
	for q, list := range r.questions {
		for place := range list {
			rows = append(rows, row{q, place})
		}
	}
	length := func(x row) int { return len(r.answers[r.questions[x.question][x.place].Answer]) }
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(length(a), length(b)) })
	for len(rows) > 0 {
		n := 1
		for n < min(len(rows), rankRows) && length(rows[n]) == length(rows[0]) {
			n++
		}
		s.Do(func(s *torch.Scope) { r.score(s, rows[:n]) })
		rows = rows[n:]
	}
	for _, list := range r.questions {
		softmax(list)
		slices.SortStableFunc(list, byProbability)
	}
}

// score adds the log-probabilities of all words but the first of answers of one
// length.
func (r *ranking) score(s *torch.Scope, rows []row) {
	tokens, of := make([][]int64, len(rows)), make([]int64, len(rows))
	for i, x := range rows {
		tokens[i], of[i] = r.answers[r.questions[x.question][x.place].Answer], int64(x.question)
	}
	h := hostAnswers(tokens, nil, false)
	dev := r.m.device
	seen := r.seen.Pick(s.Ints(of, len(of)).ToDevice(dev))
	hidden := r.m.Decoder.Decode(s.Ints(h.ids, len(rows), h.length).ToDevice(dev), seen, 0)
	logits := r.m.Decoder.logitsAt(hidden, s.Ints(h.positions, len(h.positions)).ToDevice(dev))
	log := logits.LogSoftmax(1).Gather(1, s.Ints(h.words, len(h.words), 1).ToDevice(dev)).Floats()
	for i, at := range h.positions {
		if h.weights[i] > 0 {
			x := rows[int(at)/h.length]
			r.questions[x.question][x.place].Probability += float64(log[i])
		}
	}
}

// softmax turns scores into probabilities.
func softmax(list []Ranked) {
	top, sum := math.Inf(-1), 0.0
	for _, x := range list {
		top = max(top, x.Probability)
	}
	for i := range list {
		list[i].Probability = math.Exp(list[i].Probability - top)
		sum += list[i].Probability
	}
	for i := range list {
		list[i].Probability /= sum
	}
}
