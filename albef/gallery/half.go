package gallery

import (
	"math"
	"sync"
)

// toHalf rounds to the nearest number of half precision, ties to even; what is
// too large becomes infinite.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, size := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case size > 0x7f800000: // not a number
		return sign | 0x7e00
	case size >= 0x477ff000: // from 65520 on, halfway to what would come next
		return sign | 0x7c00
	case size < 0x38800000: // below 2^-14 steps are 2^-24, which adding 0.5 makes float32's own
		return sign | uint16(math.Float32bits(math.Float32frombits(size)+0.5)-0x3f000000)
	}
	size += 0xfff + size>>13&1
	return sign | uint16(size>>13-(127-15)<<10)
}

// fromHalf is exact.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// halves are all numbers of half precision, by their bits.
var halves = sync.OnceValue(func() *[1 << 16]float32 {
	var all [1 << 16]float32
	for h := range all {
		all[h] = fromHalf(uint16(h))
	}
	return &all
})

// score is what the package's documentation defines.
func score(row []uint16, query []float32) float32 {
	value := halves()
	var sum float32
	for i, q := range query {
		sum += float32(value[row[i]] * q) // the conversion keeps a compiler from fusing
	}
	return sum
}
