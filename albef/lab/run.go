package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// Run is a training run, at work or over. It draws itself as its loss curves.
type Run struct {
	Dir string // where checkpoints and logs are

	config   Config
	settings *train.Config
	device   torch.Device

	mu       sync.Mutex // guards what follows
	state    runState
	err      error // why it failed
	model    *Model
	holds    bool // the training goroutine has the model to itself
	stage    string
	progress train.Progress
	trained  train.Progress    // of the last step; zero where none was taken
	curves   map[string]*curve // by stage
	notes    []string          // what was logged before the first step
	results  task.Results      // the last ones
	epoch    int               // that they are of, from 0
	sample   task.Sample
	sink     Sink   // where the run shows itself; nil: nowhere
	looked   string // the display of what was learned, "" before the first
	figures  string // the display of the results, likewise
	shown    lookTime
	began    time.Time
	took     time.Duration
	stop     context.CancelFunc
	begun    chan struct{} // closed when the model stands
	ended    chan struct{} // closed when training is over
	drawn    chan struct{} // closed when the last picture is shown; nil: nobody looks
}

// lookTime is when what the model makes of a picture was last drawn, and how long that
// took.
type lookTime struct {
	at   time.Time
	took time.Duration
}

// runState says what a run is doing.
type runState string

const (
	starting    runState = "starting"
	training    runState = "training"
	stopping    runState = "stopping"
	interrupted runState = "interrupted"
	done        runState = "done"
	failed      runState = "failed"
)

// stopGrace is how long an interrupted call waits for the step to end and the
// checkpoint to be written before it leaves them to the background: an
// interrupt is answered within a second.
const stopGrace = 700 * time.Millisecond

// launch starts the training goroutine and waits until the model stands.
func (r *Run) launch(ctx context.Context, resume bool) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("interrupted before training began: %w", err)
	}
	if r.config.Task != "" && r.config.isBuiltIn() {
		if err := r.drawCorpus(ctx); err != nil {
			return err
		}
	}
	path, cleanUp, err := r.beginWith(resume)
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.mu.Lock()
	r.state, r.err, r.stop, r.began = starting, nil, cancel, time.Now()
	r.shown = lookTime{at: r.began}
	r.begun, r.ended, r.drawn = make(chan struct{}), make(chan struct{}), nil
	r.sink = sinkOf(ctx)
	begun, ended := r.begun, r.ended
	r.mu.Unlock()
	go func() {
		defer close(ended)
		defer cancel()
		r.train(inner, path, resume)
	}()
	select {
	case <-begun:
	case <-ended:
	case <-ctx.Done():
		cancel()
	}
	err = cleanUp()
	select {
	case <-begun:
		r.offerStop()
		r.draw()
		return err
	case <-ended:
		r.mu.Lock()
		defer r.mu.Unlock()
		return errors.Join(r.err, err)
	default:
		if !resume { // nobody gets the run: what it still makes goes with it
			go r.Close()
		}
		return errors.Join(fmt.Errorf("interrupted before training began: %w", ctx.Err()), err)
	}
}

// offerStop shows a button that stops the run, where the front end has buttons.
func (r *Run) offerStop() {
	r.mu.Lock()
	sink, ended := r.sink, r.ended
	r.mu.Unlock()
	if c, ok := sink.(Controls); ok {
		if remove := c.Button("Stop training", r.cancel); remove != nil {
			go func() {
				<-ended
				remove()
			}()
		}
	}
}

// beginWith names the checkpoint to begin with, and what to do once it is read.
func (r *Run) beginWith(resume bool) (path string, cleanUp func() error, err error) {
	nothing := func() error { return nil }
	name := r.config.Checkpoint
	if name == "" && r.config.Task != "" && r.config.isBuiltIn() {
		name = demoName
	}
	switch {
	case resume:
		return "", nothing, nil
	case r.config.From != nil:
		if path, cleanUp, err = r.config.From.handOver(); err != nil {
			return "", nil, fmt.Errorf("begin with a model: %w", err)
		}
		return path, cleanUp, nil
	case name == demoName:
		return UnpackDemo()
	}
	return homePath(name), nothing, nil
}

// train runs on the training goroutine to the end.
func (r *Run) train(ctx context.Context, path string, resume bool) {
	var err error
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
		r.finish(err)
	}()
	logger := slog.New(noteHandler{r})
	if r.config.Task == "" {
		_, err = task.Pretrain{
			Config: r.settings, Dir: r.Dir, Device: r.device, Checkpoint: path, Resume: resume,
			Logger: logger, Observe: r.observe, Begun: r.stands,
		}.Run(ctx)
		return
	}
	_, err = task.Named(r.config.Task)(ctx, task.Run{
		Config: r.settings, Dir: r.Dir, Device: r.device, Checkpoint: path, Resume: resume, Evaluate: r.config.Evaluate,
		Logger: logger, Observe: r.observe, Begun: r.stands, Measured: r.measured,
	})
}

// stands takes the model over when it is made; from then on the training
// goroutine has it to itself, but for the moments between steps.
func (r *Run) stands(t *task.Trained) {
	r.mu.Lock()
	if r.holds { // an epoch is over
		r.mu.Unlock()
		r.look()
		return
	}
	defer r.mu.Unlock()
	r.sample = t.Sample
	if moduleOf(t) != nil {
		r.take(t)
	}
	if r.state == starting {
		r.state = training
	}
	close(r.begun)
}

// take makes a model in training the run's; the caller holds the lock.
func (r *Run) take(t *task.Trained) {
	m := newModel(t, "of "+r.Dir, false)
	if r.model == nil {
		r.model = m
		m.use.Lock()
	} else {
		r.model.use.Lock()
		if old := r.model.module(); old != nil {
			old.Close()
		}
		r.model.core, r.model.vqa, r.model.judge = m.core, m.vqa, m.judge
		r.model.owned, r.model.live, r.model.seen, r.model.hash = false, true, nil, m.hash
		r.model.pictures.clear()
		r.model.closed.Store(false)
	}
	r.holds = true
}

// observe takes a step's losses in and lets waiting queries have the model.
func (r *Run) observe(stage string, p train.Progress) {
	r.mu.Lock()
	r.stage, r.progress = stage, p
	if len(p.Losses) > 0 {
		r.trained = p
		if r.curves[stage] == nil {
			r.curves[stage] = &curve{}
		}
		r.curves[stage].add(p)
	}
	m := r.model
	due := len(p.Losses) > 0 && time.Since(r.shown.at) > max(lookEvery, lookShare*r.shown.took)
	r.mu.Unlock()
	if m != nil {
		m.use.Unlock()
		m.use.Lock()
	}
	if due {
		r.look()
	}
}

// What the model makes of a picture is drawn each epoch, and within one when lookEvery
// has gone by, which is to cost no more than a part in lookShare of the time.
const (
	lookEvery = 10 * time.Second
	lookShare = 50
)

// measured takes an epoch's results in and shows what was learned.
func (r *Run) measured(epoch int, results task.Results) {
	r.mu.Lock()
	r.results, r.epoch = results, epoch
	sink, id := r.sink, r.figures
	if id == "" {
		r.figures = newID("figures")
	}
	now, table := r.figures, r.resultTable()
	r.mu.Unlock()
	if sink != nil && table != "" {
		show(sink, now, id != "", map[string]any{"text/plain": table})
	}
	r.look()
}

// show shows forms on a sink, or puts them in the place of what it has.
func show(sink Sink, id string, again bool, forms map[string]any) {
	if again {
		sink.Update(id, forms)
		return
	}
	sink.Show(id, forms)
}

// finish gives the model free and notes how it went.
func (r *Run) finish(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = time.Since(r.began)
	switch {
	case err == nil:
		r.state = done
	case errors.Is(err, train.ErrInterrupted) && !isMore(err):
		r.state = interrupted
	default:
		r.state, r.err = failed, err
	}
	if !r.holds {
		return
	}
	r.holds = false
	m := r.model
	if r.state == failed && !errors.Is(err, train.ErrInterrupted) {
		if r.config.Task != "" { // pretraining has closed it
			m.module().Close()
		}
		m.forget()
	}
	m.owned, m.live = true, false
	m.use.Unlock()
}

// isMore reports whether an interrupted run failed besides, to save for example.
func isMore(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return false
	}
	for _, e := range joined.Unwrap() {
		if !errors.Is(e, train.ErrInterrupted) || isMore(e) {
			return true
		}
	}
	return false
}

// follow waits for the end. When ctx ends first the run is stopped, and what
// takes long is left to the background.
func (r *Run) follow(ctx context.Context) error {
	r.mu.Lock()
	ended, drawn := r.ended, r.drawn
	r.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		r.cancel()
		select {
		case <-ended:
		case <-time.After(stopGrace):
			return nil
		}
	}
	if drawn != nil {
		<-drawn
	}
	return r.failure()
}

func (r *Run) cancel() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == starting || r.state == training {
		r.state = stopping
		r.stop()
	}
}

func (r *Run) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", r.config.what(), r.err)
}

var errNoRun = hinted("lab.Pretrain or lab.Start makes one", "no run: it is nil")

// Stop stops the run, if it is at work, and waits until it has saved.
func (r *Run) Stop() error {
	if r == nil {
		return errNoRun
	}
	r.cancel()
	return r.Wait()
}

// Wait waits for the end of the run, or for the end of a context, where one is
// given, and returns why it failed; nil for a run that is done or was stopped.
func (r *Run) Wait(ctx ...context.Context) error {
	if r == nil {
		return errNoRun
	}
	r.mu.Lock()
	ended, drawn := r.ended, r.drawn
	r.mu.Unlock()
	if ended == nil {
		return errNoRun
	}
	var given <-chan struct{}
	if len(ctx) > 0 && ctx[0] != nil {
		given = ctx[0].Done()
	}
	select {
	case <-ended:
	case <-given:
		return fmt.Errorf("wait for the run: %w", ctx[0].Err())
	}
	if drawn != nil {
		<-drawn
	}
	return r.failure()
}

// Resume goes on with a run that was interrupted, up to the steps that it was
// made for, and returns as [Pretrain] does. Its model stays the same value.
func (r *Run) Resume(ctx context.Context) (*Run, error) {
	if r == nil {
		return nil, errNoRun
	}
	if ctx == nil {
		ctx = context.Background()
	}
	r.mu.Lock()
	busy := r.state == starting || r.state == training
	r.mu.Unlock()
	if busy {
		return r, hinted("run.Stop() stops it, run.Wait(ctx) waits for its end", "resume: the run is at work")
	}
	if err := r.Wait(ctx); ctx.Err() != nil || errors.Is(err, errNoRun) {
		return r, err
	}
	r.mu.Lock()
	over := r.state == done
	steps := r.trained.Step
	r.mu.Unlock()
	if over {
		return r, hinted(fmt.Sprintf("for more, give lab.Pretrain the same Config with Dir: %q, Resume: true, Steps: %d", r.Dir, 2*steps),
			"resume: all %d steps are done", steps)
	}
	_, err := train.FindLast(r.Dir)
	if err := r.launch(ctx, err == nil); err != nil { // interrupted before the first checkpoint: from the start
		return r, fmt.Errorf("resume: %w", err)
	}
	return r, r.follow(ctx)
}

// Model returns the model in training, for queries: while the run is at work
// they take place between its steps. It is the run's until the run is over,
// and then the caller's to close, or [Run.Close]'s.
func (r *Run) Model() *Model {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model
}

// Results are the figures that were measured last, by their official names, such
// as test_acc or val_r_mean; none in pretraining and before the first epoch ends.
func (r *Run) Results() map[string]float64 {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.results)
}

// Close stops the run and closes its model. Files stay.
func (r *Run) Close() {
	if r == nil {
		return
	}
	r.cancel()
	r.mu.Lock()
	ended := r.ended
	r.mu.Unlock()
	if ended != nil {
		<-ended
	}
	r.Model().Close()
}

// Show returns the run itself, which draws its curves as they are now.
func (r *Run) Show() *Run { return r }
