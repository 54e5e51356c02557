package weights

import "math"

// f16ToF32 widens an IEEE 754 half; every half is exactly a float32.
func f16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exp == 0x1f: // infinity, NaN
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
	}
	// Zero and subnormals: frac units of 2^-24.
	v := float32(frac) / (1 << 24)
	return math.Float32frombits(sign | math.Float32bits(v))
}

// f32ToF16 rounds to the nearest half, ties to even; what is too large becomes
// an infinity.
func f32ToF16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 // a quiet NaN
	case abs >= 0x477ff000: // 65520, from where rounding goes to infinity
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14, the smallest normal half
		units := float64(math.Float32frombits(abs)) * (1 << 24)
		return sign | uint16(math.RoundToEven(units))
	}
	abs -= (127 - 15) << 23
	abs += 0xfff + abs>>13&1 // ties to even
	return sign | uint16(abs>>13)
}

// bf16ToF32 widens a bfloat16, the upper half of a float32.
func bf16ToF32(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// f32ToBF16 rounds to the nearest bfloat16, ties to even.
func f32ToBF16(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40 // stays a NaN, made quiet
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
