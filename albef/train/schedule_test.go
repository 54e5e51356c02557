package train_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"vlab/albef/train"
)

type scheduleFixture struct {
	Schedular struct {
		LR           float64 `json:"lr"`
		MinLR        float64 `json:"min_lr"`
		WarmupLR     float64 `json:"warmup_lr"`
		WarmupEpochs int     `json:"warmup_epochs"`
		Epochs       int     `json:"epochs"`
	} `json:"schedular"`
	First   float64      `json:"lr_after_construction"`
	AtT     []float64    `json:"lr_at_t"`
	Iters   int          `json:"iters_per_epoch"`
	Changes [][3]float64 `json:"used_lr_changes"`
	Ramp    []float64    `json:"alpha_ramp_epoch0"`
}

func TestParitySchedule(t *testing.T) {
	for name, f := range readSchedules(t) {
		t.Run(name, func(t *testing.T) {
			s := train.Schedule{
				LR: f.Schedular.LR, MinLR: f.Schedular.MinLR, WarmupLR: f.Schedular.WarmupLR,
				WarmupEpochs: f.Schedular.WarmupEpochs, Epochs: f.Schedular.Epochs,
			}
			if got := s.At(0, 0, f.Iters); got != f.First {
				t.Errorf("first rate %v, want %v", got, f.First)
			}
			for i, want := range f.AtT {
				closeToRate(t, s.Step(i), want, "Step", i)
			}
			checkUsed(t, s, f)
		})
	}
}

// checkUsed compares every iteration of every epoch with the official rates,
// which the fixture gives where they change.
func checkUsed(t *testing.T, s train.Schedule, f scheduleFixture) {
	t.Helper()
	next, want := 0, 0.0
	for epoch := range s.Epochs {
		for i := range f.Iters {
			if next < len(f.Changes) && f.Changes[next][0] == float64(epoch) && f.Changes[next][1] == float64(i) {
				want = f.Changes[next][2]
				next++
			}
			closeToRate(t, s.At(epoch, i, f.Iters), want, "At", epoch, i)
			if t.Failed() {
				return
			}
		}
	}
	if next != len(f.Changes) {
		t.Errorf("%d changes reached, want %d", next, len(f.Changes))
	}
	closeToRate(t, s.At(0, f.Iters+3, f.Iters), s.At(1, 3, f.Iters), "At carried over")
}

// TestParityScheduleDistill knows the four iterations that the fixture holds.
func TestParityScheduleDistill(t *testing.T) {
	for name, f := range readSchedules(t) {
		r := train.DistillRamp{Weight: 0.4, WarmUp: true}
		for k, i := range []int{0, 1, 100, f.Iters - 1} {
			closeToRate(t, r.At(0, i, f.Iters), f.Ramp[k], name, i)
		}
		closeToRate(t, r.At(1, 0, f.Iters), 0.4, name, "epoch 1")
		closeToRate(t, train.DistillRamp{Weight: 0.4}.At(0, 0, f.Iters), 0.4, name, "no warm-up")
	}
}

func TestScheduleEdges(t *testing.T) {
	s := train.Schedule{LR: 1, MinLR: 0.25, WarmupLR: 0.5, Epochs: 2}
	tests := []struct {
		name        string
		s           train.Schedule
		epoch, iter int
		want        float64
	}{
		{"no warm-up starts at the top", s, 0, 0, 1},
		{"no warm-up stays there", s, 0, 50, 1},
		{"half way down", s, 1, 0, 0.625},
		{"after the end", s, 5, 0, 0.25},
		{"a short epoch cuts the warm-up", train.Schedule{LR: 1, WarmupLR: 0, WarmupEpochs: 4, Epochs: 1}, 0, 60, 0},
	}
	for _, c := range tests {
		closeToRate(t, c.s.At(c.epoch, c.iter, 80), c.want, c.name)
	}
}

func readSchedules(t *testing.T) map[string]scheduleFixture {
	t.Helper()
	dir := os.Getenv("VLAB_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "fixtures")
	}
	data, err := os.ReadFile(filepath.Join(dir, "lr_schedule.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]scheduleFixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f) == 0 {
		t.Fatal("lr_schedule.json holds no schedule")
	}
	return f
}

// closeToRate fails if got is further from want than rounding explains: 1e-13 of
// the value.
func closeToRate(t *testing.T, got, want float64, where ...any) {
	t.Helper()
	if math.Abs(got-want) > 1e-13*math.Abs(want) {
		t.Errorf("%v: got %v, want %v", where, got, want)
	}
}
