package main

import (
	"context"
	"fmt"
	"path/filepath"

	"vlab/albef/scenes"
)

func runScenes(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "scenes", "--out DIR [--n N] [--seed S] [--size PIXELS] [--pictograms SHARE] [--textures SHARE]")
	dir := f.String("out", "", "`folder` for the pictures and the json files; created")
	n := f.Int("n", 1000, "how many scenes: a tenth each for val, test and held-out pairs, the rest for training")
	seed := f.Uint64("seed", 1, "the same seed draws the same scenes on any machine")
	size := f.Int("size", scenes.DefaultSize, "side of a picture, in `pixels`")
	pictograms := f.Float64("pictograms", 0, "`share` of the objects that are pictograms: a dog, a pizza")
	textures := f.Float64("textures", 0, "`share` of the other objects that are striped or dotted")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	if err := f.need("out"); err != nil {
		return err
	}
	for _, share := range []struct {
		flag  string
		value float64
	}{{"--pictograms", *pictograms}, {"--textures", *textures}} {
		if !(share.value >= 0 && share.value <= 1) {
			return &usageError{fmt.Sprintf("scenes: %s is %g", share.flag, share.value), "a share from 0 to 1"}
		}
	}
	of := scenes.Options{Size: *size, Pictograms: *pictograms, Textures: *textures}
	m := newMeter(e)
	err := scenes.WriteOf(ctx, *dir, *n, *seed, of, func(done, total int) { m.show("scenes", done, total, "") })
	m.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d scenes of %dx%d pixels in %s; pretrain on %s\n", *n, *size, *size, *dir, filepath.Join(*dir, "pretrain.json"))
	return nil
}
