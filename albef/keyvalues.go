package albef

import "vlab/albef/torch"

// In returns aliases that belong to s; with nil they belong to no scope, and
// the caller closes them.
func (kv KeyValues) In(s *torch.Scope) KeyValues { return kv.in(s) }

// Close frees keys and values that belong to no scope.
func (kv KeyValues) Close() {
	kv.each(func(x *torch.Tensor) *torch.Tensor {
		x.Close()
		return x
	})
}

// Bytes returns how much memory they take.
func (kv KeyValues) Bytes() int {
	n := 0
	kv.each(func(x *torch.Tensor) *torch.Tensor {
		n += x.Numel() * x.Meta().DType.Bytes()
		return x
	})
	return n
}
