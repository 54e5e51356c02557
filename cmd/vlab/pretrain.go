//go:build !front

package main

import (
	"context"

	"vlab/albef/task"
)

func runPretrain(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "pretrain", "--config YAML --output_dir DIR [flags]")
	t, err := f.trainingFlags("tiny")(args)
	if err != nil {
		return err
	}
	defer t.close()
	trained, err := task.Pretrain{
		Config: t.config, Dir: t.dir, Device: t.device, Checkpoint: t.checkpoint, Resume: t.resume, Logger: t.logger(), Observe: t.observe,
	}.Run(ctx)
	if trained != nil {
		trained.Model.Close()
	}
	return t.ended(err)
}
