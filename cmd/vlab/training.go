//go:build !front

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// keyFlag is a flag of one task alone that stands for a key of the config.
type keyFlag struct{ key, usage string }

// training is what the commands that train have in common, as their flags say.
type training struct {
	config     *train.Config
	dir        string
	device     torch.Device
	checkpoint string
	resume     bool
	meter      *meter

	remove func() error // of what was unpacked for the run
}

// trainingFlags adds the flags of a command that trains and returns what reads
// them from args; the caller closes the result. builtIn names configurations
// that need no file, keys the flags that not every task has.
func (f *flags) trainingFlags(builtIn string, keys ...keyFlag) func(args []string) (*training, error) {
	config := f.String("config", "", "`file` of the run, official keys, or a built-in one: "+builtIn)
	dir := f.String("output_dir", "", "`folder` for checkpoints, logs and results")
	checkpoint := f.String("checkpoint", "", "`file` to begin with or to go on from, the folder of a run, or demo")
	resume := f.Bool("resume", false, "go on where the newest checkpoint in output_dir, or --checkpoint, stopped")
	override := f.overrideFlags(keys...)
	device := f.deviceFlag()
	return func(args []string) (*training, error) {
		if _, err := f.parse(args, 0); err != nil {
			return nil, err
		}
		if err := f.need("config", "output_dir"); err != nil {
			return nil, err
		}
		c, err := task.ReadConfig(*config)
		if err != nil {
			return nil, err
		}
		if err := override(c); err != nil {
			return nil, err
		}
		dev, err := device()
		if err != nil {
			return nil, err
		}
		t := &training{config: c, dir: *dir, device: dev, checkpoint: *checkpoint, resume: *resume, remove: func() error { return nil }}
		if t.checkpoint == "demo" {
			if t.checkpoint, t.remove, err = lab.UnpackDemo(); err != nil {
				return nil, err
			}
		}
		t.meter = newMeter(f.e)
		return t, nil
	}
}

// close ends the progress line and removes what was unpacked.
func (t *training) close() {
	t.meter.end()
	_ = t.remove()
}

// logger writes above the progress line.
func (t *training) logger() *slog.Logger { return slog.New(slog.NewTextHandler(t.meter, nil)) }

// observe shows progress.
func (t *training) observe(stage string, p train.Progress) {
	t.meter.show(stage, p.Step, p.Steps, progressNote(p))
}

// ended says how to go on with a run that was interrupted.
func (t *training) ended(err error) error {
	if errors.Is(err, train.ErrInterrupted) {
		return &hintedError{&interruptedError{err}, "the same command with --resume goes on from " + filepath.Join(t.dir, train.LastName)}
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
