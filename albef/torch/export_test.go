package torch

import (
	"unsafe"

	"github.com/sugarme/gotch/libtch"
)

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
