package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"vlab/albef/task"
	"vlab/albef/train"
)

func runPretrain(ctx context.Context, e env, args []string) error {
	f := newFlags(e, "pretrain", "--config YAML --output_dir DIR [flags]")
	config := f.String("config", "", "`file` of the run, official keys, or a built-in one: tiny")
	dir := f.String("output_dir", "", "`folder` for checkpoints, logs and metrics")
	checkpoint := f.String("checkpoint", "", "`file` of weights to begin with, or demo, or with --resume of the state to go on from")
	resume := f.Bool("resume", false, "go on where the newest checkpoint in output_dir, or --checkpoint, stopped")
	override := f.overrideFlags()
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
	trained, err := task.Pretrain{
		Config: c, Dir: *dir, Device: dev, Checkpoint: *checkpoint, Resume: *resume,
		Logger:  slog.New(slog.NewTextHandler(m, nil)),
		Observe: func(stage string, p train.Progress) { m.show(stage, p.Step, p.Steps, progressNote(p)) },
	}.Run(ctx)
	if trained != nil {
		trained.Model.Close()
	}
	if errors.Is(err, train.ErrInterrupted) {
		return &hintedError{err, "the same command with --resume goes on from " + filepath.Join(*dir, train.LastName)}
	}
	return err
}

// overrideFlags adds the flags that stand above a config's own values; keys are
// those that not every task has.
func (f *flags) overrideFlags(keys ...keyFlag) func(*train.Config) error {
	dtype := f.String("dtype", "", "fp32 or bf16, over the config's")
	seed := f.Int64("seed", 0, "over the config's")
	skip := f.Bool("skip_bad", false, "train although images are missing or records are wrong: leave them out and count them")
	var set settings
	values := make([]*string, len(keys))
	for i, k := range keys {
		values[i] = f.String(k.key, "", k.usage)
	}
	f.Var(&set, "set", "`key=value`, over the config's; may be repeated")
	return func(c *train.Config) error {
		if f.given("dtype") {
			set = append(set, "dtype="+*dtype)
		}
		if f.given("seed") {
			set = append(set, fmt.Sprintf("seed=%d", *seed))
		}
		if *skip {
			set = append(set, "skip_bad=true")
		}
		for i, k := range keys {
			if f.given(k.key) {
				set = append(set, k.key+"="+*values[i])
			}
		}
		for _, s := range set {
			key, value, _ := strings.Cut(s, "=")
			if err := c.Set(key, value); err != nil {
				return err
			}
		}
		return nil
	}
}

// progressNote is what stands behind the bar of a run in training.
func progressNote(p train.Progress) string {
	var losses strings.Builder
	for _, name := range []string{"loss", "loss_mlm", "loss_ita", "loss_itm", "loss_claims", "loss_cells"} {
		if v, ok := p.Losses[name]; ok {
			fmt.Fprintf(&losses, "%s %.4f  ", strings.TrimPrefix(name, "loss_"), v)
		}
	}
	return fmt.Sprintf("%slr %.2g  %.0f images/s  %s left", losses.String(), p.LR, p.ImagesPerSec, p.Left.Round(time.Second))
}
