package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
)

// TestPairsHaveTheLengthAsked looks into what is measured, which no result shows.
func TestPairsHaveTheLengthAsked(t *testing.T) {
	for longest, want := range map[int][]int64{25: {25, 22, 19, 16, 25}, 50: {50, 44, 38, 32, 50}, 4: {4, 4, 4, 3, 4}} {
		p := newPairs(albef.Tiny(), torch.CPU, 5, longest, rand.New(rand.NewPCG(1, 2)))
		var got []int64
		for row := range slices.Chunk(p.mask.Ints(), longest) {
			n := int64(0)
			for _, v := range row {
				n += v
			}
			got = append(got, n)
		}
		if shape := p.ids.Shape(); !slices.Equal(shape, []int{5, longest}) || !slices.Equal(got, want) {
			t.Errorf("texts of %d: ids %v, lengths %v, want %v", longest, shape, got, want)
		}
		p.close()
	}
}

func TestMeasureStep(t *testing.T) {
	c := albef.Tiny()
	spec := Spec{Batch: 4, Device: torch.CPU, Warm: 1, Steps: 2}
	times, err := MeasureStep(t.Context(), c, 12, spec)
	if err != nil || len(times.Wall) != 2 || len(times.CPU) != 2 || slices.Min(times.Wall) <= 0 || slices.Min(times.CPU) <= 0 {
		t.Errorf("got %+v, %v, want two times of each kind", times, err)
	}
	for name, wrong := range map[string]func(s *Spec) int{
		"batch":  func(s *Spec) int { s.Batch = 3; return 12 },
		"lone":   func(s *Spec) int { s.Batch = 1; return 12 },
		"steps":  func(s *Spec) int { s.Steps = 0; return 12 },
		"tokens": func(*Spec) int { return 65 },
	} {
		with := spec
		tokens := wrong(&with)
		_, err := MeasureStep(t.Context(), c, tokens, with)
		if hinted, ok := err.(interface{ Hint() string }); !ok || !strings.Contains(hinted.Hint(), "divides the queue of 1024") {
			t.Errorf("%s: got %v, want an error with a hint", name, err)
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MeasureStep(done, c, 12, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestMeanStepFLOPs(t *testing.T) {
	c := albef.Mid() // of 4·(24 + 21 + 18 + 15) words, 15 % are 46.8
	if got, want := MeanStepFLOPs(c, 16, 25), StepFLOPs(c, 16, 25, 47); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
