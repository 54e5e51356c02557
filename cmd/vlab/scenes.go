package main

import (
	"context"
	"fmt"
	"path/filepath"

	"vlab/albef/scenes"
)

func runScenes(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "scenes", "--out DIR [--n N] [--seed S] [--size PIXELS]")
	dir := f.String("out", "", "`folder` for the pictures and the json files; created")
	n := f.Int("n", 1000, "how many scenes: a tenth each for val, test and held-out pairs, the rest for training")
	seed := f.Uint64("seed", 1, "the same seed draws the same scenes on any machine")
	size := f.Int("size", scenes.DefaultSize, "side of a picture, in `pixels`")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("out"); err != nil {
		return err
	}
	m := newMeter(e)
	err := scenes.Write(ctx, *dir, *n, *seed, *size, func(done, total int) { m.show("scenes", done, total, "") })
	m.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d scenes of %dx%d pixels in %s; pretrain on %s\n", *n, *size, *size, *dir, filepath.Join(*dir, "pretrain.json"))
	return nil
}
