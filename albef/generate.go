package albef

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"vlab/albef/torch"
)

// Generation says how answers are written. The zero value is no use: see
// [DefaultGeneration].
type Generation struct {
	CLS, SEP  int64 // the tokens an answer begins and ends with
	Beams     int   // how many beginnings are followed at a time; 1 is greedy
	MaxLength int   // in tokens, [CLS] included
	MinLength int   // an answer doesn't end before
}

// DefaultGeneration follows three beams up to ten tokens, as the official
// generate of the ALBEF family does.
func DefaultGeneration(cls, sep int) Generation {
	return Generation{CLS: int64(cls), SEP: int64(sep), Beams: 3, MaxLength: 10, MinLength: 1}
}

func (g Generation) check(c Config) error {
	switch {
	case g.Beams < 1:
		return &hintError{fmt.Errorf("generate: %d beams", g.Beams), "1 is greedy, 3 is usual"}
	case g.MaxLength < 2 || g.MaxLength > c.MaxPositions:
		return fmt.Errorf("generate: at most %d tokens, want 2 to %d", g.MaxLength, c.MaxPositions)
	case g.MinLength >= g.MaxLength:
		return errors.New("generate: the least length is not below the greatest")
	}
	return nil
}

// Written is an answer that was generated.
type Written struct {
	Tokens []int64 // without [CLS] and [SEP]
	// Score is the log-probability a token by which beams are compared: of all
	// tokens with [SEP], divided by the tokens before it, [CLS] included.
	Score float64
}

// Generate writes an answer to each of the questions that seen holds, the Beams
// best ones, the best first. Beams are scored and ended as in transformers'
// beam search with length_penalty 1 and no early stopping, greedy answers as in
// its greedy search.
func (m *VQA) Generate(seen KeyValues, g Generation) ([][]Written, error) {
	if err := g.check(m.config); err != nil {
		return nil, err
	}
	out := make([][]Written, seen.Len())
	torch.NoGrad(func() {
		for q := range out {
			out[q] = m.generate(seen, q, g)
		}
	})
	return out, nil
}

// beam is the beginning of an answer, from [CLS] on.
type beam struct {
	tokens []int64
	log    float64
}

func (b beam) with(token int64, log float64) beam {
	return beam{append(slices.Clone(b.tokens), token), log}
}

func (b beam) written(log float64) Written {
	return Written{Tokens: b.tokens[1:], Score: log / float64(len(b.tokens))}
}

// generate answers question q.
func (m *VQA) generate(seen KeyValues, q int, g Generation) []Written {
	beams := []beam{{tokens: []int64{g.CLS}}}
	var done []Written
	for length := 1; length < g.MaxLength; length++ {
		var next []beam
		candidates := m.continuations(seen, q, beams, 2*g.Beams, g, length)
		for _, c := range candidates {
			b, token := beams[c.beam], c.token
			if token != g.SEP {
				if len(next) < g.Beams {
					next = append(next, b.with(token, c.log))
				}
				continue
			}
			if c.rank < g.Beams {
				done = keepBest(done, b.written(c.log), g.Beams)
			}
		}
		beams = next
		if len(beams) == 0 || g.finished(done, candidates[0].log/float64(length)) {
			return done
		}
	}
	for _, b := range beams {
		done = keepBest(done, b.written(b.log), g.Beams)
	}
	return done
}

// finished says whether the answers that are done are as good as what goes on
// can be, the score of whose likeliest is given.
func (g Generation) finished(done []Written, score float64) bool {
	if g.Beams == 1 {
		return len(done) > 0
	}
	return len(done) == g.Beams && done[len(done)-1].Score >= score
}

// keepBest adds w to answers of which the n best are kept, the best first.
func keepBest(done []Written, w Written, n int) []Written {
	done = append(done, w)
	slices.SortStableFunc(done, func(a, b Written) int { return cmp.Compare(b.Score, a.Score) })
	return done[:min(n, len(done))]
}

// continuation is a token behind a beam.
type continuation struct {
	beam  int
	token int64
	log   float64 // of the beam with it
	rank  int     // from 0 for the likeliest
}

// continuations returns the n likeliest tokens behind any of the beams, the
// likeliest first.
func (m *VQA) continuations(seen KeyValues, q int, beams []beam, n int, g Generation, length int) []continuation {
	var out []continuation
	seen.keys[0].Scope().Do(func(s *torch.Scope) {
		ids := make([]int64, 0, len(beams)*length)
		for _, b := range beams {
			ids = append(ids, b.tokens...)
		}
		hidden := m.Decoder.Decode(s.Ints(ids, len(beams), length).ToDevice(m.device), seen.in(s).Repeat(q, len(beams)), 0)
		log := m.Decoder.Words(hidden.Select(1, length-1)).To(torch.Float32).LogSoftmax(1)
		values, tokens := log.TopK(min(n+1, log.Size(1)), 1) // one more: [SEP] may be forbidden
		logs, words := values.Floats(), tokens.Ints()
		for i, word := range words {
			if word == g.SEP && length < g.MinLength || math.IsInf(float64(logs[i]), -1) {
				continue
			}
			b := i / values.Size(1)
			out = append(out, continuation{beam: b, token: word, log: beams[b].log + float64(logs[i])})
		}
	})
	slices.SortStableFunc(out, func(a, b continuation) int { return cmp.Compare(b.log, a.log) })
	out = out[:min(n, len(out))]
	for i := range out {
		out[i].rank = i
	}
	return out
}
