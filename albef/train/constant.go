package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// constants are the losses of a model that gives every pair the same answer: ITM
// has two mismatches for each match, a claim one false sentence for each true one.
var constants = map[string]float64{
	"loss_itm":    math.Log(3) - 2*math.Ln2/3,
	"loss_claims": math.Ln2,
}

// constantWithin is how near to such a loss counts as no better.
const constantWithin = 0.005

// Constant tells of each loss among means, in nats by its official name, that
// stands where one answer for every pair does; none where all have learned, or
// still are above it.
func Constant(means map[string]float64) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(constants)) {
		if v, ok := means[name]; ok && math.Abs(v-constants[name]) < constantWithin {
			list = append(list, fmt.Sprintf("%s stands at %.4f, where one answer for every pair does: the fusion layers don't tell pairs apart yet", name, constants[name]))
		}
	}
	return list
}
