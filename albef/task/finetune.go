package task

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"vlab/albef"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// Run says on what and where a task is run; it is the same for all of them.
// Config and Dir are needed; other zero fields mean what their comments say.
type Run struct {
	Config     *train.Config
	Dir        string       // where checkpoints, logs and results go; created
	Device     torch.Device // zero is the first CUDA device: say [torch.CPU] for the CPU
	Checkpoint string       // of pretraining, to begin with; or a finetuned one, to go on from or to evaluate; or a run's folder
	Resume     bool         // go on where Checkpoint, or else the newest one in Dir, stopped
	Evaluate   bool         // measure only
	Logger     *slog.Logger // nil: slog.Default()

	Observe func(stage string, p train.Progress) // nil: nobody
	// Begun receives the model once it is loaded, and then it is the receiver's
	// to close when the run is over. It is called on the training goroutine, as
	// are Observe and Measured: the model may be used until they return, and by
	// nobody else in between. nil: the run closes it.
	Begun func(m *Trained)
	// Measured receives what was measured after an epoch, counted from 0, or
	// with Evaluate. nil: nobody.
	Measured func(epoch int, results Results)

	lent      bool // Begun has the model
	inParts   bool // the task's steps know train.Recompute
	recompute train.Recompute
}

// Results are a task's figures by their official names, such as test_acc or
// test_r1; log.txt has them.
type Results map[string]float64

// Named returns a finetuning task by the name of its command, nil for an
// unknown one; [Names] lists them.
func Named(name string) func(ctx context.Context, r Run) (Results, error) {
	switch name {
	case "retrieval":
		return Retrieval
	case "vqa":
		return VQA
	case "ve":
		return VE
	case "pretrain-nlvr":
		return PretrainNLVR
	case "nlvr":
		return NLVR
	case "grounding":
		return Grounding
	}
	return nil
}

// Names lists the finetuning tasks.
func Names() []string {
	return []string{"grounding", "nlvr", "pretrain-nlvr", "retrieval", "ve", "vqa"}
}

// origin is what a run begins with: a checkpoint, or sizes alone.
type origin struct {
	config     albef.Config
	checkpoint *train.Checkpoint // nil without one
	path       string
	tokenizer  *text.Tokenizer
	vocab      []string // nil: bert-base-uncased
}

// open reads the run's checkpoint, and from it the sizes, over which the
// configuration's own keys stand.
func (r *Run) open() (*origin, error) {
	if r.Logger == nil {
		r.Logger = slog.Default()
	}
	if err := r.Config.Validate(); err != nil {
		return nil, err
	}
	err := r.Config.NoRecompute()
	if r.inParts {
		r.recompute, err = r.Config.Recompute(r.trainBatch())
	}
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("output_dir: %w", err)
	}
	path, err := checkpointPath(r.Checkpoint, r.Dir, r.Resume)
	if err != nil {
		return nil, err
	}
	return readOrigin(r.Config, path)
}

// checkpointPath is the file that a run begins with, "" without one: checkpoint,
// which may be the folder of a run, or with resume else the newest one in dir.
func checkpointPath(checkpoint, dir string, resume bool) (string, error) {
	if checkpoint == "" && resume {
		path, err := train.FindLast(dir)
		if err != nil {
			return "", &hintError{err, "leave --resume out to start afresh"}
		}
		return path, nil
	}
	if info, err := os.Stat(checkpoint); err == nil && info.IsDir() {
		path, err := train.FindLast(checkpoint)
		if err != nil {
			return "", &hintError{err, "--checkpoint names a checkpoint, or the folder of a run"}
		}
		return path, nil
	}
	return checkpoint, nil
}

// readOrigin reads a checkpoint and its sizes, over which the configuration's
// own keys stand; without a path there are sizes alone.
func readOrigin(c *train.Config, path string) (*origin, error) {
	o := &origin{path: path, tokenizer: text.Default()}
	var err error
	if path == "" {
		o.config, err = modelConfig(c)
		return o, err
	}
	if o.checkpoint, err = train.ReadCheckpoint(path); err != nil {
		return nil, err
	}
	if err := o.size(c); err != nil {
		o.drop()
		return nil, err
	}
	return o, nil
}

// size takes over what the checkpoint says of the model.
func (o *origin) size(c *train.Config) error {
	var err error
	if o.tokenizer, err = o.checkpoint.Tokenizer(); err != nil {
		return fmt.Errorf("load checkpoint %s: %w", o.path, err)
	}
	o.vocab = o.checkpoint.Vocab
	base := o.checkpoint.Model
	if base.Layers == 0 { // an official file, without sizes
		if base, err = Untold(c); err != nil {
			return err
		}
	}
	if o.config, err = albef.ConfigOf(o.checkpoint.State, base); err != nil {
		return fmt.Errorf("load checkpoint %s: %w", o.path, err)
	}
	override(c, &o.config)
	return o.config.Validate()
}

// drop lets go of the checkpoint once its weights are where they belong.
func (o *origin) drop() {
	if o != nil && o.checkpoint != nil {
		o.checkpoint.Drop()
	}
}

// checkWords reports a vocabulary that isn't the weights': a word that no row of
// them stands for would end the process.
func (o *origin) checkWords() error {
	if words := o.tokenizer.Size(); o.checkpoint != nil && words != o.config.VocabSize {
		return &hintError{
			fmt.Errorf("load checkpoint %s: %d words in the vocabulary, %d in the weights", o.path, words, o.config.VocabSize),
			"the file lacks its vocabulary; only models of bert-base-uncased need none",
		}
	}
	return nil
}

// officialDecay is the momentum that the official models of VQA, VE and NLVR2
// have built in.
const officialDecay = 0.995

// fixDecay takes the built-in momentum where official_quirks asks for it.
func (o *origin) fixDecay(c *train.Config) {
	if c.OfficialQuirks {
		o.config.MomentumDecay = officialDecay
	}
}

// job is one task's part in a run.
type job[B train.Batch] struct {
	model interface {
		train.Model
		LoadState(state *weights.Dict, fresh ...func(name string) bool) (albef.LoadReport, error)
		Freeze(patterns ...string) error
	}
	// adapt turns a pretraining checkpoint's weights into the task's; those of a
	// finetuned one it returns as they are. nil: nothing is to be done.
	adapt func(state *weights.Dict) (*weights.Dict, error)
	// queries is the model as queries take it; what turns text into its input is
	// filled in.
	queries Trained
	fresh   func(name string) bool // weights that a pretraining checkpoint needn't have; nil: none
	feed    func(ctx context.Context) (train.Feed[B], error)
	// forward computes a batch's losses; distill is the teacher's weight, 0 without.
	forward func(b B, distill float64) []train.Loss
	// evaluate measures the model as it is. It runs without gradients.
	evaluate func(ctx context.Context) (Results, error)
	// finish measures what is measured once, when all epochs are done or with
	// Evaluate; epoch is the last. nil: nothing is.
	finish func(ctx context.Context, epoch int) (Results, error)
	score  string // the result by which the best checkpoint is kept: the larger the better; "": none is
	// everyEpoch keeps a checkpoint of each epoch under its official name.
	everyEpoch bool
	distill    train.DistillRamp
	note       map[string]string // what checkpoints say of themselves beside the weights
}

// running is one job at work.
type running[B train.Batch] struct {
	*Run
	*origin
	job     job[B]
	opt     *train.AdamW
	metrics *train.Metrics
	from    train.Position
	steps   int // done over all epochs before this run
	per     int
	best    float64
	results Results
}

// do trains and evaluates, or evaluates only, and returns the last results;
// also with [train.ErrInterrupted], when everything is saved. The caller
// releases the model.
func do[B train.Batch](ctx context.Context, run *Run, o *origin, j job[B]) (Results, error) {
	r := &running[B]{Run: run, origin: o, job: j, best: math.Inf(-1)}
	if err := o.checkWords(); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, err
	}
	if r.Begun != nil {
		r.lend(j.queries, o)
	}
	if r.Evaluate {
		o.drop()
		return r.measureOnly(ctx)
	}
	if err := j.model.Freeze(r.Config.Freeze...); err != nil {
		return nil, err
	}
	r.opt = train.NewAdamW(j.model, r.Config.Optimizer.WeightDecay)
	defer r.opt.Close()
	r.opt.Beta1, r.opt.Beta2, r.opt.Eps = r.Config.Optimizer.Betas[0], r.Config.Optimizer.Betas[1], r.Config.Optimizer.Eps
	if err := r.resume(); err != nil {
		return nil, err
	}
	o.drop()
	if err := r.setAside(); err != nil {
		return nil, err
	}
	if err := r.Config.WriteFile(filepath.Join(r.Dir, "config.yaml")); err != nil {
		return nil, err
	}
	var err error
	if r.metrics, err = train.OpenMetrics(r.Dir, r.steps); err != nil {
		return nil, err
	}
	err = r.train(ctx)
	return r.results, errors.Join(err, r.metrics.Close())
}

// setAside moves an earlier run in the folder out of the way of a new one.
func (r *Run) setAside() error {
	if r.Resume {
		return nil
	}
	moved, err := train.SetAside(r.Dir)
	if moved != "" {
		r.Logger.Warn("the folder has an earlier run, which is moved", "to", moved)
	}
	return err
}

// measureOnly measures the checkpoint and adds the results to log.txt. A
// configuration that a training run left in the folder stays.
func (r *running[B]) measureOnly(ctx context.Context) (Results, error) {
	results, err := r.measure(ctx, 0, true)
	if err != nil {
		return nil, err
	}
	used := filepath.Join(r.Dir, "config.yaml")
	if _, err := os.Stat(used); errors.Is(err, fs.ErrNotExist) {
		if err := r.Config.WriteFile(used); err != nil {
			return nil, err
		}
	}
	return results, train.LogEvaluation(r.Dir, results)
}

// lend gives the model to whoever wants to ask it while the run is at work.
func (r *Run) lend(t Trained, o *origin) {
	t.Tokenizer, t.Vocab = o.tokenizer, o.vocab
	r.lent = true
	r.Begun(&t)
}

// release closes a task's model, unless it has been lent.
func (r *Run) release(m interface{ Close() }) {
	if !r.lent {
		m.Close()
	}
}

// load fills the model from the checkpoint.
func (r *running[B]) load() error {
	if r.checkpoint == nil {
		if r.Evaluate {
			return &hintError{errors.New("evaluate: no checkpoint"), "--checkpoint names the model to measure"}
		}
		return nil
	}
	state := r.checkpoint.State
	if r.job.adapt != nil {
		var err error
		if state, err = r.job.adapt(state); err != nil {
			return fmt.Errorf("load checkpoint %s: %w", r.path, err)
		}
	}
	var fresh []func(string) bool
	if r.job.fresh != nil && !r.Resume {
		fresh = append(fresh, r.job.fresh)
	}
	report, err := r.job.model.LoadState(state, fresh...)
	if err != nil {
		return fmt.Errorf("load checkpoint %s: %w", r.path, err)
	}
	r.Logger.Info("checkpoint", "file", r.path, "weights", report.String())
	if r.Evaluate && r.job.fresh != nil && slices.ContainsFunc(report.Missing, r.job.fresh) {
		r.Logger.Warn("the checkpoint has no head for this task: an untrained one is measured", "file", r.path)
	}
	return nil
}

func (r *running[B]) resume() error {
	if !r.Resume {
		return nil
	}
	if err := r.opt.LoadState(r.checkpoint.Optimizer); err != nil {
		return fmt.Errorf("resume from %s: %w", r.path, err)
	}
	r.from, r.steps = r.checkpoint.At, r.checkpoint.Steps
	r.checkpoint.RestoreRandom(r.Device)
	if best, ok := r.checkpoint.Note["best"]; ok {
		if _, err := fmt.Sscan(best, &r.best); err != nil {
			return fmt.Errorf("resume from %s: best %q: %w", r.path, best, err)
		}
	}
	return nil
}

// measure measures the model after epoch, which may be the last.
func (r *running[B]) measure(ctx context.Context, epoch int, last bool) (out Results, err error) {
	torch.NoGrad(func() {
		if out, err = r.job.evaluate(ctx); err != nil || !last || r.job.finish == nil {
			return
		}
		var more Results
		more, err = r.job.finish(ctx, epoch)
		maps.Copy(out, more)
	})
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if r.Measured != nil {
		r.Measured(epoch, out)
	}
	return out, nil
}

func (r *running[B]) train(ctx context.Context) (err error) {
	feed, err := openFeed(ctx, r.Config, r.Logger, r.job.feed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, feed.Close()) }()
	defer func() { tellBad(r.Logger, feed) }()
	r.per = feed.Steps()
	c := r.Config
	loop := &train.Loop[B]{
		Model: r.job.model, Opt: r.opt, Feed: feed, Forward: r.job.forward, Schedule: c.Schedule(), Epochs: c.Schedular.Epochs,
		MaxSteps: c.MaxSteps, Distill: r.job.distill, BF16: c.DType == "bf16", Clip: c.GradClip, LogEvery: c.LogEvery,
		Recompute: r.recompute, Recording: train.Recording(c.CUDAGraphs), Logger: r.Logger,
		Save: func(at train.Position) error { return r.save(train.LastName, at) }, SaveEvery: c.SaveEvery,
		EpochDone: func(at train.Position) error { return r.epochDone(ctx, at) },
		Record: func(rec train.StepRecord) error {
			values := maps.Clone(rec.Losses)
			values["lr"] = rec.LR
			return r.metrics.Step(rec.Step, rec.Epoch, values)
		},
	}
	if r.Observe != nil {
		loop.Observe = func(p train.Progress) { r.Observe("train", p) }
	}
	if err := loop.Run(ctx, r.from); err != nil {
		return err
	}
	if n := c.MaxSteps; n > 0 && n%r.per != 0 && n < c.Schedular.Epochs*r.per { // cut within an epoch
		return r.epochDone(ctx, train.Position{Epoch: n / r.per, Step: n % r.per})
	}
	return nil
}

// epochDone measures, keeps the state, and the weights apart if they are the
// best so far.
func (r *running[B]) epochDone(ctx context.Context, at train.Position) error {
	// The state first: an evaluation may be interrupted.
	if err := r.save(train.LastName, at); err != nil {
		return err
	}
	epoch, last := at.Epoch, r.isLast(at)
	if at.Step == 0 {
		epoch-- // it is over
	}
	if r.job.everyEpoch && at.Step == 0 {
		if err := r.save(train.EpochName(epoch), at); err != nil {
			return err
		}
	}
	results, err := r.measure(ctx, epoch, last)
	if err != nil {
		if ctx.Err() != nil {
			return errors.Join(train.ErrInterrupted, err)
		}
		return err
	}
	r.results = results
	r.Logger.Info("epoch done", "epoch", epoch, "results", fmt.Sprint(results))
	if score, ok := results[r.job.score]; ok && score > r.best {
		r.best = score
		if err := r.save(BestName, at); err != nil {
			return err
		}
		if err := r.save(train.LastName, at); err != nil { // it knows the best now
			return err
		}
	}
	tellConstant(r.Logger, r.metrics.Means(epoch))
	return r.metrics.Epoch(epoch, results)
}

// isLast reports whether training ends at a position.
func (r *running[B]) isLast(at train.Position) bool {
	steps, all := at.Epoch*r.per+at.Step, r.Config.Schedular.Epochs*r.per
	return steps >= all || r.Config.MaxSteps > 0 && steps >= r.Config.MaxSteps
}

// BestName is the official name of the checkpoint with the best score.
const BestName = "checkpoint_best.pth"

func (r *running[B]) save(name string, at train.Position) error {
	ck := &train.Checkpoint{
		State: r.job.model.State(), Optimizer: r.opt.State(r.Config.Optimizer.LR), Model: r.job.model.Config(), Vocab: r.vocab,
		At: at, Steps: at.Epoch*r.per + at.Step,
	}
	ck.KeepRandom(r.Device)
	ck.Note = maps.Clone(r.job.note)
	if !math.IsInf(r.best, -1) {
		if ck.Note == nil {
			ck.Note = map[string]string{}
		}
		ck.Note["best"] = fmt.Sprint(r.best)
	}
	defer ck.Drop()
	return ck.Write(filepath.Join(r.Dir, name), r.Config.Schedule(), r.Config)
}
