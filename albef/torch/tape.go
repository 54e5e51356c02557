package torch

// #include "native.h"
import "C"

import "runtime"

// Tape is how a scope makes do with less memory than autograd wants: the work is
// cut into segments, a segment leaves nothing behind but its results, and
// [Tape.Backward] runs one after the other again, with the random numbers of the
// first time, to walk back through it. [Scope.InParts] makes segments of a
// batch's parts; with Layers each layer is one, see [Scope.Segment]. Where
// gradients aren't recorded there are none.
//
// What a segment reads has to live until Backward, and what several parts or
// segments read has to be a leaf, the result of a segment, or a view of one. The
// gradients are those of the work in one go, as far as sums in another order are
// the same.
type Tape struct {
	Layers bool

	s        *Scope
	dev      Device
	segments []segment
}

// segment is work whose results are leaves in front of what follows.
type segment struct {
	run    func(s *Scope, part int) []*Tensor
	leaves []*Tensor
	at     []int    // which result of run each leaf is
	random [][]byte // the generator's state before each part
	bf16   bool
	deep   bool // has layers that may be segments again
}

// NewTape makes a tape, for work on dev, that records what is done in s and in
// the scopes within that begin from now on.
func NewTape(s *Scope, dev Device) *Tape {
	s.tape = &Tape{s: s, dev: dev}
	return s.tape
}

// InParts runs the parts, numbered from 0, one after the other, each in a scope
// of its own, and returns their results with the rows (dimension 0) of all parts
// one below the other. A part may leave a result out by nil. A single part runs
// in s as it is. On a tape they are a segment, whose results are freed by
// [Tape.Backward].
func (s *Scope) InParts(parts int, run func(s *Scope, part int) []*Tensor) []*Tensor {
	if parts == 1 {
		return run(s, 0)
	}
	if t := s.recording(); t != nil {
		return t.record(s, parts, segment{run: run, deep: t.Layers})
	}
	return s.joined(parts, run)
}

// Segment runs work in s. On a tape of layers it is a segment, whose results are
// freed by [Tape.Backward].
func (s *Scope) Segment(run func(s *Scope) []*Tensor) []*Tensor {
	t := s.recording()
	if t == nil || !t.Layers {
		return run(s)
	}
	return t.record(s, 1, segment{run: func(s *Scope, _ int) []*Tensor { return run(s) }})
}

// recording returns the tape that segments of s go to, or nil.
func (s *Scope) recording() *Tape {
	if s == nil || s.tape == nil || C.vt_grad_enabled() == 0 {
		return nil
	}
	return s.tape
}

// joined runs parts, each in a scope within s, and joins the rows of their
// results.
func (s *Scope) joined(parts int, run func(s *Scope, part int) []*Tensor) []*Tensor {
	var rows [][]*Tensor // by result
	for part := range parts {
		s.Do(func(in *Scope) {
			for i, x := range run(in, part) {
				if i == len(rows) {
					rows = append(rows, nil)
				}
				if x != nil {
					rows[i] = append(rows[i], in.Keep(x))
				}
			}
		})
	}
	out := make([]*Tensor, len(rows))
	for i, xs := range rows {
		switch len(xs) {
		case 0:
		case 1:
			out[i] = xs[0]
		default:
			out[i] = Cat(0, xs...)
			s.Free(xs...)
		}
	}
	return out
}

// record runs a segment without a graph and keeps its results as leaves.
func (t *Tape) record(s *Scope, parts int, seg segment) []*Tensor {
	seg.bf16 = C.vt_autocast_on(t.cuda()) != 0
	var out []*Tensor
	s.Do(func(in *Scope) {
		NoGrad(func() {
			out = in.joined(parts, func(in *Scope, part int) []*Tensor {
				seg.random = append(seg.random, RandomState(t.dev))
				return seg.run(in, part)
			})
		})
		leaves := map[*Tensor]*Tensor{} // one result may be there twice
		for i, x := range out {
			if x != nil && leaves[x] == nil {
				leaves[x] = t.s.Use(x.Detach()).RequireGrad(true)
				seg.leaves, seg.at = append(seg.leaves, leaves[x]), append(seg.at, i)
			}
			out[i] = leaves[x]
		}
	})
	t.segments = append(t.segments, seg)
	return out
}

func (t *Tape) cuda() C.int { return C.int(flag(t.dev.IsCUDA())) }

// Backward adds the gradients of the scalar loss to the parameters and other
// leaves that it came from, through all segments, and frees their results. The
// generator goes on where it stood.
func (t *Tape) Backward(loss *Tensor) {
	if len(t.segments) == 0 {
		panic(&Error{Op: "tape", Reason: "it has no segment: what was to be recorded belongs to a scope outside of the tape's"})
	}
	after := RandomState(t.dev)
	loss.Backward()
	t.rewind()
	SetRandomState(t.dev, after)
}

// rewind walks back through the segments, the last one first: by then all that
// read its results have left their gradients there.
func (t *Tape) rewind() {
	for i := len(t.segments) - 1; i >= 0; i-- {
		seg := t.segments[i]
		t.s.Do(func(in *Scope) { t.walk(in, seg) })
		ZeroGrad(seg.leaves)
		t.s.Free(seg.leaves...)
	}
	t.segments = nil
}

// walk takes the gradients of a segment's results back to what it read.
func (t *Tape) walk(s *Scope, seg segment) {
	grads := Grads(s, seg.leaves)
	end := make([]int, len(grads)) // where a leaf's rows of the parts before end
	wanted := false
	for i, g := range grads {
		if g != nil {
			wanted = true
			if len(seg.random) > 1 {
				end[i] = g.Size(0)
			}
		}
	}
	if !wanted {
		return
	}
	for part := len(seg.random) - 1; part >= 0; part-- {
		s.Do(func(in *Scope) {
			in.tape = nil
			if seg.deep {
				NewTape(in, t.dev).Layers = true
			}
			var roots, with []*Tensor
			for i, x := range t.again(in, seg, part) {
				g := grads[i]
				if x == nil || g == nil {
					continue
				}
				if len(seg.random) > 1 {
					n := x.Size(0)
					end[i] -= n
					g = in.Use(g).Narrow(0, end[i], n)
				}
				roots, with = append(roots, x), append(with, g)
			}
			backwardWith(roots, with)
			if in.tape != nil {
				in.tape.rewind()
			}
		})
	}
}

// again runs a part of a segment a second time, with a graph, and returns what
// the leaves stand for.
func (t *Tape) again(s *Scope, seg segment, part int) []*Tensor {
	SetRandomState(t.dev, seg.random[part])
	var out []*Tensor
	Autocast(seg.bf16, t.dev, func() {
		if seg.deep { // what its layers read has to stay
			out = seg.run(s, part)
			return
		}
		out = s.joined(1, func(s *Scope, _ int) []*Tensor { return seg.run(s, part) })
	})
	made := make([]*Tensor, len(seg.at))
	for i, at := range seg.at {
		made[i] = out[at]
	}
	return made
}

// backwardWith walks back from roots whose gradients are given. Those that
// depend on no leaf are left out.
func backwardWith(roots, grads []*Tensor) {
	if len(roots) == 0 {
		return
	}
	r, g := pointers(roots), pointers(grads)
	check("backward", func() C.int { return C.vt_backward_with(&r[0], &g[0], C.int64_t(len(r))) })
	runtime.KeepAlive([][]*Tensor{roots, grads})
}
