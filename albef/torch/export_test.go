package torch

import (
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

// UseKernels makes the fused operations use those of an instruction set: 0 of
// none in particular, 1 of AVX2, 2 of AVX-512. It reports whether there are such
// here.
func UseKernels(level int) bool { return useKernels(level) }

// FusedAttention is libtorch's own choice of attention, for comparison. A mask
// of zeros stands in for none, which libtch can't pass.
func FusedAttention(q, k, v *Tensor) *Tensor {
	s := q.s
	mask := s.Zeros(CPU, 1, 1, 1, 1).To(q.Meta().DType)
	s.out[0] = nil
	libtch.AtgScaledDotProductAttention(&s.out[0], q.ct(), k.ct(), v.ct(), mask.ct(), 0, 0, 0, 1)
	if s.out[0] == nil {
		fail("fused attention")
	}
	return s.adopt("fused attention", unsafe.Pointer(s.out[0]))
}

// LibtorchLayerNorm is libtorch's own norm, for comparison.
func LibtorchLayerNorm(x *Tensor, n LayerNorm) *Tensor {
	c := begin(x, n.Weight)
	libtch.AtgLayerNorm(c.slot, x.ct(), []int64{int64(x.Size(-1))}, 1, n.Weight.ct(), n.Bias.ct(), n.Eps, 1)
	return c.end("layer_norm")
}

// LibtorchGelu is libtorch's own, for comparison.
func LibtorchGelu(x *Tensor) *Tensor {
	c := begin(x, nil)
	libtch.AtgGelu(c.slot, x.ct(), "none")
	return c.end("gelu")
}
