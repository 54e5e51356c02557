package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"vlab/albef/scenes"
	"vlab/albef/task"
	"vlab/albef/train"
)

// Finetune trains a model for a task and measures it: retrieval, grounding, vqa,
// ve, nlvr, or pretrain-nlvr, which nlvr may begin with. Without a File it takes
// the demo model and a corpus of drawn scenes, which it writes into the run's
// folder. What is shown, and what an interrupt does, is as for [Pretrain]; after
// each epoch the figures and a picture of what was learned are shown too, and
// [Run.Results] has the last ones.
func Finetune(ctx context.Context, name string, cfg Config) (*Run, error) {
	if name == "" {
		return nil, hinted(knownTasks(), "finetune: no task")
	}
	cfg.Task = name
	return Pretrain(ctx, cfg)
}

func knownTasks() string { return "one of " + strings.Join(task.Names(), ", ") }

// checkTask reports what of the configuration no run of its kind can have.
func (cfg Config) checkTask() error {
	switch {
	case cfg.Task == "" && cfg.Evaluate:
		return hinted("pretraining measures nothing; lab.Finetune(ctx, \"retrieval\", ...) with Evaluate measures a pretrained model", "Evaluate without a Task")
	case cfg.Task != "" && task.Named(cfg.Task) == nil:
		return hinted(knownTasks(), "no task %q", cfg.Task)
	}
	return nil
}

// The corpus of the built-in configurations.
const (
	corpusName   = "corpus" // its folder, in their files as in a run's
	corpusScenes = 700
	corpusSeed   = 9
	corpusSide   = 64 // of a picture, in pixels
)

// moveCorpus puts dir in the place of the corpus that a built-in configuration
// names.
func moveCorpus(c *train.Config, dir string) {
	move := func(path string) string {
		if rest, ok := strings.CutPrefix(path, corpusName); ok {
			return dir + rest
		}
		return path
	}
	for _, path := range []*string{&c.ImageRoot, &c.VQARoot, &c.VGRoot, &c.RefcocoData, &c.DetFile, &c.CocoFile, &c.AnswerList} {
		*path = move(*path)
	}
	for _, files := range [][]string{c.TrainFile, c.ValFile, c.TestFile} {
		for i := range files {
			files[i] = move(files[i])
		}
	}
}

// drawCorpus writes the corpus of a built-in configuration, unless it is there.
func (r *Run) drawCorpus(ctx context.Context) error {
	dir := filepath.Join(r.Dir, corpusName)
	if _, err := os.Stat(filepath.Join(dir, "labels.json")); err == nil {
		return nil
	}
	bar := newBar(ctx, "drawing scenes", corpusScenes, 1)
	defer bar.done()
	return scenes.Write(ctx, dir, corpusScenes, corpusSeed, corpusSide, func(done, _ int) { bar.set(done) })
}
