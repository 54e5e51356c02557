package weights

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"
)

// storagePlan says in which storage of the file each tensor lies.
type storagePlan struct {
	storages [][]byte
	places   map[*Tensor]place
}

// place is a tensor's storage, and the bytes before it there.
type place struct {
	storage int
	offset  int
}

// span is the memory of one tensor.
type span struct {
	tensor     *Tensor
	start, end uintptr
}

// planStorages gives tensors that share memory one storage, and numbers the
// storages in the order of tensors. It returns an error where tensors of
// different types share memory, which the format cannot say.
func planStorages(tensors []*Tensor) (*storagePlan, error) {
	groups, err := groupSpans(tensors)
	if err != nil {
		return nil, err
	}
	groupOf := make(map[*Tensor]int, len(tensors))
	for g, spans := range groups {
		for _, s := range spans {
			groupOf[s.tensor] = g
		}
	}
	plan := &storagePlan{places: make(map[*Tensor]place, len(tensors))}
	for _, t := range tensors {
		if _, done := plan.places[t]; done {
			continue
		}
		plan.add(groups[groupOf[t]])
	}
	return plan, nil
}

// add makes a storage of tensors that overlap in a chain.
func (p *storagePlan) add(group []span) {
	first, end := group[0], group[0].end
	for _, s := range group {
		end = max(end, s.end)
		p.places[s.tensor] = place{len(p.storages), int(s.start - first.start)}
	}
	data := first.tensor.Data
	if n := int(end - first.start); n > len(data) {
		// The tensors overlap, so they lie in one allocation, and the bytes from the
		// first's start to the last's end belong to them.
		data = unsafe.Slice(unsafe.SliceData(data), n)
	}
	p.storages = append(p.storages, data)
}

// groupSpans puts tensors together whose memory overlaps, each group ordered by
// address.
func groupSpans(tensors []*Tensor) ([][]span, error) {
	var groups [][]span
	var spans []span
	for _, t := range tensors {
		if len(t.Data) == 0 {
			groups = append(groups, []span{{tensor: t}})
			continue
		}
		start := uintptr(unsafe.Pointer(unsafe.SliceData(t.Data))) // compared, never dereferenced
		spans = append(spans, span{tensor: t, start: start, end: start + uintptr(len(t.Data))})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var end uintptr
	for i, s := range spans {
		if i == 0 || s.start >= end {
			groups = append(groups, nil)
			end = 0
		}
		last := len(groups) - 1
		if g := groups[last]; len(g) > 0 {
			if g[0].tensor.DType != s.tensor.DType || (s.start-g[0].start)%uintptr(s.tensor.DType.Size()) != 0 {
				return nil, fmt.Errorf("two tensors of %v and %v overlap in memory in a way that a .pth cannot hold", g[0].tensor, s.tensor)
			}
		}
		groups[last] = append(groups[last], s)
		end = max(end, s.end)
	}
	return groups, nil
}
