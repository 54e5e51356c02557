package weights

import (
	"iter"
	"slices"
)

// Dict maps names to tensors and keeps the order in which they were first set:
// for a file that was read, the file's order. The zero Dict is empty and ready to
// use. It is not safe for concurrent writing.
type Dict struct {
	keys []string
	m    map[string]*Tensor
}

// NewDict returns an empty Dict.
func NewDict() *Dict { return &Dict{} }

// Len returns the number of tensors.
func (d *Dict) Len() int { return len(d.keys) }

// Keys returns a copy of the names, in order.
func (d *Dict) Keys() []string { return slices.Clone(d.keys) }

// Get returns the tensor called name; ok is false and the tensor nil where there
// is none.
func (d *Dict) Get(name string) (t *Tensor, ok bool) {
	t, ok = d.m[name]
	return t, ok
}

// Set puts t under name, at the end, or in its old place when the name is there.
func (d *Dict) Set(name string, t *Tensor) {
	if d.m == nil {
		d.m = make(map[string]*Tensor)
	}
	if _, ok := d.m[name]; !ok {
		d.keys = append(d.keys, name)
	}
	d.m[name] = t
}

// Delete removes name and reports whether it was there.
func (d *Dict) Delete(name string) bool {
	if _, ok := d.m[name]; !ok {
		return false
	}
	delete(d.m, name)
	d.keys = slices.DeleteFunc(d.keys, func(k string) bool { return k == name })
	return true
}

// All yields the names and tensors in order.
func (d *Dict) All() iter.Seq2[string, *Tensor] {
	return func(yield func(string, *Tensor) bool) {
		for _, k := range d.keys {
			if !yield(k, d.m[k]) {
				return
			}
		}
	}
}
