package main

import (
	"fmt"
	"math"

	"vlab/albef/task"
)

// queryTolerance is how far results may be apart, relative to the largest;
// answers' logarithms of probabilities absolutely. bf16 keeps 8 bits, and the
// modern form has its weights in it too.
func queryTolerance(dtype string) float64 {
	if dtype == "bf16" {
		return 8e-2
	}
	return 1e-4
}

// otherPairs is which share of the pairs may be asked about by one of two
// evaluations of retrieval alone: where similarities at the end of a shortlist
// differ by less than the rounding.
const otherPairs = 0.005

// out is a result that was recorded.
func (r *record) out(name string) ([]float32, error) {
	t, err := r.get("out." + name)
	if err != nil {
		return nil, err
	}
	return t.Float32s(), nil
}

// near prints how far the results of who are apart from the recorded ones, and
// fails where that is more than rounding.
func (r *record) near(who, dtype string, got func(name string) ([]float32, error)) error {
	for _, name := range []string{"images", "texts", "maps", "by_image", "by_text", "probabilities"} {
		if _, ok := r.tensors.Get("out." + name); !ok {
			continue
		}
		want, err := r.out(name)
		if err != nil {
			return err
		}
		have, err := got(name)
		if err != nil {
			return err
		}
		if len(have) != len(want) || len(want) == 0 {
			return fmt.Errorf("%s of %s: %d numbers, want %d", name, who, len(have), len(want))
		}
		far, others := farthest(have, want), 0.0
		switch name {
		case "probabilities":
			if have, want, err = r.logs(have, want); err != nil {
				return err
			}
			far = farthest(have, want) * largest(want)
		case "by_image", "by_text":
			far, others = farthestPairs(have, want)
		}
		fmt.Printf("%8s %14s %8.1e", who, name, far)
		if others > 0 {
			fmt.Printf("   and %.2f %% of the pairs are on one's shortlist alone", 100*others)
		}
		fmt.Println()
		if !(far <= queryTolerance(dtype) && others <= otherPairs) {
			return fmt.Errorf("%s of %s are %.1e apart with %.3f of the pairs another's, at most %.0e and %.3f are rounding",
				name, who, far, others, queryTolerance(dtype), otherPairs)
		}
	}
	return nil
}

// logs are the logarithms of probabilities: have by answer, want in the order of
// the recorded answers.
func (r *record) logs(have, want []float32) (got, wanted []float32, err error) {
	order, err := r.get("out.answers")
	if err != nil {
		return nil, nil, err
	}
	perQuestion := order.Shape[len(order.Shape)-1]
	for i, answer := range order.Int64s() {
		at := i/perQuestion*perQuestion + int(answer)
		got = append(got, float32(math.Log(float64(have[at]))))
		wanted = append(wanted, float32(math.Log(float64(want[i]))))
	}
	return got, wanted, nil
}

// farthest is the largest difference, relative to the largest number wanted.
func farthest(got, want []float32) (far float64) {
	for i := range want {
		d := math.Abs(float64(got[i] - want[i]))
		if math.IsNaN(d) {
			return math.NaN()
		}
		far = max(far, d)
	}
	return far / largest(want)
}

func largest(v []float32) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(float64(x)))
	}
	return most
}

// farthestPairs is farthest of the scores of pairs that both judged; others is
// the share of the pairs that one alone did.
func farthestPairs(got, want []float32) (far, others float64) {
	var both, own []float32
	alone := 0
	for i := range want {
		mine, theirs := got[i] != task.Unranked, want[i] != task.Unranked
		switch {
		case mine && theirs:
			both, own = append(both, want[i]), append(own, got[i])
		case mine || theirs:
			alone++
		}
	}
	if len(both) == 0 {
		return math.NaN(), 1
	}
	return farthest(own, both), float64(alone) / float64(alone+len(both))
}
