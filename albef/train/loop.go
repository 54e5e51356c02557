package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"time"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// Model is what a run needs to know of the model that it trains; every model of
// package albef is one.
type Model interface {
	Config() albef.Config
	Device() torch.Device
	// Trained lists the parameters to move, without and with weight decay.
	Trained() (plain, decayed []albef.Param)
	// State copies all named tensors to the host.
	State() *weights.Dict
}

// Batch is one step's input.
type Batch interface {
	// Check reports what of the batch doesn't fit the model.
	Check(c albef.Config) error
	// Len is how many examples it has.
	Len() int
}

// Loss is a named term of a step, a scalar.
type Loss struct {
	Name  string // as in the official logs: loss_mlm, loss_ita, loss_itm
	Value *torch.Tensor
}

// Feed gives a run its batches. The same feed at the same position gives the
// same batches, so that a resumed run goes on as if it had never stopped.
type Feed[B Batch] interface {
	// Steps returns how many batches an epoch has.
	Steps() int
	// Seek makes step of epoch the next batch.
	Seek(epoch, step int) error
	// Next returns the next batch, its tensors in s on the model's device.
	Next(ctx context.Context, s *torch.Scope) (B, error)
	// Close ends what works in the background.
	Close() error
}

// Loop is a training run. It minimises the sum of a step's losses. Zero fields
// mean what their comments say.
type Loop[B Batch] struct {
	Model Model
	Opt   *AdamW
	Feed  Feed[B]
	// Forward computes a batch's losses, with the teacher's share in them.
	Forward  func(b B, distill float64) []Loss
	Schedule Schedule
	Distill  DistillRamp
	BF16     bool    // matrix products in bf16, parameters stay fp32
	Clip     float64 // largest norm of the gradient; 0: none, as official
	// Recompute runs Forward on a tape; all gradients are in memory then before
	// parameters are moved.
	Recompute Recompute

	Recording Recording     // whether steps are recorded; "": no
	Variant   func() string // what else than its batch a step depends on, such as frozen parts; nil: nothing
	Logger    *slog.Logger  // of what can't be recorded; nil: slog.Default()

	Epochs   int
	MaxSteps int // 0: all epochs
	LogEvery int // steps between reads of the losses; 0: 50

	// Observe receives progress every LogEvery steps and at the end; nil: nobody.
	Observe func(Progress)
	// Record receives every step's losses, in order; nil: nobody.
	Record func(StepRecord) error
	// EpochDone is called after each epoch, Save every SaveEvery steps and when
	// the run is interrupted; an error ends the run.
	EpochDone func(at Position) error
	Save      func(at Position) error
	SaveEvery int
}

// Recompute is what of a step is run again in the backward, so that less has to
// be in memory; the zero Recompute is nothing.
type Recompute struct {
	Parts  bool // the parts that Forward works a batch off in
	Layers bool // the layers
}

// Recording is how, unless steps run something again: a tape reads the
// generator's state, which a recorded step can't.
func (r Recompute) Recording(how Recording) Recording {
	if how == RecordAuto && r != (Recompute{}) {
		return RecordOff
	}
	return how
}

// Tape begins a tape in s, nil where nothing is run again. The batch has to last
// until [torch.Tape.Backward].
func (r Recompute) Tape(s *torch.Scope, dev torch.Device) *torch.Tape {
	if !r.Parts && !r.Layers {
		return nil
	}
	tape := torch.NewTape(s, dev)
	tape.Layers = r.Layers
	return tape
}

// Position is where a run stands: Step batches of Epoch are done.
type Position struct{ Epoch, Step int }

// StepRecord is one step as metrics.jsonl keeps it.
type StepRecord struct {
	Step   int // counted over all epochs, from 1
	Epoch  int
	LR     float64
	Losses map[string]float64
}

// Progress is what a person watching a run wants to know.
type Progress struct {
	Epoch, Epochs int
	Step, Steps   int // over all epochs
	Losses        map[string]float64
	LR            float64
	ImagesPerSec  float64
	Left          time.Duration
}

// ErrInterrupted is what a run returns that was cancelled; what it had trained
// is saved by then.
var ErrInterrupted = errors.New("interrupted")

// Run trains from a position on until the end, the first error, or until ctx
// is cancelled; then it saves and returns [ErrInterrupted].
func (l *Loop[B]) Run(ctx context.Context, from Position) error {
	// oneDNN also keeps a cache for each thread that calls it: one for the run, or
	// memory grows with each.
	defer torch.Pin()()
	if err := l.Feed.Seek(from.Epoch, from.Step); err != nil {
		return err
	}
	r := &running[B]{Loop: l, per: l.Feed.Steps(), started: time.Now()}
	if r.per == 0 {
		return fmt.Errorf("train: the data is smaller than one batch")
	}
	r.first = from.Epoch*r.per + from.Step
	r.total = l.Epochs * r.per
	if l.MaxSteps > 0 {
		r.total = min(r.total, l.MaxSteps)
	}
	var err error
	if r.recorder, err = l.newRecorder(); err != nil {
		return err
	}
	defer r.recorder.Close()
	for step := r.first; step < r.total; step++ {
		if ctx.Err() != nil {
			return r.interrupt(step)
		}
		if err := r.step(ctx, step); err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return r.interrupt(step)
			}
			return errors.Join(err, r.flush())
		}
		if err := r.after(step + 1); err != nil {
			return err
		}
	}
	return r.flush()
}

// running is the state of one Run.
type running[B Batch] struct {
	*Loop[B]
	per, first, total int
	started           time.Time
	examples          int
	pending           []pendingStep
	last              map[string]float64
	recorder          *Recorder // nil: steps run as they are
}

// pendingStep is a step whose losses are still on the device.
type pendingStep struct {
	step, epoch int
	lr          float64
	names       []string
	values      *torch.Tensor
}

func (r *running[B]) step(ctx context.Context, step int) error {
	epoch, at := step/r.per, step%r.per
	rates := Rates{LR: r.Schedule.At(epoch, at, r.per), Distill: r.Distill.At(epoch, at, r.per)}
	pending := pendingStep{step: step + 1, epoch: epoch, lr: rates.LR}
	var stepErr error
	err := torch.Do(func(s *torch.Scope) {
		take := r.plain
		if r.recorder != nil {
			take = r.recorded
		}
		if pending.names, pending.values, stepErr = take(ctx, s, rates); stepErr == nil {
			s.Keep(pending.values)
			r.pending = append(r.pending, pending)
		}
	})
	if errors.Is(stepErr, io.EOF) {
		return fmt.Errorf("train: the data ended at step %d of %d", step, r.total)
	}
	if stepErr != nil {
		return stepErr
	}
	return err
}

// plain takes a step on the next batch and returns the losses' names and their
// values in s, still on the device.
func (r *running[B]) plain(ctx context.Context, s *torch.Scope, rates Rates) (names []string, values *torch.Tensor, err error) {
	var losses []Loss
	s.Do(func(in *torch.Scope) {
		var b B
		if b, err = r.next(ctx, in); err == nil {
			losses = r.losses(in, b, rates.Distill)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	r.update(s, losses, rates.LR)
	names, values = stacked(losses)
	return names, values, nil
}

// next returns the next batch in s.
func (r *running[B]) next(ctx context.Context, s *torch.Scope) (b B, err error) {
	s.Aside(r.Model.Device(), func() { b, err = r.Feed.Next(ctx, s) })
	if err == nil {
		err = b.Check(r.Model.Config())
	}
	if err == nil {
		r.examples += b.Len()
	}
	return b, err
}

// losses computes a batch's losses, a scope out of in. What else it makes is freed
// with in, before the backward, but for what the backward needs; that goes as it
// walks. A tape, which needs the batch, walks back here.
func (r *running[B]) losses(in *torch.Scope, b B, distill float64) (losses []Loss) {
	tape := r.Recompute.Tape(in, r.Model.Device())
	torch.Autocast(r.BF16, r.Model.Device(), func() { losses = r.Forward(b, distill) })
	KeepLosses(in, losses)
	if tape != nil {
		tape.Backward(Total(losses))
	}
	return losses
}

// update takes a step of the optimiser; with a tape the gradients are there.
func (r *running[B]) update(s *torch.Scope, losses []Loss, lr float64) {
	taped := r.Recompute != Recompute{}
	if r.Clip == 0 && !taped {
		r.Opt.Backward(s, Total(losses), lr)
		return
	}
	if !taped {
		Total(losses).Backward()
	}
	if r.Clip > 0 {
		r.Opt.ClipNorm(s, r.Clip)
	}
	r.Opt.Step(s, lr)
}

// KeepLosses moves losses one scope out of in.
func KeepLosses(in *torch.Scope, losses []Loss) {
	for _, l := range losses {
		in.Keep(l.Value)
	}
}

// Total is the sum of losses.
func Total(losses []Loss) *torch.Tensor {
	sum := losses[0].Value
	for _, l := range losses[1:] {
		sum = sum.Add(l.Value)
	}
	return sum
}

// after does what is due once done steps are over.
func (r *running[B]) after(done int) error {
	every := r.LogEvery
	if every <= 0 {
		every = 50
	}
	at := Position{Epoch: done / r.per, Step: done % r.per}
	if done%every == 0 || at.Step == 0 || done == r.total {
		if err := r.flush(); err != nil {
			return err
		}
		r.observe(done)
	}
	if at.Step == 0 && r.EpochDone != nil {
		if err := r.EpochDone(at); err != nil {
			return err
		}
	}
	if r.Save != nil && r.SaveEvery > 0 && done%r.SaveEvery == 0 {
		return r.Save(at)
	}
	return nil
}

// flush reads the pending losses off the device, all at once, records them and
// checks that they are numbers.
func (r *running[B]) flush() error {
	pending := r.pending
	r.pending = nil
	values, err := readAll(pending)
	if err != nil {
		return err
	}
	for _, p := range pending {
		rec := StepRecord{Step: p.step, Epoch: p.epoch, LR: p.lr, Losses: map[string]float64{}}
		for i, name := range p.names {
			rec.Losses[name] = float64(values[i])
		}
		values = values[len(p.names):]
		if err := r.record(rec); err != nil {
			return err
		}
	}
	return nil
}

// readAll returns the losses of pending steps, one after the other, and frees them.
func readAll(pending []pendingStep) (values []float32, err error) {
	if len(pending) == 0 {
		return nil, nil
	}
	err = torch.Do(func(s *torch.Scope) {
		all := make([]*torch.Tensor, len(pending))
		for i, p := range pending {
			defer p.values.Close()
			all[i] = s.Use(p.values)
		}
		values = torch.Cat(0, all...).Floats()
	})
	return values, err
}

func (r *running[B]) record(rec StepRecord) error {
	for name, v := range rec.Losses {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &divergedError{rec.Step, name, v}
		}
	}
	r.last = rec.Losses
	if r.Record == nil {
		return nil
	}
	return r.Record(rec)
}

func (r *running[B]) observe(done int) {
	if r.Observe == nil {
		return
	}
	took := time.Since(r.started)
	epoch := min((done-1)/r.per, r.Epochs-1)
	p := Progress{
		Epoch: epoch, Epochs: r.Epochs, Step: done, Steps: r.total, Losses: r.last,
		LR: r.Schedule.At(epoch, (done-1)%r.per, r.per),
	}
	if did := done - r.first; did > 0 {
		p.ImagesPerSec = float64(r.examples) / took.Seconds()
		p.Left = took / time.Duration(did) * time.Duration(r.total-done)
	}
	r.Observe(p)
}

func (r *running[B]) interrupt(done int) error {
	err := r.flush()
	if r.Save != nil {
		err = errors.Join(err, r.Save(Position{Epoch: done / r.per, Step: done % r.per}))
	}
	return errors.Join(ErrInterrupted, err)
}

type divergedError struct {
	step int
	name string
	v    float64
}

func (e *divergedError) Error() string {
	return fmt.Sprintf("train: step %d: %s is %v", e.step, e.name, e.v)
}

func (e *divergedError) Hint() string {
	return "lower optimizer.lr, set grad_clip: 1, or take dtype fp32; the last checkpoint is untouched"
}
