package torch_test

import (
	"fmt"
	"testing"

	"vlab/albef/torch"
)

// TestLinearUnderAutocast compares a linear layer under autocast with float32, its
// gradients included, and wants nothing but x and the parameters kept for them.
func TestLinearUnderAutocast(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		leaf := func(shape ...int) *torch.Tensor {
			return s.Zeros(torch.CPU, shape...).FillNormal(0, 1).RequireGrad(true)
		}
		x, w, b := leaf(3, 5, 40), leaf(24, 40), leaf(24)
		want := x.Linear(w, b)
		var got, bare *torch.Tensor
		torch.Autocast(true, torch.CPU, func() { got, bare = x.Linear(w, b), x.Linear(w, nil) })
		if kind := got.Meta().DType; kind != torch.BFloat16 {
			t.Errorf("type: got %v, want bf16", kind)
		}
		near(t, "linear", got, want, 0.05)
		near(t, "without bias", bare, x.Linear(w, nil), 0.05)
		weigh := s.Zeros(torch.CPU, 3, 5, 24).FillNormal(0, 1)
		score := func(y *torch.Tensor) []*torch.Tensor {
			return y.To(torch.Float32).Mul(weigh).Sum().Gradients(x, w, b)
		}
		dwant := score(want)
		for i, g := range score(got) {
			near(t, fmt.Sprintf("gradient %d", i), g, dwant[i], 0.05)
			if kind := g.Meta().DType; kind != torch.Float32 {
				t.Errorf("gradient %d: got %v, want float32", i, kind)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpread wants every part done once, alone, and under the caller's settings.
func TestSpread(t *testing.T) {
	threads := torch.Threads()
	results := make([]float64, 9)
	torch.NoGrad(func() {
		torch.Autocast(true, torch.CPU, func() {
			torch.Spread(torch.CPU, len(results), func(i int) {
				if n := torch.Threads(); threads > 1 && n != 1 {
					t.Errorf("threads: got %d, want 1", n)
				}
				err := torch.Do(func(s *torch.Scope) {
					x := s.Zeros(torch.CPU, 2, 4).Shift(float64(i)).RequireGrad(true)
					y := x.Linear(s.Zeros(torch.CPU, 3, 4).Shift(1), nil)
					if kind := y.Meta().DType; kind != torch.BFloat16 {
						t.Errorf("type: got %v, want that of autocast", kind)
					}
					if torch.Do(func(*torch.Scope) { y.Sum().Gradients(x) }) == nil {
						t.Error("a graph is kept within NoGrad")
					}
					results[i] += y.Select(0, 0).Select(0, 0).Item()
				})
				if err != nil {
					t.Error(err)
				}
			})
		})
	})
	for i, got := range results {
		if want := 4 * float64(i); got != want {
			t.Errorf("part %d: got %v, want %v", i, got, want)
		}
	}
	if n := torch.Threads(); n != threads {
		t.Errorf("threads afterwards: got %d, want %d", n, threads)
	}
	err := torch.Do(func(s *torch.Scope) {
		torch.Spread(torch.CPU, 4, func(int) {
			if err := torch.Do(func(s *torch.Scope) { s.Zeros(torch.CPU, 2).Add(s.Zeros(torch.CPU, 3)) }); err != nil {
				panic(err)
			}
		})
	})
	if err == nil {
		t.Error("parts that fail: got no error")
	}
}
