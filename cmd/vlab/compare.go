//go:build !front

package main

import (
	"context"
	"fmt"
	"image"
	"strings"

	"vlab/albef/lab"
)

// compareAnswer is what vlab compare --json prints.
type compareAnswer struct {
	True    float64  `json:"true"` // probability
	Unknown []string `json:"unknown_words"`
}

func runCompare(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "compare", "--model M --images A,B --text T [--out PNG] [--json]")
	pictures := f.String("images", "", "the two pictures, as `A,B`")
	text := f.String("text", "", "the sentence that may be true of them, as `words`")
	out := f.String("out", "", "`file` for a figure, a PNG")
	asJSON := f.Bool("json", false, "print one JSON object; true is a probability")
	open := f.modelFlags()
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("images", "text"); err != nil {
		return err
	}
	first, second, err := loadPair(*pictures)
	if err != nil {
		return err
	}
	m, err := open()
	if err != nil {
		return err
	}
	defer m.Close()
	found, err := m.Compare(ctx, first, second, *text)
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
	return printJSON(e.stdout, compareAnswer{found.True, append([]string{}, found.Unknown...)})
}

// loadPair reads the two pictures of A,B.
func loadPair(names string) (first, second image.Image, err error) {
	paths := strings.Split(names, ",")
	if len(paths) != 2 {
		return nil, nil, &usageError{fmt.Sprintf("compare: --images names %d pictures", len(paths)), "two of them, as --images a.png,b.png"}
	}
	if first, err = lab.Load(strings.TrimSpace(paths[0])); err != nil {
		return nil, nil, err
	}
	second, err = lab.Load(strings.TrimSpace(paths[1]))
	return first, second, err
}
