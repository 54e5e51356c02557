package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vlab/albef"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// Config says what to train. The zero Config is the tiny model on drawn scenes
// from fresh weights; with a Task it is the demo model, finetuned on drawn scenes.
type Config struct {
	Task   string // what to finetune, by the name of its command; "": pretraining
	Preset string // a built-in configuration; "" with File "" too means the task's, or tiny
	File   string // a YAML file in its place, of vlab or of the official release
	Dir    string // for checkpoints and logs; "": a new folder in the cache, which the run names
	Steps  int    // how many, counted from the first; 0: as configured. More than 0 leaves out a configured supervised start, unless Set has start.steps
	Seed   int64  // of weights and dropout; 0: as configured

	Set        map[string]string // single values, as {"optimizer.lr": "1e-4"}
	Checkpoint string            // weights to begin with: a file, a run's folder, or demo
	From       *Model            // or a model to begin with; it stays as it is
	Evaluate   bool              // measure only; with a Task
	Resume     bool              // go on where the run in Dir, of the same Preset or File, stopped
	Device     string            // auto (also ""), cpu or cuda:N
}

// Pretrain trains and returns when it is done. Progress and loss curves are
// shown on the context's sink. When ctx ends, which an interrupt does, the run
// saves and is returned without an error: its String says where it stopped and
// [Run.Resume] goes on. That takes less than a second: a step that is longer
// ends, and saves, in the background.
func Pretrain(ctx context.Context, cfg Config) (*Run, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	r, err := Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return r, r.follow(ctx)
}

// Start begins training in the background and returns once the model stands.
// The run goes on when ctx ends, as it does with the cell that began it:
// [Run.Stop] stops it.
func Start(ctx context.Context, cfg Config) (*Run, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	r, err := newRun(cfg)
	if err == nil {
		err = r.launch(ctx, cfg.Resume)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.what(), err)
	}
	return r, nil
}

// what names the work.
func (cfg Config) what() string { return cmp.Or(cfg.Task, mainStage) }

func newRun(cfg Config) (*Run, error) {
	dev, err := torch.ParseDevice(cfg.Device)
	if err != nil {
		return nil, err
	}
	if cfg.Dir = homePath(cfg.Dir); cfg.Dir == "" {
		if cfg.Resume {
			return nil, hinted("set Dir to the folder of the run", "Resume without Dir")
		}
		if cfg.Dir, err = newRunDir(cfg.what()); err != nil {
			return nil, err
		}
	}
	if cfg.Checkpoint != "" && cfg.From != nil {
		return nil, hinted("leave one of them out", "both Checkpoint and From say what to begin with")
	}
	if err := cfg.checkTask(); err != nil {
		return nil, err
	}
	settings, err := cfg.settings(dev)
	if err != nil {
		return nil, err
	}
	return &Run{Dir: cfg.Dir, config: cfg, settings: settings, device: dev, curves: map[string]*curve{}}, nil
}

// settings is the configuration as the YAML has it, with what cfg changes.
func (cfg Config) settings(dev torch.Device) (*train.Config, error) {
	name, err := cfg.source()
	if err != nil {
		return nil, err
	}
	c, err := task.ReadConfig(name)
	if err != nil {
		return nil, err
	}
	changes := map[string]string{}
	if !dev.IsCUDA() {
		changes["log_every"] = "1" // a curve needs every step, and reading it costs nothing on the CPU
	}
	if cfg.Steps < 0 {
		return nil, fmt.Errorf("%d steps", cfg.Steps)
	}
	if cfg.Steps > 0 {
		changes["max_steps"] = strconv.Itoa(cfg.Steps)
		if c.Start.Kind != 0 {
			changes["start.steps"] = "0"
		}
	}
	if cfg.Seed != 0 {
		changes["seed"] = strconv.FormatInt(cfg.Seed, 10)
	}
	if cfg.From != nil && cfg.Task == "" {
		if changes["model"], err = cfg.From.sizes(); err != nil {
			return nil, err
		}
	}
	if cfg.isBuiltIn() && cfg.Task != "" {
		moveCorpus(c, filepath.Join(cfg.Dir, corpusName))
	}
	maps.Copy(changes, cfg.Set)
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if err := c.Set(key, changes[key]); err != nil {
			return nil, err
		}
	}
	return c, c.Validate()
}

// sizes is the model's configuration as a run's file has it under model.
func (m *Model) sizes() (string, error) {
	c := m.config
	c.CellLabels = nil
	if c.QueueSize <= 1 { // a file for queries has no queue
		c.QueueSize = albef.Base().QueueSize
	}
	raw, err := json.Marshal(c) // which is YAML too
	return string(raw), err
}

// source is the name or path of the configuration.
func (cfg Config) source() (string, error) {
	switch {
	case cfg.Preset != "" && cfg.File != "":
		return "", hinted("leave one of them out", "both Preset and File say what to train")
	case cfg.Preset != "":
		return cfg.Preset, nil
	case cfg.File != "":
		path := homePath(cfg.File)
		if !strings.ContainsAny(path, "./\\") {
			path = "./" + path // a bare name would be a built-in one
		}
		return path, nil
	}
	return cmp.Or(cfg.Task, "tiny"), nil
}

// isBuiltIn reports whether the configuration is a built-in one.
func (cfg Config) isBuiltIn() bool { return cfg.File == "" }

// newRunDir makes a folder in the cache for a run that named none.
func newRunDir(what string) (string, error) {
	cache := os.Getenv("VLAB_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", hinted("set Dir", "no folder for the run: %w", err)
		}
		cache = filepath.Join(user, "vlab")
	}
	runs := filepath.Join(cache, "runs")
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return "", hinted("set Dir", "folder for the run: %w", err)
	}
	dir, err := os.MkdirTemp(runs, what+"-"+time.Now().Format("20060102-150405")+"-")
	if err != nil {
		return "", hinted("set Dir", "folder for the run: %w", err)
	}
	return dir, nil
}

// handOver writes the weights of a model to a file that a run begins with; the
// caller calls done once it has been read.
func (m *Model) handOver() (path string, done func() error, err error) {
	m.use.Lock()
	defer m.use.Unlock()
	f, err := os.CreateTemp("", "vlab-from-*.safetensors")
	if err != nil {
		return "", nil, err
	}
	remove := func() error { return os.Remove(f.Name()) }
	if err := errors.Join(f.Close(), m.save(f.Name(), weights.F32)); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return f.Name(), remove, nil
}
