package torch_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"vlab/albef/torch"
)

// split turns [B, N, C] into [B, H, N, C/H].
func split(x *torch.Tensor, heads int) *torch.Tensor {
	n := x.Shape()
	return x.View(n[0], n[1], heads, n[2]/heads).Transpose(1, 2)
}

// plainAttention is the textbook form of Attend: kept, where given, is what
// dropout multiplies the shares [B, H, T, N] by.
func plainAttention(q, k, v, of, mask, kept *torch.Tensor, heads int) *torch.Tensor {
	if of != nil {
		k, v = k.IndexSelect(0, of), v.IndexSelect(0, of)
	}
	n := q.Shape()
	scores := split(q, heads).MatMul(split(k, heads).Transpose(-1, -2)).Scale(1 / math.Sqrt(float64(n[2]/heads)))
	if mask != nil {
		scores = scores.Add(mask)
	}
	shares := scores.Softmax(-1)
	if kept != nil {
		shares = shares.Mul(kept)
	}
	return shares.MatMul(split(v, heads)).Transpose(1, 2).View(n[0], n[1], n[2])
}

// near fails unless all of got is within a share of the largest of want.
func near(t *testing.T, what string, got, want *torch.Tensor, within float64) {
	t.Helper()
	g, w := got.To(torch.Float32).Floats(), want.To(torch.Float32).Floats()
	if len(g) != len(w) {
		t.Fatalf("%s: got %v, want %v", what, got.Shape(), want.Shape())
	}
	largest := 0.0
	for _, x := range w {
		largest = max(largest, math.Abs(float64(x)))
	}
	for i := range w {
		if d := math.Abs(float64(g[i] - w[i])); !(d <= within*largest) {
			t.Fatalf("%s: element %d of %d: got %v, want %v within %v", what, i, len(w), g[i], w[i], within*largest)
		}
	}
}

// attentionCase is one shape of Attend; of and mask may be nil.
type attentionCase struct {
	texts, length, images, keys, heads, deep int
	of                                       []int64
	mask                                     func(s *torch.Scope) *torch.Tensor
}

var attentionCases = map[string]attentionCase{
	"itself":            {3, 5, 3, 5, 2, 8, nil, nil},
	"odd sizes":         {2, 7, 2, 19, 3, 5, nil, nil},
	"long":              {1, 131, 1, 83, 1, 16, nil, nil},
	"shared":            {6, 9, 4, 33, 2, 20, []int64{3, 0, 3, 3, 1, 0}, nil},
	"mask a text":       {2, 5, 2, 7, 3, 16, nil, paddingMask},
	"mask a query":      {3, 4, 3, 4, 2, 32, nil, causalMask},
	"mask and sharing":  {2, 6, 3, 7, 1, 64, []int64{2, 2}, paddingMask},
	"one key, one deep": {2, 1, 2, 1, 1, 1, nil, nil},
}

func paddingMask(s *torch.Scope) *torch.Tensor {
	return s.Floats([]float32{0, 0, 0, 0, 0, -10000, -10000, 0, 0, 0, 0, 0, 0, -10000}, 2, 1, 1, 7)
}

func causalMask(s *torch.Scope) *torch.Tensor {
	return s.Floats([]float32{0, -1e4, -1e4, -1e4, 0, 0, -1e4, -1e4, 0, 0, 0, -1e4, 0, 0, 0, 0}, 1, 1, 4, 4)
}

func (c attentionCase) tensors(s *torch.Scope, dtype torch.DType) (q, k, v, of, mask, weigh *torch.Tensor) {
	random := func(n, rows int) *torch.Tensor {
		return s.Zeros(torch.CPU, n, rows, c.heads*c.deep).FillNormal(0, 1).To(dtype)
	}
	q, k, v, weigh = random(c.texts, c.length), random(c.images, c.keys), random(c.images, c.keys), random(c.texts, c.length)
	if c.of != nil {
		of = s.Ints(c.of, len(c.of))
	}
	if c.mask != nil {
		mask = c.mask(s)
	}
	return q, k, v, of, mask, weigh
}

// eachKernel runs a test with the kernels of every instruction set of this machine.
func eachKernel(t *testing.T, run func(t *testing.T)) {
	defer torch.UseKernels(2)
	for level := range 3 {
		if torch.UseKernels(level) {
			t.Run(fmt.Sprintf("kernels %d", level), run)
		}
	}
}

func TestAttendEqualsThePlainForm(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for name, c := range attentionCases {
			for dtype, within := range map[torch.DType]float64{torch.Float32: 2e-6, torch.BFloat16: 0.01} {
				t.Run(fmt.Sprintf("%s/%v", name, dtype), func(t *testing.T) { checkAttend(t, c, dtype, within) })
			}
		}
	})
}

func checkAttend(t *testing.T, c attentionCase, dtype torch.DType, within float64) {
	torch.Seed(3)
	err := torch.Do(func(s *torch.Scope) {
		q, k, v, of, mask, weigh := c.tensors(s, dtype)
		leaves := func(d torch.DType) []*torch.Tensor {
			var out []*torch.Tensor
			for _, x := range []*torch.Tensor{q, k, v} {
				out = append(out, x.To(d).Clone().Detach().RequireGrad(true))
			}
			return out
		}
		fast, plain := leaves(dtype), leaves(torch.Float32)
		got := fast[0].Attend(torch.Attention{K: fast[1], V: fast[2], Of: of, Mask: mask, Heads: c.heads})
		want := plainAttention(plain[0], plain[1], plain[2], of, mask, nil, c.heads)
		near(t, "context", got, want, within)
		dgot := got.Mul(weigh).Sum().Gradients(fast...)
		dwant := want.Mul(weigh.To(torch.Float32)).Sum().Gradients(plain...)
		for i, name := range []string{"queries", "keys", "values"} {
			near(t, "gradient of "+name, dgot[i], dwant[i], 3*within)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSelfAttendEqualsAttend(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		packed := s.Zeros(torch.CPU, 2, 21, 3*24).FillNormal(0, 1).RequireGrad(true)
		part := func(i int) *torch.Tensor { return packed.Narrow(2, 24*i, 24) }
		got, want := packed.Attend(torch.Attention{Heads: 3}), part(0).Attend(torch.Attention{K: part(1), V: part(2), Heads: 3})
		near(t, "context", got, want, 0)
		near(t, "gradient", got.Mul(got).Sum().Gradients(packed)[0], want.Mul(want).Sum().Gradients(packed)[0], 1e-6)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAttendDropsShares reads the shares that dropout left by values that are
// the unit vectors, and wants them in the product and in every gradient.
func TestAttendDropsShares(t *testing.T) {
	const n, heads, p = 16, 2, 0.25
	eachKernel(t, func(t *testing.T) {
		err := torch.Do(func(s *torch.Scope) {
			random := func() *torch.Tensor { return s.Zeros(torch.CPU, 3, n, heads*n).FillNormal(0, 1) }
			q, k, v, weigh := random().RequireGrad(true), random().RequireGrad(true), random().RequireGrad(true), random()
			unit := make([]float32, 3*n*heads*n)
			for row := range 3 * n {
				for h := range heads {
					unit[row*heads*n+h*n+row%n] = 1
				}
			}
			attend := func(v *torch.Tensor) *torch.Tensor {
				torch.Seed(5)
				return q.Attend(torch.Attention{K: k, V: v, Heads: heads, Dropout: p})
			}
			left := split(attend(s.Floats(unit, 3, n, heads*n)), heads)
			kept := left.Detach().Gt(0).To(torch.Float32).Scale(1 / (1 - p))
			if mean := kept.Mean().Item(); math.Abs(mean-1) > 0.05 {
				t.Errorf("the mean of what is kept, scaled: got %v, want 1", mean)
			}
			got, want := attend(v), plainAttention(q, k, v, nil, nil, kept, heads)
			near(t, "context", got, want, 2e-6)
			dgot, dwant := got.Mul(weigh).Sum().Gradients(q, k, v), want.Mul(weigh).Sum().Gradients(q, k, v)
			for i, name := range []string{"queries", "keys", "values"} {
				near(t, "gradient of "+name, dgot[i], dwant[i], 6e-6)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAttendRefusesWhatItCannotSee(t *testing.T) {
	for name, of := range map[string][]int64{"beyond": {0, 2}, "negative": {-1, 0}} {
		err := torch.Do(func(s *torch.Scope) {
			x := s.Zeros(torch.CPU, 2, 3, 4)
			x.Attend(torch.Attention{K: x, V: x, Of: s.Ints(of, 2), Heads: 1})
		})
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	err := torch.Do(func(s *torch.Scope) {
		s.Zeros(torch.CPU, 3, 3, 4).Attend(torch.Attention{K: s.Zeros(torch.CPU, 2, 3, 4), V: s.Zeros(torch.CPU, 2, 3, 4), Heads: 1})
	})
	if err == nil {
		t.Error("three texts over two images: got no error")
	}
}

// TestLayerNormEqualsThePlainForm compares both ways of adding and normalising,
// with and without dropout, in float32 and under autocast.
func TestLayerNormEqualsThePlainForm(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, width := range []int{1, 24, 40, 192} {
			for _, autocast := range []bool{false, true} {
				for _, p := range []float64{0, 0.3} {
					for _, y := range []bool{true, false} {
						t.Run(fmt.Sprintf("width %d autocast %v dropout %v sum %v", width, autocast, p, y), func(t *testing.T) {
							checkNorm(t, width, autocast, p, y)
						})
					}
				}
			}
		}
	})
}

func checkNorm(t *testing.T, width int, autocast bool, p float64, withY bool) {
	torch.Seed(9)
	within := 1e-5
	if autocast {
		within = 0.02
	}
	err := torch.Do(func(s *torch.Scope) {
		leaf := func(shape ...int) *torch.Tensor {
			return s.Zeros(torch.CPU, shape...).FillNormal(0.5, 1).RequireGrad(true)
		}
		x, y := leaf(6, 7, width), leaf(6, 7, width)
		n := torch.LayerNorm{Weight: leaf(width), Bias: leaf(width), Eps: 1e-5}
		inputs := []*torch.Tensor{x, n.Weight, n.Bias}
		given := (*torch.Tensor)(nil)
		if withY {
			given, inputs = y, append(inputs, y)
		}
		kept := s.Zeros(torch.CPU, 6, 7, width).Shift(1)
		if withY && p > 0 { // of a sum that begins with 0, what isn't 0 was kept
			torch.Seed(2)
			sum, _ := n.Before(s.Zeros(torch.CPU, 6, 7, width), s.Zeros(torch.CPU, 6, 7, width).Shift(1), p)
			kept = sum.Detach()
		}
		plain := func() (sum, norm *torch.Tensor) {
			sum = x
			if withY {
				sum = x.Add(y.Mul(kept))
			}
			return sum, torch.LibtorchLayerNorm(sum, n)
		}
		sum, norm := plain()
		weigh, other := s.Zeros(torch.CPU, 6, 7, width).FillNormal(0, 1), s.Zeros(torch.CPU, 6, 7, width).FillNormal(0, 1)
		score := func(a, b *torch.Tensor) []*torch.Tensor {
			return a.Mul(weigh).Sum().Add(b.To(torch.Float32).Mul(other).Sum()).Gradients(inputs...)
		}
		torch.Autocast(autocast, torch.CPU, func() {
			torch.Seed(2)
			gotSum, low := n.Before(x, given, p)
			torch.Seed(2)
			full, low2 := n.After(x, given, p)
			wantType := map[bool]torch.DType{false: torch.Float32, true: torch.BFloat16}[autocast]
			if got := []torch.DType{low.Meta().DType, low2.Meta().DType}; !slices.Equal(got, []torch.DType{wantType, wantType}) {
				t.Fatalf("for products: got %v, want %v", got, wantType)
			}
			near(t, "sum", gotSum, sum, within)
			near(t, "norm before", low, norm, within)
			near(t, "norm after", full, norm, within)
			near(t, "norm after for products", low2, norm, within)
			compare(t, "before: ", score(gotSum, low), score(sum, norm), 5*within, width)
			_, norm = plain() // a graph is walked once
			compare(t, "after: ", score(full, low2), score(norm, norm), 5*within, width)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func compare(t *testing.T, when string, got, want []*torch.Tensor, within float64, width int) {
	t.Helper()
	for i, name := range []string{"x", "weight", "bias", "y"}[:len(want)] {
		if width == 1 && (name == "weight" || when == "after: ") { // the norm of one number is 0: nothing but rounding
			continue
		}
		near(t, when+"gradient of "+name, got[i], want[i], within)
	}
}

func TestGeluEqualsLibtorchs(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for dtype, within := range map[torch.DType]float64{torch.Float32: 1e-6, torch.BFloat16: 0.01} {
			err := torch.Do(func(s *torch.Scope) {
				x := s.Zeros(torch.CPU, 7, 31).FillNormal(0, 3).To(dtype).Detach().RequireGrad(true)
				got, want := x.Gelu(), torch.LibtorchGelu(x)
				near(t, "gelu", got, want, within)
				near(t, "gradient", got.Sum().Gradients(x)[0], want.Sum().Gradients(x)[0], within)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDistilledCrossEntropyEqualsThePlainForm(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for dtype, within := range map[torch.DType]float64{torch.Float32: 2e-6, torch.BFloat16: 0.02} {
			for _, distill := range []float64{0, 0.4} {
				t.Run(fmt.Sprintf("%v distill %v", dtype, distill), func(t *testing.T) { checkWords(t, dtype, distill, within) })
			}
		}
	})
}

func checkWords(t *testing.T, dtype torch.DType, distill, within float64) {
	err := torch.Do(func(s *torch.Scope) {
		const n, size = 6, 37
		logits := s.Zeros(torch.CPU, n, size).FillNormal(0, 3).To(dtype).Detach().RequireGrad(true)
		words := s.Ints([]int64{3, -100, 36, 0, -100, 17}, n)
		teacher := (*torch.Tensor)(nil)
		want := logits.To(torch.Float32).CrossEntropy(words, -100)
		if distill > 0 {
			teacher = s.Zeros(torch.CPU, n, size).FillNormal(0, 3).To(dtype)
			each := logits.To(torch.Float32).LogSoftmax(1).Mul(teacher.To(torch.Float32).Softmax(1)).SumDim(1, false)
			soft := each.Mul(words.Ne(-100).To(torch.Float32)).Sum().Scale(-1.0 / 4)
			want = want.Scale(1 - distill).Add(soft.Scale(distill))
		}
		got := logits.DistilledCrossEntropy(teacher, words, torch.Share{Value: distill}, -100)
		near(t, "loss", got, want, within)
		near(t, "gradient", got.Scale(3).Gradients(logits)[0], want.Scale(3).Gradients(logits)[0], within)
		if none := logits.DistilledCrossEntropy(teacher, s.Ints([]int64{-100, -100, -100, -100, -100, -100}, n), torch.Share{Value: distill}, -100).Item(); !math.IsNaN(none) {
			t.Errorf("the mean over nothing: got %v, want NaN", none)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	err = torch.Do(func(s *torch.Scope) {
		s.Zeros(torch.CPU, 1, 3).DistilledCrossEntropy(nil, s.Ints([]int64{3}, 1), torch.Share{}, -100)
	})
	if err == nil {
		t.Error("a word beyond the vocabulary: got no error")
	}
}

func TestDropoutRepeatsInTheBackward(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		err := torch.Do(func(s *torch.Scope) {
			x := s.Zeros(torch.CPU, 300, 33).Shift(1).RequireGrad(true)
			y := x.Dropout(0.1)
			kept := y.Gt(0).To(torch.Float32)
			if share := kept.Mean().Item(); math.Abs(share-0.9) > 0.01 {
				t.Errorf("kept: got %v, want 0.9", share)
			}
			near(t, "what is kept", y, kept.Scale(1/0.9), 1e-6)
			near(t, "gradient", y.Sum().Gradients(x)[0], y, 0)
			for _, dim := range []int{0, 1} { // no row and no column is alike another
				rows := kept.MeanDim(dim, false).Floats()
				slices.Sort(rows)
				if rows[0] == rows[len(rows)-1] {
					t.Errorf("all means along %d are %v", dim, rows[0])
				}
			}
			again := x.Dropout(0.1).Gt(0).To(torch.Float32)
			if same := kept.Mul(again).Mean().Item(); math.Abs(same-0.81) > 0.01 {
				t.Errorf("kept by both of two: got %v, want 0.81", same)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestKernelsDrawTheSame: a run that goes on on another machine stays the same run.
func TestKernelsDrawTheSame(t *testing.T) {
	var first []float32
	eachKernel(t, func(t *testing.T) {
		err := torch.Do(func(s *torch.Scope) {
			torch.Seed(4)
			got := s.Zeros(torch.CPU, 40, 50).Shift(1).Dropout(0.4).Floats()
			if first == nil {
				first = got
			}
			if !slices.Equal(got, first) {
				t.Error("another draw than that of the first kernels")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestCUDAComposesTheSame compares what stands in for the kernels on CUDA with them.
func TestCUDAComposesTheSame(t *testing.T) {
	if cuda := torch.LoadCUDA(); cuda.Devices == 0 {
		t.Skipf("no CUDA here: %v", cuda.Err)
	}
	err := torch.Do(func(s *torch.Scope) {
		run := func(dev torch.Device) []*torch.Tensor {
			torch.Seed(6)
			leaf := func(shape ...int) *torch.Tensor {
				return s.Zeros(torch.CPU, shape...).FillNormal(0, 1).ToDevice(dev).Detach().RequireGrad(true)
			}
			q, k, v, n := leaf(3, 5, 16), leaf(2, 7, 16), leaf(2, 7, 16), torch.LayerNorm{Weight: leaf(16), Bias: leaf(16), Eps: 1e-6}
			of, words := s.Ints([]int64{1, 0, 1}, 3).ToDevice(dev), s.Ints([]int64{4, -100, 9}, 3).ToDevice(dev)
			full, low := n.After(q, q.Attend(torch.Attention{K: k, V: v, Of: of, Heads: 2}), 0)
			sum, _ := n.Before(full, low.Gelu(), 0)
			loss := sum.Select(1, 0).DistilledCrossEntropy(sum.Select(1, 1).Detach(), words, torch.Share{Value: 0.4}, -100)
			return append(loss.Gradients(q, k, v, n.Weight), sum, loss)
		}
		got, want := run(0), run(torch.CPU)
		for i := range want {
			near(t, fmt.Sprintf("result %d", i), got[i], want[i], 1e-4)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAdvanceFreesTheStateAndWhatWasMade(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		st := [2]*torch.Tensor{s.Zeros(torch.CPU, 3)}
		before := torch.Live()
		for range 5 {
			st = torch.Advance(st, func(st [2]*torch.Tensor) [2]*torch.Tensor {
				x := st[0].Shift(1).Shift(1)
				return [2]*torch.Tensor{x, x}
			})
		}
		if n := torch.Live(); n != before {
			t.Errorf("handles: got %d, want %d", n, before)
		}
		if got := st[1].Sum().Item(); got != 30 {
			t.Errorf("got %v, want 30", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAttention times forward and backward of attention as the model
// calls it beside libtorch's fused form and beside the plain form.
func BenchmarkAttention(b *testing.B) {
	for _, n := range [][5]int{{128, 4, 14, 64, 40}, {32, 4, 65, 65, 40}, {16, 3, 65, 65, 64}, {2, 12, 257, 257, 64}, {1, 12, 577, 577, 64}} {
		for _, dtype := range []torch.DType{torch.Float32, torch.BFloat16} {
			for _, form := range []struct {
				name string
				run  func(q, k, v *torch.Tensor) *torch.Tensor
			}{
				{"ours", func(q, k, v *torch.Tensor) *torch.Tensor { return q.Attend(torch.Attention{K: k, V: v, Heads: n[1]}) }},
				{"libtorch", func(q, k, v *torch.Tensor) *torch.Tensor {
					return torch.FusedAttention(split(q, n[1]), split(k, n[1]), split(v, n[1]))
				}},
				{"plain", func(q, k, v *torch.Tensor) *torch.Tensor { return plainAttention(q, k, v, nil, nil, nil, n[1]) }},
			} {
				b.Run(fmt.Sprintf("%v/%v/%s", n, dtype, form.name), func(b *testing.B) { attend(b, n, dtype, form.run) })
			}
		}
	}
}

func attend(b *testing.B, n [5]int, dtype torch.DType, run func(q, k, v *torch.Tensor) *torch.Tensor) {
	err := torch.Do(func(s *torch.Scope) {
		leaf := func(tokens int) *torch.Tensor {
			return s.Zeros(torch.CPU, n[0], tokens, n[1]*n[4]).FillNormal(0, 1).To(dtype).Detach().RequireGrad(true)
		}
		q, k, v := leaf(n[2]), leaf(n[3]), leaf(n[3])
		for b.Loop() {
			s.Do(func(s *torch.Scope) { run(s.Use(q), s.Use(k), s.Use(v)).Sum().Backward() })
		}
	})
	if err != nil {
		b.Fatal(err)
	}
}
