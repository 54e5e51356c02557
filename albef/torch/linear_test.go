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
