package data_test

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"vlab/albef/data"
)

// plainResize is the filter written down as its definition reads: every weight
// computed where it is used, one pass after the other.
func plainResize(src *data.RGB, w, h int) *data.RGB {
	across := data.NewRGB(w, src.H)
	for y := range src.H {
		for x := range w {
			for c := range 3 {
				across.Pix[3*(y*w+x)+c] = plainSample(src.W, w, x, func(i int) byte { return src.Pix[3*(y*src.W+i)+c] })
			}
		}
	}
	out := data.NewRGB(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				out.Pix[3*(y*w+x)+c] = plainSample(src.H, h, y, func(i int) byte { return across.Pix[3*(i*w+x)+c] })
			}
		}
	}
	return out
}

func plainSample(in, out, i int, at func(int) byte) byte {
	if in == out {
		return at(i)
	}
	keys := func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 1:
			return 1.5*x*x*x - 2.5*x*x + 1
		case x < 2:
			return -0.5*x*x*x + 2.5*x*x - 4*x + 2
		}
		return 0
	}
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	center := (float64(i) + 0.5) * scale
	low := max(int(center-2*stretch+0.5), 0)
	high := min(int(center+2*stretch+0.5), in)
	total := 0.0
	for k := low; k < high; k++ {
		total += keys((float64(k) + 0.5 - center) / stretch)
	}
	sum := 0.0
	for k := low; k < high; k++ {
		weight := math.Round(keys((float64(k)+0.5-center)/stretch) / total * (1 << 22))
		sum += weight * float64(at(k))
	}
	return byte(min(max(math.Floor(sum/(1<<22)+0.5), 0), 255))
}

func TestResizeEqualsPlain(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	src := data.FromImage(scene(53, 41, 1))
	var r data.Resizer
	for range 60 {
		w, h := 1+rng.IntN(53), 1+rng.IntN(41)
		x, y := rng.IntN(53-w+1), rng.IntN(41-h+1)
		box := image.Rect(x, y, x+w, y+h)
		got := data.NewRGB(1+rng.IntN(120), 1+rng.IntN(120))
		r.Resize(got, src, box)
		checkPixels(t, got, plainResize(data.FromImage(src.RGBA().SubImage(box)), got.W, got.H), 0)
		if t.Failed() {
			t.Fatalf("box %v to %dx%d", box, got.W, got.H)
		}
	}
}

func TestResizePanicsOutsideOfPicture(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a box outside of the picture: got no panic")
		}
	}()
	new(data.Resizer).Resize(data.NewRGB(4, 4), data.NewRGB(8, 8), image.Rect(4, 4, 9, 8))
}

func TestAugmentedRepeatsFromSeed(t *testing.T) {
	img := data.FromImage(scene(90, 70, 2))
	tf := data.NewAugmented(data.PretrainAugment(48))
	apply := func(seed uint64) []float32 {
		out := make([]float32, 3*48*48)
		if err := tf.Apply(img, rand.New(rand.NewPCG(seed, 0)), out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	different := 0
	for seed := range uint64(20) {
		a, b, c := apply(seed), apply(seed), apply(seed+100)
		if !equalFloats(a, b) {
			t.Fatalf("seed %d: two runs differ", seed)
		}
		if !equalFloats(a, c) {
			different++
		}
	}
	if different < 18 { // AutoContrast may turn both white
		t.Errorf("%d of 20 pairs of seeds differ, want nearly all", different)
	}
}

func equalFloats(a, b []float32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestGroundingAugmentKeepsTheWholePicture(t *testing.T) {
	img := data.FromImage(scene(90, 70, 2))
	config := data.GroundingAugment(32)
	config.Augment = data.RandAugment{}
	tf := data.NewAugmented(config)
	plain, mirrored := make([]float32, 3*32*32), make([]float32, 3*32*32)
	test := data.NewResized(32)
	if err := test.Apply(img, nil, plain); err != nil {
		t.Fatal(err)
	}
	if err := test.Apply(data.Flip(img), nil, mirrored); err != nil {
		t.Fatal(err)
	}
	seen := [2]int{}
	for seed := range uint64(40) {
		out := make([]float32, 3*32*32)
		if err := tf.Apply(img, rand.New(rand.NewPCG(seed, 0)), out); err != nil {
			t.Fatal(err)
		}
		switch {
		case equalFloats(out, plain):
			seen[0]++
		case equalFloats(out, mirrored):
			seen[1]++
		default:
			t.Fatalf("seed %d: neither the picture nor its mirror image", seed)
		}
	}
	if seen[0] < 8 || seen[1] < 8 {
		t.Errorf("plain %d times and mirrored %d times of 40, want about half each", seen[0], seen[1])
	}
}

func TestTransformChecksOutput(t *testing.T) {
	img := data.NewRGB(8, 8)
	for _, tf := range []data.Transform{data.NewResized(16), data.NewAugmented(data.FinetuneAugment(16))} {
		if err := tf.Apply(img, rand.New(rand.NewPCG(1, 1)), make([]float32, 10)); err == nil {
			t.Errorf("%T: an output of 10 numbers: got no error", tf)
		}
	}
}

func TestAugmentedAllocatesNothing(t *testing.T) {
	img := data.FromImage(scene(160, 120, 1))
	tf := data.NewAugmented(data.PretrainAugment(64))
	out := make([]float32, 3*64*64)
	rng := rand.New(rand.NewPCG(1, 1))
	apply := func() {
		if err := tf.Apply(img, rng, out); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		apply()
	}
	if n := testing.AllocsPerRun(200, apply); n >= 1 {
		t.Errorf("got %.1f allocations a picture, want none", n)
	}
}

func TestDenormaliseUndoesTheTransform(t *testing.T) {
	img := data.FromImage(scene(24, 24, 3))
	out := make([]float32, 3*24*24)
	if err := data.NewResized(24).Apply(img, nil, out); err != nil {
		t.Fatal(err)
	}
	checkPixels(t, data.Denormalise(out, 24, 24), img, 0)
}

func TestRandAugmentDrawsEachOperation(t *testing.T) {
	img := data.FromImage(scene(40, 40, 6))
	original := img.Clone()
	for op := data.Identity; op <= data.ShearY; op++ {
		a := data.RandAugment{N: 1, Level: 7, Ops: []data.Op{op}}
		rng := rand.New(rand.NewPCG(5, uint64(op)))
		results := map[string]int{}
		for range 200 {
			results[string(a.Apply(img, rng).Pix)]++
		}
		want := 2 // unchanged, changed
		switch {
		case op == data.Identity:
			want = 1
		case op.Signed():
			want = 3
		}
		if len(results) != want {
			t.Errorf("%v: got %d different pictures in 200 draws, want %d", op, len(results), want)
		}
		if n := results[string(original.Pix)]; op != data.Identity && (n < 70 || n > 130) {
			t.Errorf("%v: left the picture alone %d times of 200, want about 100", op, n)
		}
	}
	checkPixels(t, img, original, 0)
}

func TestParseOp(t *testing.T) {
	for op := data.Identity; op <= data.ShearY; op++ {
		if got, err := data.ParseOp(op.String()); err != nil || got != op {
			t.Errorf("ParseOp(%v): got %v, %v", op, got, err)
		}
	}
	if _, err := data.ParseOp("Cutout"); err == nil {
		t.Error("ParseOp(Cutout): got no error")
	}
}

// What decoding at 1/2, 1/4 or 1/8 costs in exactness, on pictures with fine
// detail: mean difference in grey levels, and PSNR in dB.
func TestFastDecodeStaysClose(t *testing.T) {
	const size, w, h = 128, 640, 480
	records := photos(t, 2, w, h)
	exact := data.TrainConfig{Size: size, MinArea: 0.2}
	quick := exact
	quick.FastDecode = true
	sum, squares, n := 0.0, 0.0, 0.0
	for i := range 40 {
		a, b := loaded(t, records, exact, i), loaded(t, records, quick, i)
		for k := range a.Pix {
			d := float64(a.Pix[k]) - float64(b.Pix[k])
			sum, squares, n = sum+math.Abs(d), squares+d*d, n+1
		}
	}
	mean, psnr := sum/n, 20*math.Log10(255)-10*math.Log10(squares/n)
	t.Logf("mean difference %.2f, PSNR %.1f dB", mean, psnr)
	if mean > 1.5 || psnr < 40 {
		t.Errorf("mean difference %.2f, PSNR %.1f dB; want at most 1.5, at least 40", mean, psnr)
	}
	if sum == 0 {
		t.Error("no picture was decoded at less than its size")
	}
}

// loaded is record i of a source of records, from a seed.
func loaded(t *testing.T, records []data.Pretrain, config data.TrainConfig, i int) *data.RGB {
	t.Helper()
	source := data.NewPretrainSource(records, data.NewAugmented(config), nil)
	dst := make([]float32, 3*config.Size*config.Size)
	if _, err := source.Load(i%len(records), rand.New(rand.NewPCG(5, uint64(i))), dst); err != nil {
		t.Fatal(err)
	}
	return data.Denormalise(dst, config.Size, config.Size)
}
