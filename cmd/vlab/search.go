//go:build !front

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"vlab/albef/lab"
)

// searchAnswer is what vlab search --json prints.
type searchAnswer struct {
	Results []searchHit `json:"results"`
	Unknown []string    `json:"unknown_words"`
	Skipped []string    `json:"skipped"` // pictures that can't be read, with the reason
	Changed []string    `json:"changed"` // pictures that have changed since the gallery was saved
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
	f := newFlags(e, "search", "[--model M] --images DIR|JSON [--gallery FILE] --text T [-k K] [--out PNG] [--json]")
	images := f.String("images", "", "a `folder` of pictures, or a json in an official format; may be left out with --gallery")
	root := f.String("image_root", "", "`folder` that names in the json are relative to (default the json's own)")
	saved := f.String("gallery", "", "`file` that keeps the pictures' features, such as photos.vgal: made if it is missing, brought up to date with --images, and searched at once without")
	text := f.String("text", "", "what to look for, as `words`")
	k := f.Int("k", 8, "how many pictures to return")
	out := f.String("out", "", "`file` for a contact sheet, a PNG")
	asJSON := f.Bool("json", false, "print one JSON object; itm is the logit for a match, by which results are ranked")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("text"); err != nil {
		return err
	}
	if *saved == "" {
		if err := f.need("images"); err != nil {
			return err
		}
	}
	if *k < 1 {
		return &usageError{fmt.Sprintf("search: -k is %d", *k), "1 or more"}
	}
	m, err := open()
	if err != nil {
		return err
	}
	defer m.Close()
	meter := newMeter(e)
	ctx = lab.WithSink(ctx, meterSink{meter})
	g, err := searched(ctx, e, m, meter, *images, *root, *saved)
	if err != nil {
		return err
	}
	found, err := m.Retrieve(ctx, g, *text, *k)
	meter.end()
	if err != nil {
		return errors.Join(err, g.Close())
	}
	return errors.Join(writeSearch(e, g, found, *out, *asJSON), g.Close())
}

// searched is the gallery that is asked for: the pictures, or the saved gallery,
// made or brought up to date where the pictures are named too.
func searched(ctx context.Context, e env, m *lab.Model, meter *meter, images, root, saved string) (*lab.Images, error) {
	if saved == "" {
		return lab.Gallery(images, root)
	}
	if images == "" {
		g, err := lab.OpenGallery(saved)
		if errors.Is(err, fs.ErrNotExist) {
			err = &hintedError{err, "--images DIR names the pictures to make it from"}
		}
		return g, err
	}
	g, err := lab.Gallery(images, root)
	if err != nil {
		return nil, err
	}
	done, err := m.SaveGallery(ctx, g, saved)
	meter.end()
	if err := errors.Join(err, g.Close()); err != nil {
		return nil, err
	}
	fmt.Fprintln(e.stderr, done)
	return lab.OpenGallery(saved)
}

// writeSearch prints what was found, and draws it where a file is named.
func writeSearch(e env, g *lab.Images, found *lab.Ranking, out string, asJSON bool) error {
	if err := writeFigure(out, found); err != nil {
		return err
	}
	if !asJSON {
		fmt.Fprintln(e.stdout, found)
		return nil
	}
	answer := searchAnswer{
		Results: []searchHit{}, Unknown: append([]string{}, found.Unknown...),
		Skipped: append([]string{}, g.Bad()...), Changed: append([]string{}, found.Changed...),
	}
	for _, h := range found.Hits {
		answer.Results = append(answer.Results, searchHit{h.Image, h.ITC, h.ITM, h.Probability, h.Rank})
	}
	return printJSON(e.stdout, answer)
}
