package gallery

/*
#cgo CFLAGS: -O3
#include "dot.h"
*/
import "C"

// way says with which instructions codes are read; all give the same numbers.
type way int

const (
	plainWay  way = C.VLAB_DOTS_PLAIN
	bestKnown way = C.VLAB_DOTS_AVX512
)

// bestWay is the fastest that this CPU has.
func bestWay() way { return way(C.vlab_dots_best()) }

// dots writes the products of rows of codes with each of the queries, the first
// query's first. Rows and queries have stride numbers, a multiple of lane.
func (w way) dots(codes []int8, stride int, queries []int16, out []int32) {
	rows, count := len(codes)/stride, len(queries)/stride
	if rows == 0 || count == 0 {
		return
	}
	_ = out[rows*count-1]
	C.vlab_dots(C.int(w), (*C.int8_t)(&codes[0]), C.size_t(rows), C.size_t(stride),
		(*C.int16_t)(&queries[0]), C.size_t(count), (*C.int32_t)(&out[0]))
}
