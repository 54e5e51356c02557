package lab

import (
	"context"
	"fmt"
	"image"
	"math"
	"strings"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/viz"
)

// answerCandidates is how many answers of a list are ranked to the end: the
// official k_test.
const answerCandidates = 128

// Answers are answers to a question about a picture, the likeliest first. They
// draw themselves as bars beside it.
type Answers struct {
	Question string
	Hits     []AnswerHit
	Written  bool     // freely, a word at a time, and not chosen from a list
	Unknown  []string // words of the question that the model doesn't know

	picture image.Image
}

// AnswerHit is one answer.
type AnswerHit struct {
	Rank        int // from 1
	Answer      string
	Probability float64 // among the answers that were ranked; of a written one, of writing just that
}

// Answer answers a question about a picture with a model that vlab vqa trained.
// It ranks the given answers, or else those that the model was trained to
// choose among; where there is no list either, as in an official checkpoint, it
// writes three.
func (m *Model) Answer(ctx context.Context, img image.Image, question string, answers ...string) (*Answers, error) {
	m, err := m.asks("vqa")
	if err != nil {
		return nil, err
	}
	out := &Answers{Question: question, picture: img}
	err = m.workWith(ctx, "answer", func() bool { return m.vqa != nil }, "it takes a model of vlab vqa",
		func(ctx context.Context, s *torch.Scope) error {
			ids, err := m.questionIDs(question)
			if err != nil {
				return err
			}
			picture, err := m.see(ctx, s, img)
			if err != nil {
				return err
			}
			if len(answers) == 0 {
				answers = m.answers
			}
			mask := torch.Full(s, 1, torch.Int64, m.device, 1, len(ids))
			states := m.vqa.QuestionOf(picture.image, s.Ints(ids, 1, len(ids)).ToDevice(m.device), mask)
			if err := ctx.Err(); err != nil {
				return err
			}
			seen := m.vqa.Decoder.States(states, mask)
			if len(answers) > 0 {
				return m.rankAnswers(seen, answers, out)
			}
			return m.writeAnswers(seen, out)
		})
	if err != nil {
		return nil, err
	}
	for i := range out.Hits {
		out.Hits[i].Rank = i + 1
	}
	out.Unknown = m.UnknownWords(question)
	return out, nil
}

// questionIDs encodes a question as the official evaluation does.
func (m *Model) questionIDs(question string) ([]int64, error) {
	ids := m.tok.Encode(text.PreQuestion(question, 0), 0)
	if len(ids) < 2 {
		return nil, hinted(`ask something, as in "what colour is the circle?"`, "question %q has no words", question)
	}
	if most := m.config.MaxPositions; len(ids) > most {
		return nil, hinted("shorten it", "question %.40q... has %d tokens, the model reads up to %d", question, len(ids), most)
	}
	return wide(ids), nil
}

func wide(ids []int) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}

// rankAnswers ranks a list of answers.
func (m *Model) rankAnswers(seen albef.KeyValues, answers []string, out *Answers) error {
	tokens := make([][]int64, len(answers))
	for i, answer := range answers {
		tokens[i] = append(wide(m.tok.Encode(answer, 0)), int64(m.tok.SEP()))
	}
	ranked, err := m.vqa.Rank(seen, tokens, answerCandidates)
	if err != nil {
		return err
	}
	for _, r := range ranked[0] {
		out.Hits = append(out.Hits, AnswerHit{Answer: answers[r.Answer], Probability: r.Probability})
	}
	return nil
}

// writeAnswers writes answers without a list.
func (m *Model) writeAnswers(seen albef.KeyValues, out *Answers) error {
	written, err := m.vqa.Generate(seen, albef.DefaultGeneration(m.tok.CLS(), m.tok.SEP()))
	if err != nil {
		return err
	}
	for _, w := range written[0] {
		log := w.Score * float64(len(w.Tokens)+1)
		out.Hits = append(out.Hits, AnswerHit{Answer: task.AnswerText(m.tok, w.Tokens), Probability: math.Exp(log)})
	}
	out.Written = true
	return nil
}

// Best is the likeliest answer.
func (a *Answers) Best() string {
	if a == nil || len(a.Hits) == 0 {
		return ""
	}
	return a.Hits[0].Answer
}

// Image draws the likeliest answers as bars.
func (a *Answers) Image() image.Image {
	if a == nil {
		return nil
	}
	var bars []viz.Bar
	for _, h := range a.shown() {
		bars = append(bars, viz.Bar{Label: h.Answer, Value: h.Probability})
	}
	return viz.Bars(bars, viz.BarsOptions{Title: a.title(), Image: a.picture})
}

func (a *Answers) shown() []AnswerHit { return a.Hits[:min(defaultHits, len(a.Hits))] }

func (a *Answers) title() string {
	if note := unknownNote(a.Unknown); note != "" {
		return a.Question + " (" + note + ")"
	}
	return a.Question
}

// PNG is the figure as a file.
func (a *Answers) PNG() []byte { return encodePNG(a.Image()) }

// String is a table of probabilities.
func (a *Answers) String() string {
	if a == nil {
		return "no answers"
	}
	var b strings.Builder
	b.WriteString(a.title())
	for _, h := range a.shown() {
		fmt.Fprintf(&b, "\n%4d  %5.1f %%  %s", h.Rank, 100*h.Probability, h.Answer)
	}
	if rest := len(a.Hits) - len(a.shown()); rest > 0 {
		fmt.Fprintf(&b, "\n      and %d less likely ones", rest)
	}
	return b.String()
}
