//go:build !front

package main

import (
	"context"
	"fmt"

	"vlab/albef/lab"
)

// entailAnswer is what vlab entail --json prints.
type entailAnswer struct {
	Classes []entailClass `json:"classes"` // entailment, neutral, contradiction
	Unknown []string      `json:"unknown_words"`
}

type entailClass struct {
	Class       string  `json:"class"`
	Probability float64 `json:"probability"`
}

func runEntail(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "entail", "--model M --image F --text T [--out PNG] [--json]")
	picture := f.String("image", "", "`file` of the picture")
	text := f.String("text", "", "the sentence that the picture may show, as `words`")
	out := f.String("out", "", "`file` for a figure, a PNG")
	asJSON := f.Bool("json", false, "print one JSON object")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("image", "text"); err != nil {
		return err
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
	found, err := m.Entails(ctx, img, *text)
	if err != nil {
		return err
	}
	if err := writeFigure(*out, found); err != nil {
		return err
	}
	if !*asJSON {
		fmt.Fprintln(e.stdout, found)
		return nil
	}
	answer := entailAnswer{Classes: []entailClass{}, Unknown: append([]string{}, found.Unknown...)}
	for _, c := range found.Classes {
		answer.Classes = append(answer.Classes, entailClass{c.Class, c.Probability})
	}
	return printJSON(e.stdout, answer)
}
