// Package torch is the only package that touches gotch: tensors, scopes,
// autograd and the few fused operations of libtorch that the model needs.
//
// Work happens in a scope. [Do] locks the OS thread (libtorch keeps its
// gradient mode and last error per thread), frees all that was made within,
// and returns a failed operation as an error:
//
//	err := torch.Do(func(s *torch.Scope) {
//		x := s.Floats(pixels, b, 3, 64, 64)
//		loss = model.Loss(x).Item()
//	})
//
// A result belongs to the innermost scope among its operands, so forward code
// has no frees and no error checks. Parameters belong to no scope. A tensor
// made from tensors without a scope is freed by the collector when it becomes
// unreachable: a net for cells typed by hand, not a plan. [Live] counts.
//
// Operations call gotch/libtch with thin pointers (about 1 us each); what
// libtch lacks stands in native.cpp.
package torch
