package train

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"vlab/albef/torch"
)

// TestStepsRunAsTheyAreOnceRecordingHasFailed, with a line in the log, and what was
// recorded before is dropped.
func TestStepsRunAsTheyAreOnceRecordingHasFailed(t *testing.T) {
	var log bytes.Buffer
	r, err := NewRecorder(torch.CPU, RecordOn, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.must = false
	works, tried := r.record, 0
	r.record = func(work func() error) (*torch.Graph, error) {
		if tried++; tried == 1 {
			return works(work)
		}
		return nil, errors.New("no room")
	}
	take := func(n int) {
		t.Helper()
		err := torch.Do(func(s *torch.Scope) {
			_, values, err := r.Run(s, "", []*torch.Tensor{torch.Full(s, 2, torch.Float32, torch.CPU, n)},
				func(_ *torch.Scope, in []*torch.Tensor) []Loss { return []Loss{{"sum", in[0].Sum()}} })
			if err != nil {
				t.Fatal(err)
			}
			if got := values.Item(); got != float64(2*n) {
				t.Errorf("%d numbers: got %v, want %v", n, got, 2*n)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct{ n, tried, kept, lines int }{
		{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}, // warm-up
		{1, 1, 1, 0}, {1, 1, 1, 0}, {2, 2, 0, 1}, {2, 2, 0, 1}, {1, 2, 0, 1},
	} {
		take(step.n)
		if lines := strings.Count(log.String(), "level=WARN"); tried != step.tried || len(r.steps) != step.kept || lines != step.lines {
			t.Errorf("step %d: %d times recorded, %d kept, %d lines logged, want %d, %d and %d", i+1, tried, len(r.steps), lines,
				step.tried, step.kept, step.lines)
		}
	}
	if said := log.String(); !strings.Contains(said, "no room") {
		t.Errorf("the log says:\n%s", said)
	}
}

// TestAFailureToRecordEndsARunThatHasTo with its reason.
func TestAFailureToRecordEndsARunThatHasTo(t *testing.T) {
	r, err := NewRecorder(torch.CPU, RecordOn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.record = func(func() error) (*torch.Graph, error) { return nil, errors.New("no room") }
	err = torch.Do(func(s *torch.Scope) {
		var got error
		for range warmUp + 1 {
			_, _, got = r.Run(s, "", nil, func(s *torch.Scope, _ []*torch.Tensor) []Loss { return []Loss{{"one", s.Zeros(torch.CPU)}} })
		}
		if got == nil || !strings.Contains(got.Error(), "record a step: no room") {
			t.Errorf("got %v, want the reason", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestNothingIsRecordedUnlessAsked on a CPU; CUDA that isn't there is told where it
// has to be.
func TestNothingIsRecordedUnlessAsked(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for _, how := range []Recording{"", RecordOff, RecordAuto} {
		if r, err := NewRecorder(torch.CPU, how, log); r != nil || err != nil {
			t.Errorf("%q on a CPU: got %v, %v, want no recorder", how, r, err)
		}
	}
	if cuda := torch.LoadCUDA(); cuda.Library != "" {
		t.Skip("libtorch's CUDA half has loaded here")
	}
	var said bytes.Buffer
	if r, err := NewRecorder(0, RecordAuto, slog.New(slog.NewTextHandler(&said, nil))); r != nil || err != nil || !strings.Contains(said.String(), "steps are not recorded") {
		t.Errorf("auto: got %v, %v, want no recorder and a line; the log says %q", r, err, said.String())
	}
	if r, err := NewRecorder(0, RecordOn, log); r != nil || err == nil {
		t.Errorf("on: got %v, %v, want an error", r, err)
	}
}
