// Package gallery keeps the features of many pictures in one file and finds the
// k of them nearest to a text's: exactly, without reading the file into memory
// and without libtorch.
//
// A file holds each feature twice: in half precision, which defines the scores,
// and as 8-bit codes with a bound on what they leave out. A search reads all
// codes, an eighth more than a byte a number, and then scores only those rows
// that the bounds can't rule out.
//
// # Exact
//
// The score of a row is what the plain loop gives in float32, in the order of
// the numbers and without fused operations:
//
//	var score float32
//	for i := range query {
//		score += float32(row[i] * query[i])
//	}
//
// A search returns the rows and the scores that this loop over all rows and a
// stable sort would, equal scores in the order of the rows: on every machine,
// however many threads there are and whichever instructions the codes are read
// with, as those compute with whole numbers.
package gallery
