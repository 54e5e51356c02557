package gallery

import (
	"math"
)

// lane is what rows of codes are filled up to with zeros: a cache line.
const lane = 64

// codeMost is the largest code.
const codeMost = 127

// unit is the largest relative error of one float32 rounding.
const unit = 0x1p-24

func strideOf(dim int) int { return (dim + lane - 1) / lane * lane }

// coded is what is kept of a row beside its codes: row[i] is scale·code[i] but
// for a rest whose length is at most rest.
type coded struct {
	scale, rest float32
	reach       float64 // at least the length of the row and that of its codes times scale
}

// encode writes the codes of a row of half precision.
func encode(row []uint16, codes []int8) coded {
	value := halves()
	top := float32(0)
	for _, h := range row {
		top = max(top, max(value[h], -value[h]))
	}
	c := coded{scale: top / codeMost}
	var rest, own, other float64
	for i, h := range row {
		x := float64(value[h])
		if c.scale > 0 {
			codes[i] = int8(math.RoundToEven(x / float64(c.scale)))
		}
		y := float64(codes[i]) * float64(c.scale)
		rest, own, other = rest+(x-y)*(x-y), own+x*x, other+y*y
	}
	c.rest = math.Nextafter32(float32(above(math.Sqrt(rest))), float32(math.Inf(1)))
	c.reach = above(math.Sqrt(max(own, other)))
	return c
}

// above is a little more than x, as sums of float64 are a little wrong.
func above(x float64) float64 { return x * (1 + 1e-9) }

// question is a query as whole numbers: query[i] is scale·codes[i] but for what
// slack covers.
type question struct {
	query  []float32
	codes  []int16 // of stride numbers
	scale  float64
	length float64 // at least that of the query
	slack  float64 // see ask
}

// ask makes a question for rows that reach no further than reach.
//
// The score s of a row x for the query q differs from the product a of their
// codes, times both scales, by at most rest·|q| + slack, rest being the row's:
// with x = x' + e and q = q' + d,
//
//	x·q - x'·q' = e·q + x'·d, so it is at most |e||q| + |x'||d|,
//
// and rounding the loop's n products and n-1 sums to float32 changes x·q by at
// most n·u/(1-n·u)·|x||q|, u being [unit], and products too small for float32 by
// 2^-149 each at most.
func ask(query []float32, reach float64) question {
	n := float64(len(query))
	q := question{query: query, codes: make([]int16, strideOf(len(query)))}
	var top, sum, square float64
	for _, x := range query {
		size := math.Abs(float64(x))
		top, sum, square = max(top, size), sum+size, square+size*size
	}
	q.length = above(math.Sqrt(square))
	// Neither a code nor a sum of products may overflow.
	q.scale = max(top/math.MaxInt16, sum*codeMost/(math.MaxInt32-codeMost*n))
	var lost float64
	for i, x := range query {
		if q.scale > 0 {
			q.codes[i] = int16(math.RoundToEven(float64(x) / q.scale))
		}
		d := float64(x) - float64(q.codes[i])*q.scale
		lost += d * d
	}
	loop := n * unit / (1 - n*unit)
	q.slack = above(reach*(above(math.Sqrt(lost))+q.length*(loop+1e-9)) + n*0x1p-149)
	return q
}
