//go:build !front

package main

import (
	"context"
	"fmt"

	"vlab/albef/lab"
)

// searchAnswer is what vlab search --json prints.
type searchAnswer struct {
	Results []searchHit `json:"results"`
	Unknown []string    `json:"unknown_words"`
	Skipped []string    `json:"skipped"` // pictures that can't be read, with the reason
}

// searchHit is one picture that was found.
type searchHit struct {
	Image       string  `json:"image"`
	ITC         float64 `json:"itc"`         // cosine
	ITM         float64 `json:"itm"`         // logit for a match, by which hits are ranked
	Probability float64 `json:"probability"` // of a match
	Rank        int     `json:"rank"`        // from 1
}

func runSearch(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "search", "[--model M] --images DIR|JSON --text T [-k K] [--out PNG] [--json]")
	images := f.String("images", "", "a `folder` of pictures, or a json in an official format")
	root := f.String("image_root", "", "`folder` that names in the json are relative to (default the json's own)")
	text := f.String("text", "", "what to look for, as `words`")
	k := f.Int("k", 8, "how many pictures to return")
	out := f.String("out", "", "`file` for a contact sheet, a PNG")
	asJSON := f.Bool("json", false, "print one JSON object; itm is the logit for a match, by which results are ranked")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("images", "text"); err != nil {
		return err
	}
	if *k < 1 {
		return &usageError{fmt.Sprintf("search: -k is %d", *k), "1 or more"}
	}
	m, err := open()
	if err != nil {
		return err
	}
	defer m.Close()
	g, err := lab.Gallery(*images, *root)
	if err != nil {
		return err
	}
	meter := newMeter(e)
	found, err := m.Retrieve(lab.WithSink(ctx, meterSink{meter}), g, *text, *k)
	meter.end()
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
	answer := searchAnswer{Results: []searchHit{}, Unknown: append([]string{}, found.Unknown...), Skipped: append([]string{}, g.Bad()...)}
	for _, h := range found.Hits {
		answer.Results = append(answer.Results, searchHit{h.Image, h.ITC, h.ITM, h.Probability, h.Rank})
	}
	return printJSON(e.stdout, answer)
}
