package torch

// #cgo CXXFLAGS: -O3 -fopenmp -DVLAB_OWN
// #cgo LDFLAGS: -fopenmp
// #include "native.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Dropout zeroes a share p of the elements and scales the rest; p 0 is t itself.
func (t *Tensor) Dropout(p float64) *Tensor {
	if p == 0 {
		return t
	}
	var out unsafe.Pointer
	check("dropout", func() C.int { return C.vt_dropout(t.c, C.double(p), &out) })
	runtime.KeepAlive(t)
	return t.s.adopt("dropout", out)
}

// Gelu returns the GELU by the error function, as the official ViT and BERT use
// it.
func (t *Tensor) Gelu() *Tensor {
	var out unsafe.Pointer
	check("gelu", func() C.int { return C.vt_gelu(t.c, &out) })
	runtime.KeepAlive(t)
	return t.s.adopt("gelu", out)
}

// LayerNorm normalises over the last dimension, of C numbers.
type LayerNorm struct {
	Weight, Bias *Tensor // [C]
	Eps          float64
}

// After returns the norm of x + dropout(y), both [..., C], as BERT's layers end:
// full is the float32 stream that the next sum begins with, low the same in the
// type of matrix products, which is another one under [Autocast]. y may be nil.
func (n LayerNorm) After(x, y *Tensor, dropout float64) (full, low *Tensor) {
	_, full, low = n.apply(x, y, dropout, 1)
	if low == nil {
		low = full
	}
	return full, low
}

// Before returns the sum x + dropout(y), both [..., C], and its norm in the type
// of matrix products, as a layer of pre-norm begins. y may be nil: the sum is x
// then.
func (n LayerNorm) Before(x, y *Tensor, dropout float64) (sum, low *Tensor) {
	sum, full, low := n.apply(x, y, dropout, 0)
	if sum == nil {
		sum = x
	}
	if low == nil {
		low = full
	}
	return sum, low
}

func (n LayerNorm) apply(x, y *Tensor, dropout float64, post C.int) (sum, full, low *Tensor) {
	var out [3]unsafe.Pointer
	check("layer_norm", func() C.int {
		return C.vt_norm(x.c, orNil(y), n.Weight.c, n.Bias.c, C.double(dropout), C.double(n.Eps), post, &out[0], &out[1], &out[2])
	})
	runtime.KeepAlive([]*Tensor{x, y, n.Weight, n.Bias})
	s := innermost(x, y)
	adopt := func(p unsafe.Pointer) *Tensor {
		if p == nil {
			return nil
		}
		return s.adopt("layer_norm", p)
	}
	return adopt(out[0]), adopt(out[1]), adopt(out[2])
}

// Attention is what texts attend to, and how.
type Attention struct {
	// K and V are keys and values of images (or of whatever is looked at) [I, N, C],
	// C numbers each with the heads one after the other; nil: the queries hold all
	// three side by side, 3C wide, and each text looks at itself.
	K, V *Tensor
	// Of [B] int64 says which image each text looks at; nil: each at its own. What
	// several texts look at is not copied for each.
	Of *Tensor
	// Mask is added to the scores and broadcasts to [B, 1, T, N]; nil masks nothing.
	Mask    *Tensor
	Heads   int
	Dropout float64 // of the shares
}

// Attend returns softmax(t·kᵀ/sqrt(d) + mask)·v, head by head, d = C/heads, for
// queries t [B, T, C]: [B, T, C].
func (t *Tensor) Attend(a Attention) *Tensor {
	var out unsafe.Pointer
	check("attention", func() C.int {
		return C.vt_attend(t.c, orNil(a.K), orNil(a.V), orNil(a.Of), orNil(a.Mask), C.int64_t(a.Heads), C.double(a.Dropout), &out)
	})
	runtime.KeepAlive([]*Tensor{t, a.K, a.V, a.Of, a.Mask})
	return innermost(t, a.K, a.V, a.Of, a.Mask).adopt("attention", out)
}

// Low returns t in the type of matrix products: bf16 under [Autocast], else t
// itself. Several products of the same tensor then convert it once.
func (t *Tensor) Low() *Tensor {
	return native("low", func() unsafe.Pointer { return C.vt_low(t.c) }, t)
}

// Share is the part of a whole that comes from one of two sides: a number, and
// where a [Graph] must not keep it, the same on the device.
type Share struct {
	Value float64
	// Device holds the share and what it leaves of 1, [2] float32, see [Scope.Shares];
	// where it is set, operations take no number from the host.
	Device *Tensor
}

// Shares makes what [Share.Device] holds, in s on dev.
func (s *Scope) Shares(dev Device, v float64) *Tensor {
	return Stack(0, Full(s, v, Float32, dev), Full(s, 1-v, Float32, dev))
}

// Of returns x times the share.
func (h Share) Of(x *Tensor) *Tensor { return h.times(x, 0, h.Value) }

// Rest returns x times what the share leaves of 1.
func (h Share) Rest(x *Tensor) *Tensor { return h.times(x, 1, 1-h.Value) }

func (h Share) times(x *Tensor, entry int, v float64) *Tensor {
	if h.Device == nil {
		return x.Scale(v)
	}
	return x.Mul(h.Device.Select(0, entry))
}

// DistilledCrossEntropy is the mean over the rows of logits t [n, V] whose word
// [n] (int64) isn't ignore of
//
//	(1-distill)·(-log p(word)) + distill·(-Σ teacher·log p)
//
// with p and teacher the softmax of t and of the teacher's logits [n, V], float32.
// A nil teacher goes with distill 0. Without such a row the result is NaN.
func (t *Tensor) DistilledCrossEntropy(teacher, words *Tensor, distill Share, ignore int) *Tensor {
	var out unsafe.Pointer
	check("cross_entropy", func() C.int {
		return C.vt_distilled_cross_entropy(t.c, orNil(teacher), words.c, C.double(distill.Value), orNil(distill.Device), C.int64_t(ignore), &out)
	})
	runtime.KeepAlive([]*Tensor{t, teacher, words, distill.Device})
	return innermost(t, teacher, words).adopt("cross_entropy", out)
}

func orNil(t *Tensor) unsafe.Pointer {
	if t == nil {
		return nil
	}
	if t.c == nil {
		panic(errFreed)
	}
	return t.c
}

// Advance runs one layer on the state of a stream in a scope of its own, and
// returns the new state. What the layer made on the way and the old state are
// freed, but for what autograd keeps of them: memory doesn't add up from layer
// to layer. A nil entry of the state stays one. On a [Tape] of layers it is a
// segment.
func Advance(state [2]*Tensor, layer func(state [2]*Tensor) [2]*Tensor) (out [2]*Tensor) {
	s := innermost(state[:]...)
	run := func(in *Scope) [2]*Tensor {
		var own [2]*Tensor
		for i, x := range state {
			if x != nil {
				own[i] = in.Use(x)
			}
		}
		return layer(own)
	}
	if t := s.recording(); t != nil && t.Layers {
		copy(out[:], s.Segment(func(in *Scope) []*Tensor {
			next := run(in)
			return next[:]
		}))
		return out
	}
	s.Do(func(in *Scope) {
		out = run(in)
		for i, x := range out {
			if x != nil && (i == 0 || x != out[0]) {
				in.Keep(x)
			}
		}
	})
	for _, x := range state {
		if x != nil && x.c != nil {
			s.Free(x)
		}
	}
	return out
}

// useKernels limits the fused operations to an instruction set, for tests: cgo
// can't be used in them.
func useKernels(level int) bool { return C.vt_use_isa(C.int(level)) == C.int(level) }
