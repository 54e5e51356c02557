package main

import (
	"math"
	"strings"
	"testing"

	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// TestNear compares results that agree, and such that don't.
func TestNear(t *testing.T) {
	given := func(tensors map[string]*weights.Tensor) *record {
		d := weights.NewDict()
		for name, x := range tensors {
			d.Set(name, x)
		}
		return &record{d, torch.CPU}
	}
	features := given(map[string]*weights.Tensor{"out.images": floats(1, -2)})
	scores := given(map[string]*weights.Tensor{"out.by_text": floats(1, -100, 2, 2, 3)})
	answers := given(map[string]*weights.Tensor{"out.answers": ints(1, 0, 2), "out.probabilities": floats(0.9, 0.1, 1e-9)})
	answers.tensors.Set("out.answers", &weights.Tensor{Shape: []int{1, 3}, DType: ints(1, 0, 2).DType, Data: ints(1, 0, 2).Data})
	nan := float32(math.NaN())
	for _, tt := range []struct {
		name string
		rec  *record
		got  []float32
		says string // of the error; empty: none
	}{
		{"equal", features, []float32{1, -2}, ""},
		{"within rounding", features, []float32{1, -2.0001}, ""},
		{"off", features, []float32{1.001, -2}, "images of ours are 5.0e-04 apart"},
		{"no number", features, []float32{nan, -2}, "NaN apart"},
		{"too few", features, []float32{1}, "1 numbers, want 2"},
		{"scores", scores, []float32{1, -100, 2, 2, 3}, ""},
		{"another pair", scores, []float32{1, 1, 2, 2, 3}, "0.200 of the pairs another's"},
		{"another score", scores, []float32{1, -100, 2, 2, 3.01}, "by_text of ours"},
		{"probabilities by answer", answers, []float32{0.1, 0.9, 1e-9}, ""},
		{"an unlikely one is off", answers, []float32{0.1, 0.9, 2e-9}, "6.9e-01 apart"},
	} {
		err := tt.rec.near("ours", "fp32", func(string) ([]float32, error) { return tt.got, nil })
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.says)
		}
	}
}
