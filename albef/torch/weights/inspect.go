package weights

import (
	"fmt"
	"iter"
	"math/big"
	"unsafe"
)

// Limits of the values of one file, for those who walk over them: a pickle can
// nest without end, and refer to one value so often that walking never ends.
const (
	maxDepth = 500
	maxWalk  = 1 << 24
)

// sliceRef tells slices apart that have no pointer of their own, by place and
// length.
type sliceRef struct {
	start *Value
	n     int
}

// refOf returns what two mentions of the same container or tensor have in common;
// nil for plain values.
func refOf(v Value) any {
	switch v := v.(type) {
	case *List, *Set, *OrderedMap, *Dict, *Tensor:
		return v
	case Tuple:
		if len(v) > 0 {
			return sliceRef{unsafe.SliceData(v), len(v)}
		}
	case []any:
		if len(v) > 0 {
			return sliceRef{unsafe.SliceData(v), len(v)}
		}
	}
	return nil
}

// extent is how deep a value nests and how many values a walk over it meets.
type extent struct {
	depth int
	walk  int64
}

// inspector walks over a value once, checks it and collects its tensors.
type inspector struct {
	done    map[any]extent
	open    map[any]bool
	tensors []*Tensor
}

// inspect checks that v holds only what [Value] lists, that it does not contain
// itself, and that its size is sane. It returns the tensors, each once, in order.
func inspect(v Value) ([]*Tensor, error) {
	in := &inspector{done: map[any]extent{}, open: map[any]bool{}}
	_, err := in.visit(v, 0)
	return in.tensors, err
}

func (in *inspector) visit(v Value, depth int) (extent, error) {
	if depth > maxDepth {
		return extent{}, hintf(hintHostile, "refused: the values nest deeper than %d", maxDepth)
	}
	ref := refOf(v)
	if ref == nil {
		return extent{1, 1}, checkPlain(v)
	}
	if in.open[ref] {
		return extent{}, hintf(hintHostile, "refused: a %s contains itself", kindOf(v))
	}
	if e, ok := in.done[ref]; ok {
		if depth+e.depth > maxDepth {
			return extent{}, hintf(hintHostile, "refused: the values nest deeper than %d", maxDepth)
		}
		return e, nil
	}
	in.open[ref] = true
	e, err := in.visitParts(v, depth)
	delete(in.open, ref)
	in.done[ref] = e
	return e, err
}

// visitParts visits what v contains.
func (in *inspector) visitParts(v Value, depth int) (extent, error) {
	total := extent{1, 1}
	for where, part := range parts(v) {
		e, err := in.visit(part, depth+1)
		if err != nil && where != nil {
			return total, fmt.Errorf("%.100v: %w", where, err)
		}
		if err != nil {
			return total, err
		}
		total.depth = max(total.depth, e.depth+1)
		if total.walk += e.walk; total.walk > maxWalk {
			return total, hintf(hintHostile, "refused: the values refer to each other so often that there are more than %d", maxWalk)
		}
	}
	if t, ok := v.(*Tensor); ok {
		in.tensors = append(in.tensors, t)
		return total, t.check()
	}
	return total, nil
}

// parts yields what a container holds; before each its key, or nil where it has
// none.
func parts(v Value) iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		var items []Value
		switch v := v.(type) {
		case *List:
			items = v.Items
		case *Set:
			items = v.Items
		case Tuple:
			items = v
		case []any:
			items = v
		case *OrderedMap:
			for k, x := range v.All() {
				if !yield(nil, k) || !yield(k, x) {
					return
				}
			}
			if v.Attrs != nil {
				yield("attributes", v.Attrs)
			}
		case *Dict:
			for k, t := range v.All() {
				if !yield(k, t) {
					return
				}
			}
		}
		for _, x := range items {
			if !yield(nil, x) {
				return
			}
		}
	}
}

// checkPlain reports a value that has no place in a file.
func checkPlain(v Value) error {
	switch v := v.(type) {
	case nil, bool, int, int64, float32, float64, string, []byte, *big.Int, Tuple, []any:
		return nil
	case Symbol:
		if _, ok := v.dtype(); ok {
			return nil
		}
		return fmt.Errorf("%q is not a constant of torch that is known here", string(v))
	default:
		return hintf(hintResave, "a %s is not data that a file of weights can hold", kindOf(v))
	}
}
