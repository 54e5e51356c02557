package torch_test

import (
	"fmt"
	"math"
	"testing"

	"vlab/albef/torch"
)

// plainAttention is the textbook form.
func plainAttention(q, k, v, mask *torch.Tensor) *torch.Tensor {
	scores := q.MatMul(k.Transpose(-1, -2)).Scale(1 / math.Sqrt(float64(q.Size(-1))))
	if mask != nil {
		scores = scores.Add(mask)
	}
	return scores.Softmax(-1).MatMul(v)
}

func TestAttentionEqualsThePlainForm(t *testing.T) {
	torch.Seed(3)
	for _, tt := range []struct {
		dtype  torch.DType
		masked bool
		within float64
	}{{torch.Float32, false, 1e-5}, {torch.Float32, true, 1e-5}, {torch.BFloat16, false, 0.02}, {torch.BFloat16, true, 0.02}} {
		t.Run(fmt.Sprintf("%v masked %v", tt.dtype, tt.masked), func(t *testing.T) {
			err := torch.Do(func(s *torch.Scope) {
				random := func(n int) *torch.Tensor { return s.Zeros(torch.CPU, 2, 3, n, 8).FillNormal(0, 1) }
				q, k, v := random(5), random(7), random(7)
				var mask *torch.Tensor
				if tt.masked {
					mask = s.Floats([]float32{0, 0, 0, 0, 0, -10000, -10000, 0, 0, 0, 0, 0, 0, -10000}, 2, 1, 1, 7)
				}
				want := plainAttention(q, k, v, mask).Floats()
				got := q.To(tt.dtype).Attention(k.To(tt.dtype), v.To(tt.dtype), mask, 0).Floats()
				for i := range want {
					if d := math.Abs(float64(got[i] - want[i])); d > tt.within {
						t.Fatalf("element %d: got %v, want %v within %v", i, got[i], want[i], tt.within)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// BenchmarkAttention times forward and backward of attention as the model
// calls it beside libtorch's fused form and beside the plain form.
func BenchmarkAttention(b *testing.B) {
	for _, n := range [][5]int{{128, 4, 14, 64, 40}, {32, 4, 65, 65, 40}, {16, 3, 65, 65, 64}, {2, 12, 257, 257, 64}} {
		for _, dtype := range []torch.DType{torch.Float32, torch.BFloat16} {
			for _, form := range []struct {
				name string
				run  func(q, k, v *torch.Tensor) *torch.Tensor
			}{
				{"chosen", func(q, k, v *torch.Tensor) *torch.Tensor { return q.Attention(k, v, nil, 0) }},
				{"fused", func(q, k, v *torch.Tensor) *torch.Tensor { return torch.FusedAttention(q, k, v) }},
				{"plain", func(q, k, v *torch.Tensor) *torch.Tensor { return plainAttention(q, k, v, nil) }},
			} {
				b.Run(fmt.Sprintf("%v/%v/%s", n, dtype, form.name), func(b *testing.B) { attend(b, n, dtype, form.run) })
			}
		}
	}
}

func attend(b *testing.B, n [5]int, dtype torch.DType, run func(q, k, v *torch.Tensor) *torch.Tensor) {
	err := torch.Do(func(s *torch.Scope) {
		leaf := func(tokens int) *torch.Tensor {
			return s.Zeros(torch.CPU, n[0], tokens, n[1], n[4]).FillNormal(0, 1).To(dtype).Detach().RequireGrad(true)
		}
		q, k, v := leaf(n[2]), leaf(n[3]), leaf(n[3])
		for b.Loop() {
			s.Do(func(s *torch.Scope) {
				heads := func(x *torch.Tensor) *torch.Tensor { return s.Use(x).Transpose(1, 2) }
				run(heads(q), heads(k), heads(v)).Sum().Backward()
			})
		}
	})
	if err != nil {
		b.Fatal(err)
	}
}
