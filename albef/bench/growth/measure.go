package main

import (
	"context"
	"fmt"
	"io"

	"vlab/albef/bench"
)

// measure times every size of axes in rounds, each size once a round. The
// reference, which all axes share, always comes first.
func measure(ctx context.Context, axes []axis, rounds int, spec bench.Spec, progress io.Writer) (map[size]bench.StepTimes, error) {
	sizes, times := []size{axes[0].reference}, map[size]bench.StepTimes{}
	known := map[size]bool{axes[0].reference: true}
	for _, a := range axes {
		for _, v := range a.values {
			if z := a.at(v); !known[z] {
				sizes, known[z] = append(sizes, z), true
			}
		}
	}
	for round := range rounds {
		for i, z := range sizes {
			spec.Batch = z.Batch
			got, err := bench.MeasureStep(ctx, z.config(), z.Tokens, spec)
			if err != nil {
				return nil, fmt.Errorf("measure %d images, %d tokens, %d pixels, %d layers: %w", z.Batch, z.Tokens, z.Pixels, z.Layers, err)
			}
			all := times[z]
			times[z] = bench.StepTimes{Wall: append(all.Wall, got.Wall...), CPU: append(all.CPU, got.CPU...)}
			fmt.Fprintf(progress, "round %d of %d: size %d of %d: %.0f ms\n", round+1, rounds, i+1, len(sizes), bench.Median(got.Wall))
		}
	}
	return times, nil
}
