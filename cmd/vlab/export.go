package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

func runExport(_ context.Context, e env, args []string) error {
	f := newFlags(e, "export", "CHECKPOINT --out F.safetensors [--layer L]")
	out := f.String("out", "", "`file` to write, a .safetensors")
	layer := f.Int("layer", -1, "the `layer` that grounding reads by default, counted over all layers of the text side; -1: the middle one")
	files, err := f.parse(args, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{"export: no checkpoint", "vlab export checkpoint_29.pth --out model.safetensors"}
	}
	if err := f.need("out"); err != nil {
		return err
	}
	ck, err := train.ReadCheckpoint(files[0])
	if err != nil {
		return err
	}
	tok, err := ck.Tokenizer()
	if err != nil {
		return fmt.Errorf("export %s: %w", files[0], err)
	}
	m, _, err := ck.Build(torch.CPU, 0)
	if err != nil {
		return fmt.Errorf("export %s: %w", files[0], err)
	}
	defer m.Close()
	note := map[string]string{}
	if *layer >= 0 {
		if c := m.Config(); *layer < c.FusionLayer || *layer >= c.Layers {
			return &usageError{
				fmt.Sprintf("export: --layer %d is no fusion layer", *layer),
				fmt.Sprintf("layers %d to %d attend to the picture", c.FusionLayer, c.Layers-1),
			}
		}
		note["ground_layer"] = strconv.Itoa(*layer)
	}
	if err := lab.SaveForQueries(&task.Trained{Model: m, Tokenizer: tok, Vocab: ck.Vocab}, *out, note); err != nil {
		return err
	}
	info, err := os.Stat(*out)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(e.stdout, "%s, %s\n", *out, byteText(info.Size()))
	return nil
}
