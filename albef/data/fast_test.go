package data

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// plainly runs f without the fast paths.
func plainly(f func()) {
	before := fast
	defer func() { fast = before }()
	fast = false
	f()
}

// noisePicture has values of all sizes; with few, only some, as in a drawing.
func noisePicture(rng *rand.Rand, w, h int, few bool) *RGB {
	m := NewRGB(w, h)
	for i := range m.Pix {
		m.Pix[i] = byte(rng.IntN(256))
		if few {
			m.Pix[i] = m.Pix[i]&0xc0 + 7
		}
	}
	return m
}

func TestFastNormaliseEqualsTable(t *testing.T) {
	n := clipNormaliser()
	m := NewRGB(32, 24) // 768 pixels
	for i := range m.Pix {
		m.Pix[i] = byte(i / 3)
	}
	got, want := make([]float32, len(m.Pix)), make([]float32, len(m.Pix))
	n.apply(got, m, nil)
	plainly(func() { n.apply(want, m, nil) })
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("channel %d, value %d: got %v, want %v", i/768, m.Pix[3*(i%768)], got[i], want[i])
		}
	}
}

func FuzzFastResize(f *testing.F) {
	f.Add(uint64(1), 53, 41, 30, 50, false)
	f.Add(uint64(2), 640, 3, 256, 256, true)
	f.Add(uint64(3), 9, 200, 11, 10, true)
	f.Fuzz(func(t *testing.T, seed uint64, w, h, outW, outH int, mirror bool) {
		w, h, outW, outH = 1+w&1023, 1+h&255, 1+outW&511, 1+outH&255
		rng := rand.New(rand.NewPCG(seed, 2))
		src := noisePicture(rng, w, h, seed&1 != 0)
		if seed&2 != 0 { // no room behind the last pixel
			src.Pix = src.Pix[:len(src.Pix):len(src.Pix)]
		}
		region := regionOf(randomBox(rng, w, h), 1)
		if seed&4 != 0 {
			region = Region{region.X0 + rng.Float64()/2, region.Y0 + 0.5, region.X1 - rng.Float64()/2, region.Y1 - 0.125}
		}
		got, want := NewRGB(outW, outH), NewRGB(outW, outH)
		var r Resizer
		r.resize(got, src, region, mirror)
		plainly(func() { r.resize(want, src, region, mirror) })
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%v of %dx%d to %dx%d: the fast path differs", region, w, h, outW, outH)
		}
	})
}

func FuzzFastOp(f *testing.F) {
	for op := Identity; op <= ShearY; op++ {
		f.Add(uint64(op), int(op), 40, 33, op.Arg(7))
		f.Add(uint64(op), int(op), 67, 50, -op.Arg(3))
	}
	f.Fuzz(func(t *testing.T, seed uint64, op, w, h int, arg float64) {
		if op = op % int(ShearY+1); op < 0 || arg < -1000 || arg > 1000 || arg != arg {
			return
		}
		src := noisePicture(rand.New(rand.NewPCG(seed, 3)), 1+w&127, 1+h&127, seed&1 != 0)
		got, want := &RGB{}, &RGB{}
		Op(op).Apply(got, src, arg)
		plainly(func() { Op(op).Apply(want, src, arg) })
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%v(%g) of %dx%d: the fast path differs", Op(op), arg, src.W, src.H)
		}
	})
}

// Tables of several operations are merged; one after the other gives the same.
func TestRandAugmentMergesTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	norm := clipNormaliser()
	a := RandAugment{N: 4, Level: 7}
	for op := Identity; op <= ShearY; op++ {
		a.Ops = append(a.Ops, op)
	}
	for range 300 {
		seed := rng.Uint64()
		src := noisePicture(rng, 40, 30, seed&1 != 0)
		w := &work{}
		w.picture.copyFrom(src)
		img, tone := a.apply(w, rand.New(rand.NewPCG(seed, 0)))
		got, want := make([]float32, len(src.Pix)), make([]float32, len(src.Pix))
		norm.apply(got, img, tone)
		norm.apply(want, oneByOne(a, src, rand.New(rand.NewPCG(seed, 0))), nil)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: number %d: got %v, want %v", seed, i, got[i], want[i])
			}
		}
	}
}

// oneByOne is RandAugment as the official code reads.
func oneByOne(a RandAugment, img *RGB, rng *rand.Rand) *RGB {
	drawn := make([]Op, a.N)
	for i := range drawn {
		drawn[i] = a.Ops[rng.IntN(len(a.Ops))]
	}
	for _, op := range drawn {
		if rng.Float64() > 0.5 {
			continue
		}
		arg := op.Arg(a.Level)
		if op.Signed() && rng.Float64() > 0.5 {
			arg = -arg
		}
		out := &RGB{}
		op.Apply(out, img, arg)
		img = out
	}
	return img
}

func TestFastPathsServe(t *testing.T) {
	if !fast {
		t.Skip("this processor has no AVX2: the plain paths are the only ones")
	}
	m := NewRGB(64, 64)
	var ts taps
	ts.set(0, 64, 64, 32)
	if n := ts.fastRows(make([]byte, 3*32*64), m.Pix, 3*64, image.Rect(0, 0, 64, 64), false); n != 64 {
		t.Errorf("rows: %d of 64", n)
	}
	if !(&warping{make([]int32, 64), make([]int32, 64), make([]int32, 64), make([]int32, 64)}).fast(NewRGB(64, 64), m) {
		t.Error("warp: not served")
	}
}
