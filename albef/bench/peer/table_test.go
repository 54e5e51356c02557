package main

import (
	"strings"
	"testing"

	"vlab/albef/bench"
)

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
