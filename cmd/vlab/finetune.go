package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/train"
)

// keyFlag is a flag of one task alone that stands for a key of the config.
type keyFlag struct{ key, usage string }

// finetune is the command of a task that begins with a pretrained model.
func finetune(name string, run func(ctx context.Context, r task.Run) (task.Results, error), keys ...keyFlag) func(context.Context, env, []string) error {
	return func(ctx context.Context, e env, args []string) error {
		f := newFlags(e, name, "--config YAML --output_dir DIR --checkpoint F [--evaluate] [flags]")
		config := f.String("config", "", "`file` of the run, official keys, or a built-in one: "+name)
		dir := f.String("output_dir", "", "`folder` for checkpoints, logs and results")
		checkpoint := f.String("checkpoint", "", "`file` of a pretrained model to begin with or of a finetuned one, the folder of a run, or demo")
		resume := f.Bool("resume", false, "go on where the newest checkpoint in output_dir, or --checkpoint, stopped")
		evaluate := f.Bool("evaluate", false, "measure the checkpoint and train nothing")
		override := f.overrideFlags(keys...)
		device := f.deviceFlag()
		if _, err := f.parse(args, 0); err != nil {
			return err
		}
		if err := f.need("config", "output_dir"); err != nil {
			return err
		}
		c, err := task.ReadConfig(*config)
		if err != nil {
			return err
		}
		if err := override(c); err != nil {
			return err
		}
		dev, err := device()
		if err != nil {
			return err
		}
		if *checkpoint == "demo" {
			remove, err := unpackDemo(checkpoint)
			if err != nil {
				return err
			}
			defer remove()
		}
		m := newMeter(e)
		defer m.end()
		results, err := run(ctx, task.Run{
			Config: c, Dir: *dir, Device: dev, Checkpoint: *checkpoint, Resume: *resume, Evaluate: *evaluate,
			Logger:  slog.New(slog.NewTextHandler(m, nil)),
			Observe: func(stage string, p train.Progress) { m.show(stage, p.Step, p.Steps, progressNote(p)) },
		})
		for _, key := range slices.Sorted(maps.Keys(results)) {
			fmt.Fprintf(e.stdout, "%s %.4g\n", key, results[key])
		}
		if errors.Is(err, train.ErrInterrupted) {
			return &hintedError{err, "the same command with --resume goes on from " + filepath.Join(*dir, train.LastName)}
		}
		return err
	}
}

// unpackDemo puts the path of a file with the embedded model in the place of
// its name; remove removes the file.
func unpackDemo(checkpoint *string) (remove func(), err error) {
	dir, err := os.MkdirTemp("", "vlab-demo-")
	if err != nil {
		return nil, fmt.Errorf("unpack the demo model: %w", err)
	}
	*checkpoint = filepath.Join(dir, "demo.safetensors")
	return func() { _ = os.RemoveAll(dir) }, lab.WriteDemo(*checkpoint)
}
