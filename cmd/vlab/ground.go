//go:build !front

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"vlab/albef/lab"
	"vlab/albef/train"
)

// groundAnswer is what vlab ground --json prints. Coordinates are pixels of the
// picture.
type groundAnswer struct {
	Text        string        `json:"text"`
	Tokens      []groundToken `json:"tokens"` // one a word; none in mode itc
	Phrase      groundPlace   `json:"phrase"`
	ITM         float64       `json:"itm"` // logit for a match
	Probability float64       `json:"probability"`
	Out         string        `json:"out"`
	Mode        string        `json:"mode"`
	Unknown     []string      `json:"unknown_words"`
}

type groundToken struct {
	Token string `json:"token"`
	groundPlace
}

// groundPlace is a peak and the box around it: x, y and x, y, width, height.
type groundPlace struct {
	Peak [2]float64 `json:"peak"`
	Box  [4]float64 `json:"box"`
}

func runGround(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "ground", "[--model M] --image F --text T [--layer L] [--head H|mean] [--mode itm|itc] --out PNG|HTML [--json]")
	picture := f.String("image", "", "`file` of the picture")
	text := f.String("text", "", "what to look for, as `words`")
	layer := f.Int("layer", -1, "whose attention is read: a fusion layer, counted over all layers of the text side, or in mode itc a block of the image encoder; -1: the model's own")
	head := f.String("head", "mean", "a head's number from 0, or mean, as `head`")
	mode := f.String("mode", "itm", "itm: cross-attention, a map a word; itc: the image encoder's own attention, as `mode`")
	out := f.String("out", "", "`file` for the figure, a PNG; an .html is a page on which one points at words, by the model's own choice of layer and head or any other")
	asJSON := f.Bool("json", false, "print one JSON object; itm is the logit for a match")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("image", "text", "out"); err != nil {
		return err
	}
	if err := f.oneOf("mode", "itm", "itc"); err != nil {
		return err
	}
	headNumber := -1
	if *head != "mean" {
		n, err := strconv.Atoi(*head)
		if err != nil || n < 0 {
			return &usageError{fmt.Sprintf("ground: --head is %q", *head), "a number from 0, or mean"}
		}
		headNumber = n
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
	g, err := m.Ground(ctx, img, *text)
	if err == nil && *mode == "itc" {
		g, err = g.ITC()
	}
	if err == nil && *layer >= 0 {
		g, err = g.Layer(*layer)
	}
	if err == nil && headNumber >= 0 {
		g, err = g.Head(headNumber)
	}
	if err != nil {
		return err
	}
	figure := g.PNG()
	if strings.HasSuffix(*out, ".html") {
		page, err := m.Explore(ctx, img, *text)
		if err != nil {
			return err
		}
		figure = []byte("<!doctype html>\n<meta charset=\"utf-8\">\n<title>vlab ground</title>\n" + page.HTML())
	}
	if err := train.WriteWhole(*out, figure); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(e.stdout, answerOf(g, *out))
	}
	fmt.Fprintf(e.stdout, "%s\n%s\n", g, *out)
	return nil
}

func answerOf(g *lab.Grounding, out string) groundAnswer {
	answer := groundAnswer{
		Text: g.Text, Tokens: []groundToken{}, Phrase: groundPlace{g.Peak, g.Box}, ITM: g.Logit, Probability: g.Probability,
		Out: out, Mode: g.Mode, Unknown: append([]string{}, g.Unknown...),
	}
	for _, w := range g.Maps() {
		answer.Tokens = append(answer.Tokens, groundToken{w.Word, groundPlace{w.Peak, w.Box}})
	}
	return answer
}
