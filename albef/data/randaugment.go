package data

import (
	"fmt"
	"math/rand/v2"
)

// Op is an operation of the official RandAugment, with the arithmetic of
// dataset/randaugment.py and OpenCV 4.5, faults included.
type Op int

// The operations, in the order of the official table.
const (
	Identity Op = iota
	AutoContrast
	Equalize
	Rotate
	Solarize
	Color
	Contrast
	Brightness
	Sharpness
	ShearX
	TranslateX
	TranslateY
	Posterize
	ShearY
)

// String is the official name.
func (op Op) String() string {
	names := [...]string{
		"Identity", "AutoContrast", "Equalize", "Rotate", "Solarize", "Color", "Contrast",
		"Brightness", "Sharpness", "ShearX", "TranslateX", "TranslateY", "Posterize", "ShearY",
	}
	if op < 0 || int(op) >= len(names) {
		return fmt.Sprintf("Op(%d)", int(op))
	}
	return names[op]
}

// ParseOp returns the operation with the official name.
func ParseOp(name string) (Op, error) {
	for op := Identity; op <= ShearY; op++ {
		if op.String() == name {
			return op, nil
		}
	}
	return 0, hinted("names are as in the official list: AutoContrast, ShearX, ...", "unknown augmentation %q", name)
}

// Signed reports whether the argument of op may be negative: true for the
// operations that move pixels.
func (op Op) Signed() bool {
	switch op {
	case Rotate, ShearX, ShearY, TranslateX, TranslateY:
		return true
	default:
		return false
	}
}

// Arg is the argument that op has at a level from 0 to 10: degrees for Rotate,
// a slope for ShearX and ShearY, pixels for TranslateX and TranslateY, bits for
// Posterize, a threshold for Solarize, a factor for the others; 0 for the three
// that take none.
func (op Op) Arg(level float64) float64 {
	const top = 10
	share := level / top
	switch op {
	case Rotate:
		return share * 30
	case Solarize:
		return float64(int(share * 256))
	case Color, Contrast, Brightness, Sharpness:
		return share*1.8 + 0.1
	case ShearX, ShearY:
		return share * 0.3
	case TranslateX, TranslateY:
		return share * 10
	case Posterize:
		return float64(int(share * 4))
	default:
		return 0
	}
}

// Apply writes src, changed by op with argument arg, into dst, which must be
// another picture than src.
func (op Op) Apply(dst, src *RGB, arg float64) {
	var t tables
	if op.tone(&t, src, nil, arg) {
		lookUp(dst, src, &t)
		return
	}
	op.move(dst, src, arg)
}

// move is Apply for the operations that look at more than one value at a time.
func (op Op) move(dst, src *RGB, arg float64) {
	switch op {
	case Rotate:
		warp(dst, src, rotation(src.W, src.H, arg))
	case Color:
		saturate(dst, src, float32(arg))
	case Sharpness:
		sharpen(dst, src, float32(arg))
	case ShearX:
		warp(dst, src, affine{1, single(arg), 0, 0, 1, 0})
	case ShearY:
		warp(dst, src, affine{1, 0, 0, single(arg), 1, 0})
	case TranslateX:
		warp(dst, src, affine{1, 0, single(-arg), 0, 1, 0})
	case TranslateY:
		warp(dst, src, affine{1, 0, 0, 0, 1, single(-arg)})
	default:
		dst.copyFrom(src)
	}
}

// single rounds to float32, the type of the official matrices.
func single(v float64) float64 { return float64(float32(v)) }

// RandAugment applies N operations drawn with replacement from Ops, each with
// probability one half, at one level. The zero RandAugment does nothing.
type RandAugment struct {
	N     int
	Level float64 // 0 to 10
	Ops   []Op
}

// OfficialRandAugment is RandomAugment(2, 7) with the ten operations that the
// official transforms name.
func OfficialRandAugment() RandAugment {
	return RandAugment{N: 2, Level: 7, Ops: []Op{
		Identity, AutoContrast, Equalize, Brightness, Sharpness,
		ShearX, ShearY, TranslateX, TranslateY, Rotate,
	}}
}

// Apply returns img changed at random; img stays as it is.
func (a RandAugment) Apply(img *RGB, rng *rand.Rand) *RGB {
	w := &work{}
	w.picture.copyFrom(img)
	out, tone := a.apply(w, rng)
	if tone != nil {
		lookUp(out, out, tone)
	}
	return out
}

// apply changes w.picture, and returns the result, which is in w's memory, but
// for what is left to do by way of tables: nil where there is none. The
// operations are all drawn before the first one is applied, as in the official
// code.
func (a RandAugment) apply(w *work, rng *rand.Rand) (img *RGB, tone *tables) {
	img, spare := &w.picture, &w.spare
	if len(a.Ops) == 0 {
		return img, nil
	}
	var room [8]Op
	drawn := room[:0]
	for range a.N {
		drawn = append(drawn, a.Ops[rng.IntN(len(a.Ops))])
	}
	for _, op := range drawn {
		if rng.Float64() > 0.5 {
			continue
		}
		arg := op.Arg(a.Level)
		if op.Signed() && rng.Float64() > 0.5 {
			arg = -arg
		}
		if op == Identity {
			continue
		}
		if op.tone(&w.next, img, tone, arg) {
			if tone != nil {
				w.next.follow(tone)
			}
			w.tone = w.next
			tone = &w.tone
			continue
		}
		if tone != nil {
			lookUp(img, img, tone)
			tone = nil
		}
		op.move(spare, img, arg)
		img, spare = spare, img
	}
	return img, tone
}
