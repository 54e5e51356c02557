package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"vlab/albef/bench"
	"vlab/albef/torch/weights"
)

// TestQueriesComputeWhatTheOfficialOnesDo runs every query of a small model by
// the official code, by the modern one and by ours.
func TestQueriesComputeWhatTheOfficialOnesDo(t *testing.T) {
	dir := os.Getenv("ALBEF_OFFICIAL")
	if dir == "" {
		t.Skip("ALBEF_OFFICIAL names no checkout of the official code")
	}
	o := options{python: python(t), scripts: ".", official: dir, vlab: "-", threads: 1}
	config := official()
	config.VocabSize = 2000
	for _, r := range rules() {
		if r.work == "step" || r.work == "decode" {
			continue
		}
		t.Run(r.work, func(t *testing.T) {
			c := contest{work: r.work, size: "small", dtype: "fp32", config: config, batch: 3, threads: 1, hasModern: r.modern}
			if err := o.equalQuery(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNear compares results that agree, and such that don't.
func TestNear(t *testing.T) {
	given := func(tensors map[string]*weights.Tensor) *record {
		d := weights.NewDict()
		for name, x := range tensors {
			d.Set(name, x)
		}
		return &record{d}
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

// TestTable prints a race of two works.
func TestTable(t *testing.T) {
	took := func(name string, ms, flops float64) *runner {
		return &runner{name: name, results: []bench.Result{{MedianMS: ms, MinMS: ms, CPUMS: 2 * ms, PeakMB: 100, FLOPs: flops, Matmul: 50}}}
	}
	var out strings.Builder
	table(&out, []ending{
		{contest{work: "embed", size: "mid", dtype: "fp32"}, []*runner{took("official", 20, 0), took("modern", 16, 0), took("ours", 10, 1e8)}},
		{contest{work: "decode", size: "mid", dtype: "fp32"}, []*runner{took("official", 20, 0), took("ours", 5, 0)}},
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want two and one for each work:\n%s", len(lines), out.String())
	}
	for i, want := range []string{
		"embed mid fp32 0.500 0.500 0.500 1.000 0.625 0.625 0.625 1.000 20.0%",
		"decode mid fp32 0.250 0.250 0.250 1.000 - - - - -",
	} {
		if got := strings.Join(strings.Fields(lines[2+i]), " "); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}
