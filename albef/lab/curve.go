package lab

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"vlab/albef/train"
	"vlab/viz"
)

// curve is what was observed of a stage, step by step.
type curve struct {
	steps  []float64
	losses map[string][]float64
}

// add takes a step in. Steps that a resumed run repeats replace the earlier ones.
func (c *curve) add(p train.Progress) {
	if c.losses == nil {
		c.losses = map[string][]float64{}
	}
	keep := len(c.steps)
	for keep > 0 && c.steps[keep-1] >= float64(p.Step) {
		keep--
	}
	c.steps = append(c.steps[:keep], float64(p.Step))
	total := 0.0
	for name, v := range p.Losses {
		c.losses[name] = append(c.losses[name][:min(keep, len(c.losses[name]))], v)
		total += v
	}
	c.losses[totalLoss] = append(c.losses[totalLoss][:min(keep, len(c.losses[totalLoss]))], total)
}

// totalLoss names the sum of a step's losses.
const totalLoss = "loss"

// The stages that train the model as a whole: of pretraining, which may have a
// supervised start before it, and of finetuning, which measures in others.
const (
	mainStage     = "pretrain"
	finetuneStage = "train"
)

// Losses compares the losses at the two ends of a run, each a mean over a tenth
// of its steps. They have the official names, such as loss_mlm, loss_ita and
// loss_itm, and loss is their sum.
type Losses struct {
	Steps       int // observed
	First, Last map[string]float64
}

// String is a small table.
func (l Losses) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %8s %8s   over %d steps\n", "", "first", "last", l.Steps)
	for _, name := range slices.Sorted(maps.Keys(l.First)) {
		fmt.Fprintf(&b, "%-12s %8.3f %8.3f\n", name, l.First[name], l.Last[name])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Losses returns the losses at the run's start and end; of the supervised start
// as long as nothing else has begun.
func (r *Run) Losses() Losses {
	l := Losses{First: map[string]float64{}, Last: map[string]float64{}}
	if r == nil {
		return l
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, c := r.latest()
	if c == nil {
		return l
	}
	l.Steps = len(c.steps)
	n := max(1, l.Steps/10)
	for name, v := range c.losses {
		l.First[name] = mean(v[:min(n, len(v))])
		l.Last[name] = mean(v[max(0, len(v)-n):])
	}
	return l
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// latest is the stage whose curve is shown, the caller holding the lock; nil
// before the first step.
func (r *Run) latest() (string, *curve) {
	for _, stage := range []string{mainStage, finetuneStage} {
		if c := r.curves[stage]; c != nil {
			return stage, c
		}
	}
	return r.stage, r.curves[r.stage]
}

// Image draws the loss curves, nil before the first step.
func (r *Run) Image() image.Image {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	stage, c := r.latest()
	if c == nil {
		r.mu.Unlock()
		return nil
	}
	var series []viz.Series
	for _, name := range slices.Sorted(maps.Keys(c.losses)) {
		series = append(series, viz.Series{Name: name, X: slices.Clone(c.steps[len(c.steps)-len(c.losses[name]):]), Y: slices.Clone(c.losses[name])})
	}
	r.mu.Unlock()
	if stage == finetuneStage {
		stage = r.config.what()
	}
	return viz.Curves(series, viz.CurveOptions{Title: stage, XLabel: "step", YLabel: "loss"})
}

// PNG is the figure as a file, nil before the first step.
func (r *Run) PNG() []byte { return encodePNG(r.Image()) }

// constantSteps is after how many steps a run tells of losses that stand where one
// answer for every pair does.
const constantSteps = 20

// String tells how far the run is, where its files are, its losses, and which of
// them stand where one answer for every pair does.
func (r *Run) String() string {
	if r == nil {
		return "no run"
	}
	r.mu.Lock()
	lines := []string{r.headline()}
	lines = append(lines, "files in "+r.Dir)
	lines = append(lines, r.notes...)
	if table := r.resultTable(); table != "" {
		lines = append(lines, table)
	}
	r.mu.Unlock()
	if l := r.Losses(); l.Steps > 0 {
		lines = append(lines, l.String())
		if l.Steps >= constantSteps {
			lines = append(lines, train.Constant(l.Last)...)
		}
	}
	return strings.Join(lines, "\n")
}

// resultTable lists the last results, "" without any, the caller holding the
// lock.
func (r *Run) resultTable() string {
	if len(r.results) == 0 {
		return ""
	}
	lines := []string{fmt.Sprintf("measured after epoch %d", r.epoch)}
	if r.config.Evaluate {
		lines[0] = "measured"
	}
	for _, name := range slices.Sorted(maps.Keys(r.results)) {
		lines = append(lines, fmt.Sprintf("%-16s %8.4g", name, r.results[name]))
	}
	return strings.Join(lines, "\n")
}

// headline is one line on the state, the caller holding the lock.
func (r *Run) headline() string {
	p, what := r.progress, r.config.Task
	if what == "" {
		what = "pretraining"
	}
	at := fmt.Sprintf("step %d of %d", r.trained.Step, r.trained.Steps)
	if r.config.Task == "" && r.stage != "" && r.stage != mainStage {
		at += " of the supervised start"
	}
	now := at
	if r.isMeasuring() {
		now = fmt.Sprintf("measuring %s, %d of %d", r.stage, p.Step, p.Steps)
	}
	switch r.state {
	case starting:
		return what + ": starting"
	case training:
		rate := ""
		if p.LR > 0 {
			rate = fmt.Sprintf(", lr %.2g", p.LR)
		}
		return fmt.Sprintf("%s: %s%s, %.0f images/s, %v left", what, now, rate, p.ImagesPerSec, p.Left.Round(time.Second))
	case stopping:
		return fmt.Sprintf("%s: stopping at %s; it saves in the background, run.Wait() waits for that", what, at)
	case interrupted:
		return fmt.Sprintf("%s: interrupted at %s and saved; run.Resume(ctx) goes on", what, at)
	case failed:
		return fmt.Sprintf("%s: failed at %s: %v", what, at, r.err)
	case done:
	}
	if r.config.Evaluate {
		return fmt.Sprintf("%s: measured in %v", what, r.took.Round(100*time.Millisecond))
	}
	return fmt.Sprintf("%s: done, %s in %v", what, at, r.took.Round(100*time.Millisecond))
}

// isMeasuring reports whether the run is looking at what it has learned, the
// caller holding the lock.
func (r *Run) isMeasuring() bool {
	return r.config.Task != "" && r.stage != "" && r.stage != finetuneStage
}

const (
	tellEvery = 250 * time.Millisecond // how often a run's bar is drawn
	plotEvery = 3 * time.Second        // and its curves
)

// draw shows bar and curves on the run's sink until the run is over.
func (r *Run) draw() {
	drawn := make(chan struct{})
	r.mu.Lock()
	sink := r.sink
	if sink == nil {
		r.mu.Unlock()
		return
	}
	r.drawn = drawn
	ended := r.ended
	r.mu.Unlock()
	go func() {
		defer close(drawn)
		barID, plotID := newID("run"), newID("losses")
		sink.Show(barID, r.barForms())
		plotted := false
		plot := func() {
			png := r.PNG()
			if png == nil {
				return
			}
			show(sink, plotID, plotted, map[string]any{"image/png": png, "text/plain": "loss curves"})
			plotted = true
		}
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		last := time.Now()
		for {
			select {
			case <-ended:
				sink.Update(barID, r.barForms())
				plot()
				return
			case <-tick.C:
			}
			sink.Update(barID, r.barForms())
			if time.Since(last) >= plotEvery {
				plot()
				last = time.Now()
			}
		}
	}()
}

// barForms draws the bar with the state and the latest losses.
func (r *Run) barForms() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	losses := make([]string, 0, len(r.progress.Losses))
	for _, name := range slices.Sorted(maps.Keys(r.trained.Losses)) {
		losses = append(losses, fmt.Sprintf("%s %.3f", strings.TrimPrefix(name, "loss_"), r.trained.Losses[name]))
	}
	p := r.progress
	if r.state == done && r.trained.Steps > 0 {
		p = r.trained
	}
	return barForms(r.headline(), p.Step, p.Steps, strings.Join(losses, "  "))
}

// noteHandler keeps what a run logs before its first step, such as what became
// of a checkpoint and which images are missing.
type noteHandler struct{ run *Run }

func (h noteHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h noteHandler) Handle(_ context.Context, rec slog.Record) error {
	h.run.mu.Lock()
	defer h.run.mu.Unlock()
	if len(h.run.curves) > 0 {
		return nil
	}
	line := rec.Message + ":"
	rec.Attrs(func(a slog.Attr) bool {
		line += " " + a.Value.String()
		return true
	})
	h.run.notes = append(h.run.notes, line)
	return nil
}

func (h noteHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h noteHandler) WithGroup(string) slog.Handler      { return h }
