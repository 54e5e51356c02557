package main

import (
	"os"
	"testing"
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
