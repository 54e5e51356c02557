package torch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"vlab/albef/torch"
)

// times is two parts of a weight's product with [1 2], [3 4], [5 6].
func times(w *torch.Tensor) func(s *torch.Scope, part int) []*torch.Tensor {
	rows := [][]float32{{1, 2}, {3, 4, 5, 6}}
	return func(s *torch.Scope, part int) []*torch.Tensor {
		x := s.Floats(rows[part], len(rows[part])/2, 2)
		return []*torch.Tensor{x.Linear(w, nil).To(torch.Float32), nil}
	}
}

// TestWeightsOnTapeAndBeside: under autocast a weight is converted once and the
// result used again, and one that a first run converts has no graph.
func TestWeightsOnTapeAndBeside(t *testing.T) {
	for _, bf16 := range []bool{false, true} {
		w := torch.Full(nil, 2, torch.Float32, torch.CPU, 1, 2).RequireGrad(true)
		err := torch.Do(func(s *torch.Scope) {
			tape := torch.NewTape(s, torch.CPU)
			var loss *torch.Tensor
			torch.Autocast(bf16, torch.CPU, func() {
				out := s.InParts(2, times(w))
				if got := out[0].Floats(); !slices.Equal(got, []float32{6, 14, 22}) || out[1] != nil {
					t.Errorf("bf16 %v: results %v and %v, want [6 14 22] and none", bf16, got, out[1])
				}
				beside := s.Floats([]float32{10, 20}, 1, 2).Linear(w, nil).To(torch.Float32)
				loss = out[0].Mul(s.Floats([]float32{1, 10, 100}, 3, 1)).Sum().Add(beside.Sum())
			})
			tape.Backward(loss)
			want := []float32{1 + 30 + 500 + 10, 2 + 40 + 600 + 20}
			got := torch.Grads(s, []*torch.Tensor{w})[0].Floats()
			for i := range want {
				if d := got[i] - want[i]; d > 4 || d < -4 { // bf16 has 8 bits
					t.Errorf("bf16 %v: gradient %v, want %v", bf16, got, want)
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
		w.Close()
	}
}

func TestTapeFreesWhatSegmentsGave(t *testing.T) {
	w := torch.Full(nil, 2, torch.Float32, torch.CPU, 1, 2).RequireGrad(true)
	defer w.Close()
	err := torch.Do(func(s *torch.Scope) {
		tape := torch.NewTape(s, torch.CPU)
		out := s.InParts(2, times(w))[0]
		tape.Backward(out.Sum())
		out.Sum()
	})
	if err == nil || !strings.Contains(err.Error(), "freed") {
		t.Errorf("a result after Backward: got %v, want an error that says it was freed", err)
	}
}

func TestTapeOfAnotherScopeIsAnError(t *testing.T) {
	w := torch.Full(nil, 2, torch.Float32, torch.CPU, 1, 2).RequireGrad(true)
	defer w.Close()
	err := torch.Do(func(s *torch.Scope) {
		s.Do(func(in *torch.Scope) {
			tape := torch.NewTape(in, torch.CPU)
			tape.Backward(s.InParts(2, times(w))[0].Sum())
		})
	})
	var e *torch.Error
	if !errors.As(err, &e) || e.Op != "tape" {
		t.Errorf("got %v, want an error of tape", err)
	}
}

func TestPeakMemoryIsTheMost(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		torch.PeakMemory()
		before := torch.PeakMemory()
		const size = 1 << 20
		s.Do(func(s *torch.Scope) { s.Zeros(torch.CPU, size/4) })
		s.Do(func(s *torch.Scope) { s.Zeros(torch.CPU, size/4) })
		if got := torch.PeakMemory() - before; got < size || got > size*5/4 {
			t.Errorf("twice %d bytes, one after the other: got %d at most", size, got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
