//go:build !front

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"vlab/albef/task"
)

// finetune is the command of a task that begins with a pretrained model. keys
// are flags of its own.
func finetune(name string, keys ...keyFlag) func(context.Context, env, []string) error {
	return func(ctx context.Context, e env, args []string) error {
		f := newFlags(e, name, "--config YAML --output_dir DIR --checkpoint F [--evaluate] [flags]")
		evaluate := f.Bool("evaluate", false, "measure the checkpoint and train nothing")
		t, err := f.trainingFlags(name, keys...)(args)
		if err != nil {
			return err
		}
		defer t.close()
		results, err := task.Named(name)(ctx, task.Run{
			Config: t.config, Dir: t.dir, Device: t.device, Checkpoint: t.checkpoint, Resume: t.resume, Evaluate: *evaluate,
			Logger: t.logger(), Observe: t.observe,
		})
		for _, key := range slices.Sorted(maps.Keys(results)) {
			fmt.Fprintf(e.stdout, "%s %.4g\n", key, results[key])
		}
		return t.ended(err)
	}
}
