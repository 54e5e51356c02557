package task

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"

	"gopkg.in/yaml.v3"
)

//go:embed configs/*.yaml
var presets embed.FS

// ReadConfig reads a configuration file, or one of the built-in ones by name:
// demo and tiny, which pretrain on drawn scenes, and one for each of [Names], for a
// corpus of drawn scenes in the folder corpus.
func ReadConfig(nameOrPath string) (*train.Config, error) {
	if !strings.ContainsAny(nameOrPath, "./\\") {
		raw, err := presets.ReadFile("configs/" + nameOrPath + ".yaml")
		if err != nil {
			return nil, &hintError{fmt.Errorf("config %q: neither a file nor a built-in configuration", nameOrPath), "built in: demo, tiny, " + strings.Join(Names(), ", ")}
		}
		return train.ParseConfig(nameOrPath, raw)
	}
	return train.ReadConfig(nameOrPath)
}

type hintError struct {
	error
	hint string
}

func (e *hintError) Hint() string  { return e.hint }
func (e *hintError) Unwrap() error { return e.error }

// Pretrain is a pretraining run. Config and Dir are needed; other zero fields
// mean what their comments say.
type Pretrain struct {
	Config     *train.Config
	Dir        string       // where checkpoints and logs go; created
	Device     torch.Device // zero is the first CUDA device: say [torch.CPU] for the CPU
	Checkpoint string       // weights to begin with, or to resume from; "": fresh ones
	Resume     bool         // go on where Checkpoint, or else the newest one in Dir, stopped
	Logger     *slog.Logger // nil: slog.Default()

	Observe func(stage string, p train.Progress) // nil: nobody
	// Begun receives the model once it stands and again after each epoch; it is
	// called on the training goroutine, so the model may be used until it
	// returns. nil: nobody.
	Begun func(m *Trained)
}

// startConfig is the map under start: a supervised first stage of the image
// encoder on labelled patches, and how long it is trained after that.
type startConfig struct {
	Steps     int     `yaml:"steps"`
	BatchSize int     `yaml:"batch_size"`
	LR        float64 `yaml:"lr"`
	// FreezeEpoch is how many epochs train the image encoder with everything
	// else; from then on it is frozen. 0: never; -1: from the first on.
	FreezeEpoch int `yaml:"freeze_epoch"`
	// ITC is the weight of a contrastive loss within the batch, which teaches the
	// image's [CLS] and the text encoder.
	ITC float64 `yaml:"itc"`
}

// run is one Pretrain at work.
type run struct {
	Pretrain
	*Trained
	*origin
	drawn   *DrawnConfig // nil: records from files
	start   startConfig
	log     *slog.Logger
	opt     *train.AdamW
	metrics *train.Metrics
	from    train.Position
	per     int          // steps of an epoch
	started int          // steps of the supervised start that a resumed run has done
	opening *train.AdamW // the start's optimiser after these; nil: a new one

	recompute train.Recompute
}

// Run trains until the end or until ctx is cancelled, and returns the trained
// model, which the caller closes; also with [train.ErrInterrupted], when
// everything is saved.
func (p Pretrain) Run(ctx context.Context) (*Trained, error) {
	r := &run{Pretrain: p, log: p.Logger}
	if r.log == nil {
		r.log = slog.Default()
	}
	if err := r.prepare(); err != nil {
		return nil, err
	}
	defer r.opt.Close()
	err := r.train(ctx)
	if err != nil && !errors.Is(err, train.ErrInterrupted) {
		r.Model.Close()
		return nil, err
	}
	return r.Trained, err
}

func (r *run) prepare() error {
	c := r.Config
	if err := c.Validate(); err != nil {
		return err
	}
	var err error
	if r.recompute, err = c.Recompute(c.BatchSize); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return fmt.Errorf("output_dir: %w", err)
	}
	if err := decodeNode(&c.Start, &r.start, "start"); err != nil {
		return err
	}
	if c.Scenes.Kind != 0 {
		r.drawn = &DrawnConfig{}
		if err := decodeNode(&c.Scenes, r.drawn, "scenes"); err != nil {
			return err
		}
	} else if len(c.TrainFile) == 0 {
		return &hintError{
			errors.New("config: neither train_file nor scenes says what to train on"),
			"train_file: [data.json] for official records, scenes: {seed: 1} for the drawn corpus",
		}
	}
	defer func() { r.drop() }()
	if err := r.build(); err != nil {
		return err
	}
	if err := r.Model.Freeze(c.Freeze...); err != nil {
		r.Model.Close()
		return err
	}
	r.opt = train.NewAdamW(r.Model, c.Optimizer.WeightDecay)
	r.opt.Beta1, r.opt.Beta2, r.opt.Eps = c.Optimizer.Betas[0], c.Optimizer.Betas[1], c.Optimizer.Eps
	if err := r.restore(); err != nil {
		if r.opening != nil {
			r.opening.Close()
		}
		r.opt.Close()
		r.Model.Close()
		return err
	}
	return c.WriteFile(filepath.Join(r.Dir, "config.yaml"))
}

// decodeNode reads a map of the configuration; unknown keys are errors.
func decodeNode(n *yaml.Node, into any, key string) error {
	if n.Kind == 0 {
		return nil
	}
	raw, err := yaml.Marshal(n)
	if err != nil {
		return fmt.Errorf("config: %s: %w", key, err)
	}
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		what := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n  ")
		return fmt.Errorf("config: under %s (line %d): %s", key, n.Line, what)
	}
	return nil
}

// build makes the model with fresh weights, of the sizes that the configuration
// gives under model, else of the checkpoint's.
func (r *run) build() error {
	path, err := checkpointPath(r.Checkpoint, r.Dir, r.Resume)
	if err != nil {
		return err
	}
	o, err := readOrigin(r.Config, path)
	if err != nil {
		return err
	}
	r.origin = o
	if err := o.checkWords(); err != nil {
		return err
	}
	config := o.config
	if path != "" && r.Config.Model.Kind != 0 {
		if config, err = modelConfig(r.Config); err != nil {
			return err
		}
	}
	r.Trained = &Trained{Tokenizer: o.tokenizer, Vocab: o.vocab}
	if r.drawn != nil && o.vocab == nil && !r.Config.Has("bert_config") {
		if r.Tokenizer, r.Vocab, err = SceneTokenizer(); err != nil {
			return err
		}
	}
	config.VocabSize = r.Tokenizer.Size()
	config.CellLabels = nil
	if r.drawn != nil && r.drawn.Cells {
		config.CellLabels = CellLabels(config.Grid())
	}
	if r.Model, err = albef.New(config, r.Device, r.Config.Seed); err != nil {
		return err
	}
	r.Model.OfficialQuirks(r.Config.OfficialQuirks)
	return nil
}

// restore loads weights, and for a resumed run the rest of the state.
func (r *run) restore() error {
	resumed := 0
	if ck := r.checkpoint; ck != nil {
		report, err := r.Model.LoadState(ck.State)
		if err == nil && r.Config.OfficialQuirks {
			err = strictly(report)
		}
		if err != nil {
			return fmt.Errorf("load checkpoint %s: %w", r.path, err)
		}
		r.log.Info("checkpoint", "file", r.path, "weights", report.String())
		if r.Resume {
			if err := r.resume(ck); err != nil {
				return fmt.Errorf("resume from %s: %w", r.path, err)
			}
			resumed = ck.Steps
		}
	}
	aside := Run{Dir: r.Dir, Resume: r.Resume, Logger: r.log}
	if err := aside.setAside(); err != nil {
		return err
	}
	var err error
	r.metrics, err = train.OpenMetrics(r.Dir, resumed)
	return err
}

// beforeFirst is the epoch of checkpoints within the supervised start.
const beforeFirst = -1

// resume goes on where a checkpoint stopped.
func (r *run) resume(ck *train.Checkpoint) error {
	ck.RestoreRandom(r.Device)
	if ck.At.Epoch == beforeFirst {
		r.started, r.opening = ck.At.Step, r.newOpening()
		return r.opening.LoadState(ck.Optimizer)
	}
	r.from, r.start.Steps = ck.At, 0
	return r.opt.LoadState(ck.Optimizer)
}

// newOpening makes the optimiser of the supervised start.
func (r *run) newOpening() *train.AdamW {
	return train.NewAdamW(r.Model, r.Config.Optimizer.WeightDecay)
}

// strictly refuses a checkpoint that isn't exactly the model's, as the official
// load_state_dict does.
func strictly(report albef.LoadReport) error {
	what, names := "lacks", report.Missing
	if len(names) == 0 {
		what, names = "has also", report.Unexpected
	}
	if len(names) == 0 {
		return nil
	}
	return &hintError{
		fmt.Errorf("it %s %d weights, such as %s", what, len(names), names[0]),
		"without official_quirks momentum weights and queues may be missing, and others left over",
	}
}

// train runs the supervised start, if there is one, and then the three losses.
func (r *run) train(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, r.metrics.Close()) }()
	r.begun()
	if err := r.supervise(ctx); err != nil {
		return err
	}
	feed, err := openFeed(ctx, r.Config, r.log, func(ctx context.Context) (train.Feed[albef.Batch], error) {
		return r.feed(ctx, r.Config.BatchSize)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, feed.Close()) }()
	defer func() { tellBad(r.log, feed) }()
	r.per = feed.Steps()
	loop := r.loop(feed, "pretrain")
	freeze := func(epoch int) { r.Model.FreezeImage(r.start.FreezeEpoch != 0 && epoch >= r.start.FreezeEpoch) }
	freeze(r.from.Epoch)
	loop.Record = func(rec train.StepRecord) error {
		values := maps.Clone(rec.Losses)
		values["lr"] = rec.LR
		return r.metrics.Step(rec.Step, rec.Epoch, values)
	}
	loop.Save = func(at train.Position) error { return r.save(train.LastName, at) }
	loop.SaveEvery = r.Config.SaveEvery
	began := time.Now()
	loop.EpochDone = func(at train.Position) error {
		if err := r.save(train.EpochName(at.Epoch-1), at); err != nil {
			return err
		}
		r.log.Info("epoch done", "epoch", at.Epoch-1, "seconds", int(time.Since(began).Seconds()))
		tellConstant(r.log, r.metrics.Means(at.Epoch-1))
		freeze(at.Epoch)
		r.begun()
		return r.metrics.Epoch(at.Epoch-1, nil)
	}
	if err := loop.Run(ctx, r.from); err != nil {
		return err
	}
	if at := r.Config.MaxSteps; at > 0 && at%r.per != 0 && at < r.Config.Schedular.Epochs*r.per {
		return r.save(train.LastName, train.Position{Epoch: at / r.per, Step: at % r.per})
	}
	return nil
}

// loop is what both stages share.
func (r *run) loop(feed train.Feed[albef.Batch], stage string) *train.Loop[albef.Batch] {
	c := r.Config
	l := &train.Loop[albef.Batch]{
		Model: r.Model, Opt: r.opt, Feed: feed, Schedule: c.Schedule(), Epochs: c.Schedular.Epochs, MaxSteps: c.MaxSteps,
		Distill: train.DistillRamp{Weight: c.DistillWeight, WarmUp: true},
		BF16:    c.DType == "bf16", Clip: c.GradClip, LogEvery: c.LogEvery, Recompute: r.recompute,
		Recording: r.recording(), Variant: r.variant, Logger: r.log,
	}
	l.Forward = func(b albef.Batch, distill float64) []train.Loss {
		return terms(r.Model.PretrainParts(b, distill, c.Accumulate))
	}
	if r.Observe != nil {
		l.Observe = func(p train.Progress) { r.Observe(stage, p) }
	}
	return l
}

// recording is whether steps are recorded. As official_quirks has it, negatives
// are drawn by weights that are read.
func (r *run) recording() train.Recording {
	how := train.Recording(r.Config.CUDAGraphs)
	if how == train.RecordAuto && r.Config.OfficialQuirks && r.Device.IsCUDA() {
		r.log.Info("steps are not recorded", "reason", "official_quirks reads what negatives are drawn by")
		return train.RecordOff
	}
	return how
}

// variant names what a step depends on beside its batch.
func (r *run) variant() string {
	if r.Model.ImageFrozen() {
		return "image frozen"
	}
	return ""
}

// terms names the losses of a batch as the official logs do.
func terms(l albef.Losses) []train.Loss {
	out := []train.Loss{{Name: "loss_mlm", Value: l.MLM}, {Name: "loss_ita", Value: l.ITC}, {Name: "loss_itm", Value: l.ITM}}
	for _, extra := range []train.Loss{{Name: "loss_claims", Value: l.Claims}, {Name: "loss_cells", Value: l.Cells}} {
		if extra.Value != nil {
			out = append(out, extra)
		}
	}
	return out
}

// supervise is the supervised start of the image encoder: one cosine over
// start.steps on labelled patches, with an optimiser of its own.
func (r *run) supervise(ctx context.Context) error {
	if r.start.Steps == 0 {
		return nil
	}
	if r.drawn == nil || !r.drawn.Cells {
		return &hintError{errors.New("config: start trains on labelled patches, which only drawn scenes have"), "set scenes: {cells: true}"}
	}
	c := *r.drawn
	c.EpochSteps, c.Claims = 1, 0
	c.Seed += 1 << 32 // other scenes than those to come
	feed, err := NewDrawn(c, r.Model.Config(), r.start.BatchSize, r.Tokenizer, r.Device)
	if err != nil {
		return err
	}
	opt := r.opening
	if opt == nil {
		opt = r.newOpening()
	}
	defer opt.Close()
	loop := r.loop(feed, "start")
	loop.Opt, loop.Epochs, loop.MaxSteps = opt, r.start.Steps, r.start.Steps
	loop.Recompute.Parts = false // the patches of one batch at once
	loop.Schedule = train.Schedule{LR: r.start.LR, Epochs: r.start.Steps}
	loop.Forward = func(b albef.Batch, _ float64) []train.Loss {
		return r.startLosses(b)
	}
	loop.Save = func(at train.Position) error {
		return r.saveWith(opt, train.LastName, train.Position{Epoch: beforeFirst, Step: at.Epoch})
	}
	loop.SaveEvery = r.Config.SaveEvery
	err = errors.Join(loop.Run(ctx, train.Position{Epoch: r.started}), feed.Close()) // an epoch of this feed is a step
	if err != nil {
		return err
	}
	return torch.Do(func(*torch.Scope) { r.Model.CopyToMomentum() })
}

// startLosses are the terms of a step of the supervised start.
func (r *run) startLosses(b albef.Batch) []train.Loss {
	embeds := r.Model.Image.Forward(b.Images)
	losses := []train.Loss{{Name: "loss_cells", Value: r.Model.CellLoss(embeds, *b.Cells)}}
	if r.start.ITC > 0 {
		losses = append(losses, train.Loss{Name: "loss_ita", Value: r.Model.Align(embeds, b).Scale(r.start.ITC)})
	}
	return losses
}

func (r *run) begun() {
	if r.Begun != nil {
		r.Begun(r.Trained)
	}
}

func (r *run) save(name string, at train.Position) error { return r.saveWith(r.opt, name, at) }

func (r *run) saveWith(opt *train.AdamW, name string, at train.Position) error {
	ck := &train.Checkpoint{
		State: r.Model.State(), Optimizer: opt.State(r.Config.Optimizer.LR), Model: r.Model.Config(), Vocab: r.Vocab,
		At: at, Steps: max(at.Epoch*r.per+at.Step, 0),
	}
	ck.KeepRandom(r.Device)
	defer ck.Drop()
	return ck.Write(filepath.Join(r.Dir, name), r.Config.Schedule(), r.Config)
}

// feed opens the data.
func (r *run) feed(ctx context.Context, batch int) (train.Feed[albef.Batch], error) {
	if r.drawn != nil {
		return NewDrawn(*r.drawn, r.Model.Config(), batch, r.Tokenizer, r.Device)
	}
	records, err := readCaptions(r.Config).training(ctx, &Run{Config: r.Config, Logger: r.log}, r.Tokenizer, 0)
	if err != nil {
		return nil, err
	}
	size := r.Model.Config().ImageRes
	clean := func(caption string) string { return text.PreCaption(caption, captionWords) }
	source := data.NewPretrainSource(records, augmented(r.Config, data.PretrainAugment(size)), clean)
	loader, err := trainLoader(r.Config, source, batch, size, 1)
	if err != nil {
		return nil, err
	}
	return NewRecorded(loader, r.Tokenizer, size, r.Model.Config().MaskProb, uint64(r.Config.Seed), r.Device), nil
}
