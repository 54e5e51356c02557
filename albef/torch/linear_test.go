package torch_test

import (
	"fmt"
	"testing"

	"vlab/albef/torch"
)

// TestLinearIsAProduct compares layers on either side of the size from which
// oneDNN multiplies with libtorch's own products, gradients included.
func TestLinearIsAProduct(t *testing.T) {
	for _, size := range []struct{ rows, in, out int }{{1, 512, 512}, {7, 512, 768}, {40, 24, 16}, {300, 600, 500}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			err := torch.Do(func(s *torch.Scope) {
				leaf := func(shape ...int) *torch.Tensor {
					return s.Zeros(torch.CPU, shape...).FillNormal(0, 1).RequireGrad(true)
				}
				x, w, b := leaf(1, size.rows, size.in), leaf(size.out, size.in), leaf(size.out)
				got, want := x.Linear(w, b), x.MatMul(w.T()).Add(b)
				near(t, "linear", got, want, 1e-5)
				near(t, "without bias", x.Linear(w, nil), x.MatMul(w.T()), 1e-5)
				weigh := s.Zeros(torch.CPU, 1, size.rows, size.out).FillNormal(0, 1)
				dwant := want.Mul(weigh).Sum().Gradients(x, w, b)
				for i, g := range got.Mul(weigh).Sum().Gradients(x, w, b) {
					near(t, fmt.Sprintf("gradient %d", i), g, dwant[i], 1e-5)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestLinearFollowsItsWeight asks without gradients often enough that the weight is
// kept as oneDNN wants it, and changes the weight in each way that training has.
func TestLinearFollowsItsWeight(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		w, b := s.Zeros(torch.CPU, 512, 512).FillNormal(0, 1).RequireGrad(true), s.Zeros(torch.CPU, 512).FillNormal(0, 1)
		x, other := s.Zeros(torch.CPU, 64, 512).FillNormal(0, 1), s.Zeros(torch.CPU, 512, 512).FillNormal(0, 1)
		check := func(what string) {
			t.Helper()
			torch.NoGrad(func() {
				for i := range 5 {
					near(t, fmt.Sprint(what, ", use ", i), x.Linear(w, b), x.MatMul(w.T()).Add(b), 1e-4)
				}
			})
		}
		check("as made")
		torch.NoGrad(func() { torch.Lerp([]*torch.Tensor{w}, []*torch.Tensor{other}, 0.5) })
		check("moved by Lerp")
		torch.NoGrad(func() { w.Copy(other) })
		check("copied into")
		m, v, steps := s.Zeros(torch.CPU, 512, 512), s.Zeros(torch.CPU, 512, 512), s.Zeros(torch.CPU)
		adam := torch.AdamW{LR: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
		list := func(t *torch.Tensor) []*torch.Tensor { return []*torch.Tensor{t} }
		torch.NoGrad(func() { adam.Update(list(w), list(other), list(m), list(v), list(steps)) })
		check("moved by AdamW")
		adam.Backward(x.Linear(w, b).Mul(x).Sum(), list(w), list(m), list(v), list(steps), []float64{0})
		check("moved within the backward")
	})
	if err != nil {
		t.Fatal(err)
	}
}
