//go:build !front

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"vlab/albef/lab"
)

func runExport(_ context.Context, e env, args []string) error {
	f := newFlags(e, "export", "CHECKPOINT --out F.safetensors [--layer L] [--heads F,F,...]")
	out := f.String("out", "", "`file` to write, a .safetensors")
	layer := f.Int("layer", -1, "the `layer` that grounding reads by default, counted over all layers of the text side; -1: the middle one")
	heads := f.String("heads", "", "`files` of vlab vqa, ve or nlvr, finetuned from the checkpoint, whose queries the file shall answer, too; commas between them")
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
	m, err := lab.Open(files[0], lab.WithDevice("cpu"))
	if err != nil {
		return fmt.Errorf("export %s: %w", files[0], err)
	}
	defer m.Close()
	if *layer >= 0 {
		if err := m.SetLayer(*layer); err != nil {
			return &usageError{fmt.Sprintf("export: --layer: %v", err), hintOf(err)}
		}
	}
	var finetuned []*lab.Model
	for file := range strings.SplitSeq(*heads, ",") {
		if file == "" {
			continue
		}
		head, err := lab.Open(file, lab.WithDevice("cpu"))
		if err != nil {
			return fmt.Errorf("export: --heads: %w", err)
		}
		defer head.Close()
		finetuned = append(finetuned, head)
	}
	if err := m.Save(*out, finetuned...); err != nil {
		return err
	}
	info, err := os.Stat(*out)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(e.stdout, "%s, %s\n", *out, byteText(info.Size()))
	return nil
}
