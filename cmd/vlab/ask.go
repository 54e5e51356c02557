//go:build !front

package main

import (
	"context"
	"fmt"

	"vlab/albef/data"
	"vlab/albef/lab"
)

// askAnswer is what vlab ask --json prints.
type askAnswer struct {
	Answers []askHit `json:"answers"` // the likeliest first
	Unknown []string `json:"unknown_words"`
}

// askHit is one answer.
type askHit struct {
	Answer      string  `json:"answer"`
	Probability float64 `json:"probability"`
}

func runAsk(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "ask", "--model M --image F --question Q [--answers F] [-k K] [--out PNG] [--json]")
	picture := f.String("image", "", "the picture, a `file`")
	question := f.String("question", "", "what to ask, as `words`")
	list := f.String("answers", "", "`file` with a json list of answers to choose among, in place of the model's own")
	k := f.Int("k", 5, "how many answers to print")
	out := f.String("out", "", "`file` for a picture of the answers, a PNG")
	asJSON := f.Bool("json", false, "print one JSON object")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("image", "question"); err != nil {
		return err
	}
	if *k < 1 {
		return &usageError{fmt.Sprintf("ask: -k is %d", *k), "1 or more"}
	}
	var answers []string
	if *list != "" {
		var err error
		if answers, err = data.ReadAnswers(*list); err != nil {
			return err
		}
	}
	img, err := lab.Load(*picture)
	if err != nil {
		return err
	}
	m, err := open()
	if err != nil {
		return err
	}
	defer m.Close()
	found, err := m.Answer(ctx, img, *question, answers...)
	if err != nil {
		return err
	}
	if err := writeFigure(*out, found); err != nil {
		return err
	}
	found.Hits = found.Hits[:min(*k, len(found.Hits))]
	if !*asJSON {
		fmt.Fprintln(e.stdout, found)
		return nil
	}
	answer := askAnswer{Answers: []askHit{}, Unknown: append([]string{}, found.Unknown...)}
	for _, h := range found.Hits {
		answer.Answers = append(answer.Answers, askHit{h.Answer, h.Probability})
	}
	return printJSON(e.stdout, answer)
}
