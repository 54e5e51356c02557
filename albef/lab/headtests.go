package lab

import (
	"context"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"

	"vlab/albef"
	"vlab/albef/scenes"
	"vlab/albef/text"
	"vlab/albef/torch"
)

// lively are the scenes that heads are asked about: a fifth of the objects are
// pictograms, a tenth of the shapes have a texture.
var lively = scenes.Options{Pictograms: 0.2, Textures: 0.1}

// HeadScore tells how often a model is right about drawn scenes, from 0 to 1.
type HeadScore struct {
	Right    float64
	Majority float64 // of the best answer that never looks
	Tests    int
	Topics   []TopicScore // of questions; nil of others
}

// TopicScore is the score of the questions on one topic.
type TopicScore struct {
	Topic string
	Right float64
	Tests int
}

// String is a small table.
func (h *HeadScore) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "right %.1f %% of %d, always the same answer %.1f %%", 100*h.Right, h.Tests, 100*h.Majority)
	for _, t := range h.Topics {
		fmt.Fprintf(&b, "\n  %-9s %6.1f %%   %4d tests", t.Topic, 100*t.Right, t.Tests)
	}
	return b.String()
}

// tally counts answers.
type tally struct {
	right, tests int
	said         map[string]int
	topics       map[string][2]int
}

func (c *tally) add(topic, want string, right bool) {
	if c.said == nil {
		c.said, c.topics = map[string]int{}, map[string][2]int{}
	}
	c.tests++
	c.said[want]++
	of := c.topics[topic]
	of[1]++
	if right {
		c.right++
		of[0]++
	}
	c.topics[topic] = of
}

func (c *tally) score() *HeadScore {
	out := &HeadScore{Tests: c.tests, Right: float64(c.right) / float64(max(c.tests, 1))}
	for _, n := range c.said {
		out.Majority = max(out.Majority, float64(n)/float64(c.tests))
	}
	return out
}

// Questions asks every question of the set's scenes, one on each topic that a
// scene allows, and counts the answers that rank first. It takes a model of vlab
// vqa or a file that has one.
func (t TestSet) Questions(ctx context.Context, m *Model) (*HeadScore, error) {
	var c tally
	err := t.each(ctx, func(s scenes.Scene, img image.Image, rng *rand.Rand) error {
		questions := scenes.Questions(s, rng)
		said, err := m.answerAll(ctx, img, questions)
		for i, q := range questions {
			c.add(q.Topic.String(), q.Answer, err == nil && said[i] == q.Answer)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := c.score()
	for topic := scenes.AskColour; topic <= scenes.AskPresence; topic++ {
		if of := c.topics[topic.String()]; of[1] > 0 {
			out.Topics = append(out.Topics, TopicScore{topic.String(), float64(of[0]) / float64(of[1]), of[1]})
		}
	}
	return out, nil
}

// Sentences asks about three sentences on each of the set's scenes, one of each
// class. It takes a model of vlab ve or a file that has one.
func (t TestSet) Sentences(ctx context.Context, m *Model) (*HeadScore, error) {
	var c tally
	err := t.each(ctx, func(s scenes.Scene, img image.Image, rng *rand.Rand) error {
		list := scenes.Hypotheses(s, rng)
		said, err := m.judgeAll(ctx, "ve", []string{list[0].Text, list[1].Text, list[2].Text}, img)
		for i, h := range list {
			c.add("", string(h.Label), err == nil && albef.VEClasses[said[i]] == string(h.Label))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.score(), nil
}

// Pairs asks about two statements on each of the set's scenes and the next one,
// one of them true. It takes a model of vlab nlvr or a file that has one.
func (t TestSet) Pairs(ctx context.Context, m *Model) (*HeadScore, error) {
	var c tally
	var before scenes.Scene
	var seen image.Image
	t.N++ // the first has none before it
	err := t.each(ctx, func(s scenes.Scene, img image.Image, rng *rand.Rand) error {
		if seen != nil {
			list := scenes.NLVRs(before, s, rng)
			said, err := m.judgeAll(ctx, "nlvr", []string{list[0].Text, list[1].Text}, seen, img)
			if err != nil {
				return err
			}
			for i, statement := range list {
				c.add("", fmt.Sprint(statement.Label), (said[i] == 1) == statement.Label)
			}
		}
		before, seen = s, img
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.score(), nil
}

// answerAll answers the questions about a picture, by the likeliest of all answers.
func (m *Model) answerAll(ctx context.Context, img image.Image, questions []scenes.Question) ([]string, error) {
	m, err := m.asks("vqa")
	if err != nil {
		return nil, err
	}
	answers := scenes.Answers()
	tokens, asked, out := make([][]int64, len(answers)), make([]string, len(questions)), make([]string, len(questions))
	err = m.workWith(ctx, "questions", func() bool { return m.vqa != nil }, "it takes a model of vlab vqa", func(ctx context.Context, s *torch.Scope) error {
		for i, answer := range answers {
			tokens[i] = append(wide(m.tok.Encode(answer, 0)), int64(m.tok.SEP()))
		}
		for i, q := range questions {
			asked[i] = text.PreQuestion(q.Text, 0)
		}
		seen, err := m.see(ctx, s, img)
		if err != nil {
			return err
		}
		b := m.tok.Batch(asked, text.BatchOptions{})
		ids, mask := s.Ints(b.IDs, b.B, b.T).ToDevice(m.device), s.Ints(b.Mask, b.B, b.T).ToDevice(m.device)
		states := m.vqa.QuestionOf(seen.image.Pick(s.Ints(make([]int64, b.B), b.B).ToDevice(m.device)), ids, mask)
		ranked, err := m.vqa.Rank(m.vqa.Decoder.States(states, mask), tokens, answerCandidates)
		for i := range ranked {
			out[i] = answers[ranked[i][0].Answer]
		}
		return err
	})
	return out, err
}

// judgeAll returns the likeliest class of each sentence about one picture, or two.
func (m *Model) judgeAll(ctx context.Context, name string, sentences []string, pictures ...image.Image) (out []int64, err error) {
	if m, err = m.asks(name); err != nil {
		return nil, err
	}
	has := func() bool { return m.taskOf() == name }
	err = m.workWith(ctx, name, has, "it takes a model of vlab "+name, func(_ context.Context, s *torch.Scope) error {
		res, n := m.config.ImageRes, len(sentences)
		var all []float32 // the first picture once for every sentence, then the second
		for _, img := range pictures {
			pixels, err := m.pixelsOf(img)
			if err != nil {
				return err
			}
			all = append(all, slices.Repeat(pixels, n)...)
		}
		b, _, err := m.tokens(sentences)
		if err != nil {
			return err
		}
		images := s.Floats(all, len(pictures)*n, 3, res, res).ToDevice(m.device)
		ids, mask := s.Ints(b.IDs, b.B, b.T).ToDevice(m.device), s.Ints(b.Mask, b.B, b.T).ToDevice(m.device)
		out = m.judge.Logits(images, ids, mask).Argmax(1).Ints()
		return nil
	})
	return out, err
}

// each draws the set's scenes.
func (t TestSet) each(ctx context.Context, fn func(s scenes.Scene, img image.Image, rng *rand.Rand) error) error {
	if t.N < 1 {
		return fmt.Errorf("%d scenes, want 1 or more", t.N)
	}
	rng := rand.New(rand.NewPCG(t.Seed, 2))
	for _, s := range t.scenes(1, lively) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(s, s.Render(scenes.DefaultSize), rng); err != nil {
			return err
		}
	}
	return nil
}
