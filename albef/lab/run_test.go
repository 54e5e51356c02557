package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlab/albef"
	"vlab/albef/lab"
)

// small is a run of a very small model: a step takes some milliseconds.
func small(t *testing.T, steps int) lab.Config {
	t.Helper()
	c := albef.Tiny()
	c.VisionWidth, c.VisionMLP, c.VisionDepth, c.Hidden, c.Intermediate, c.EmbedDim = 16, 32, 1, 16, 32, 16
	c.QueueSize = 4
	sizes, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return lab.Config{Dir: t.TempDir(), Steps: steps, Device: "cpu", Set: map[string]string{
		"model": string(sizes), "image_res": "32", "batch_size": "4", "queue_size": "4", "dtype": "fp32",
	}}
}

func TestPretrainShowsAndReports(t *testing.T) {
	sink := &recorder{}
	r, err := lab.Pretrain(lab.WithSink(t.Context(), sink), small(t, 12))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l := r.Losses()
	if l.Steps != 12 {
		t.Errorf("%d steps observed, want all 12", l.Steps)
	}
	for _, name := range []string{"loss", "loss_mlm", "loss_ita", "loss_itm"} {
		if l.First[name] <= 0 || l.Last[name] <= 0 || l.First[name] == l.Last[name] {
			t.Errorf("%s: from %g to %g", name, l.First[name], l.Last[name])
		}
	}
	if r.PNG() == nil || sink.pictures == 0 || len(sink.ids) != 2 {
		t.Errorf("shown: %d displays, %d pictures; want a bar and curves", len(sink.ids), sink.pictures)
	}
	if bar, _ := sink.last["text/plain"].(string); !strings.Contains(bar, "12/12") {
		t.Errorf("the bar ends as %q, want 12/12", bar)
	}
	if s := r.String(); !strings.Contains(s, "done, step 12 of 12") || !strings.Contains(s, r.Dir) {
		t.Errorf("String: %s", s)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "metrics.jsonl")); err != nil {
		t.Error(err)
	}
	if _, err := r.Model().Retrieve(t.Context(), lab.Scenes(1, 4), "a circle", 2); err != nil {
		t.Errorf("query after the run: %v", err)
	}
	if _, err := r.Resume(t.Context()); err == nil || hint(err) == "" {
		t.Errorf("resume when all is done: got %v, want an error with a hint", err)
	}
}

// TestInterruptReturnsAndResumes: within a second, without an error, with the
// losses so far; the model stays the same value when the run goes on.
func TestInterruptReturnsAndResumes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	cfg := small(t, 1_000_000)
	cfg.Set["schedular.epochs"] = "100000"
	r, err := lab.Pretrain(ctx, cfg)
	late := time.Now()
	deadline, _ := ctx.Deadline()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if took := late.Sub(deadline); took > time.Second {
		t.Errorf("returned %v after the interrupt, want 1 s at most", took)
	}
	if err := r.Wait(); err != nil {
		t.Fatal(err)
	}
	before, m := r.Losses().Steps, r.Model()
	if before == 0 || !strings.Contains(r.String(), "run.Resume(ctx)") {
		t.Errorf("after %d steps: %s", before, r)
	}
	if _, err := m.Ground(t.Context(), lab.Scenes(1, 1).Scene(0).Render(64), "a circle"); err != nil {
		t.Errorf("query after the interrupt: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if _, err := r.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.Wait(); err != nil {
		t.Fatal(err)
	}
	if after := r.Losses().Steps; after <= before || r.Model() != m {
		t.Errorf("%d steps after the resume, %d before; the model is the same: %v", after, before, r.Model() == m)
	}
	again := cfg
	again.Resume, again.Steps = true, r.Losses().Steps+3
	next, err := lab.Pretrain(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if got := next.Losses().Steps; got != 3 {
		t.Errorf("another run over the folder took %d steps, want the 3 that were left", got)
	}
}

// TestQueriesDuringARun take turns with its steps.
func TestQueriesDuringARun(t *testing.T) {
	cfg := small(t, 0)
	cfg.Set["start.steps"] = "0"
	cfg.Set["schedular.epochs"] = "100000"
	r, err := lab.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Resume(t.Context()); err == nil || hint(err) == "" {
		t.Errorf("resume of a run at work: got %v, want an error with a hint", err)
	}
	g := lab.Scenes(1, 6)
	first, err := r.Model().Retrieve(t.Context(), g, "a circle", 6)
	if err != nil {
		t.Fatal(err)
	}
	for r.Losses().Steps < 5 {
		time.Sleep(time.Millisecond) //nolint:forbidigo // waits for the training goroutine
	}
	second, err := r.Model().Retrieve(t.Context(), g, "a circle", 6)
	if err != nil {
		t.Fatal(err)
	}
	if first.Hits[0].ITM == second.Hits[0].ITM {
		t.Error("five steps have changed nothing: old features or weights are kept")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with a context that is over: %v", err)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if s := r.Show().String(); !strings.Contains(s, "interrupted") {
		t.Errorf("after Stop: %s", s)
	}
}

// TestPretrainFromAModel begins with its weights.
func TestPretrainFromAModel(t *testing.T) {
	first, err := lab.Pretrain(t.Context(), small(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	want := ground(t, first.Model(), img, "a circle").Logit
	cfg := small(t, 1)
	cfg.From = first.Model()
	cfg.Set["optimizer.lr"] = "1e-12"
	delete(cfg.Set, "model")
	second, err := lab.Pretrain(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	got := ground(t, second.Model(), img, "a circle").Logit
	if d := got - want; d > 1e-4 || d < -1e-4 {
		t.Errorf("a step of no size from a model: logit %g, want %g", got, want)
	}
	if !strings.Contains(second.String(), "checkpoint:") {
		t.Errorf("the run doesn't tell what it began with:\n%s", second)
	}
}

func TestPretrainRefusesNonsense(t *testing.T) {
	with := func(change func(*lab.Config)) lab.Config {
		c := small(t, 2)
		change(&c)
		return c
	}
	for name, cfg := range map[string]lab.Config{
		"unknown preset":  with(func(c *lab.Config) { c.Preset = "huge" }),
		"two sources":     with(func(c *lab.Config) { c.Preset, c.File = "tiny", "x.yaml" }),
		"no such file":    with(func(c *lab.Config) { c.File = "x.yaml" }),
		"unknown key":     with(func(c *lab.Config) { c.Set["batch_sise"] = "3" }),
		"resume nothing":  with(func(c *lab.Config) { c.Resume = true }),
		"resume nowhere":  with(func(c *lab.Config) { c.Resume, c.Dir = true, "" }),
		"no checkpoint":   with(func(c *lab.Config) { c.Checkpoint = "nothing.pth" }),
		"two beginnings":  with(func(c *lab.Config) { c.Checkpoint, c.From = "x.pth", tiny(t) }),
		"closed model":    with(func(c *lab.Config) { c.From = closedModel(t) }),
		"unknown device":  with(func(c *lab.Config) { c.Device = "tpu" }),
		"queue and batch": with(func(c *lab.Config) { c.Set["queue_size"] = "3" }),
		"minus one step":  with(func(c *lab.Config) { c.Steps = -1 }),
	} {
		if r, err := lab.Pretrain(t.Context(), cfg); err == nil {
			t.Errorf("%s: no error", name)
			r.Close()
		}
	}
	var none *lab.Run
	if none.Stop() == nil || none.Wait() == nil || none.Model() != nil || none.PNG() != nil || none.String() == "" {
		t.Error("a nil run does something")
	}
	none.Close()
	if (&lab.Run{}).Stop() == nil {
		t.Error("an empty run stops")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lab.Pretrain(ctx, small(t, 1000)); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
}

func closedModel(t *testing.T) *lab.Model {
	m := opened(t)
	m.Close()
	return m
}
