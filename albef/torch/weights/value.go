package weights

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Value is what a .pth holds. Reading gives one of
//
//	nil, bool, int64, *big.Int (beyond int64), float64, string, []byte,
//	*List, Tuple, *Set, *OrderedMap, *Tensor, Symbol
//
// and writing takes these and, for convenience, int, float32, []any (a list) and
// *Dict (an OrderedDict of tensors).
type Value = any

// List is a Python list. It is a pointer where it is used, because a file may
// refer to one list from several places.
type List struct{ Items []Value }

// Tuple is a Python tuple. A torch.Size is read as one.
type Tuple []Value

// Set is a Python set or frozenset, in the file's order.
type Set struct{ Items []Value }

// Symbol is a constant of torch by its full name, such as "torch.float32".
type Symbol string

// OrderedMap is a Python dict, ordered as in the file. Keys are nil, bool, int64 (Get
// and Set take int, too), float64, string, or a Tuple of these. The zero OrderedMap is
// an empty dict.
type OrderedMap struct {
	// IsOrderedDict tells a collections.OrderedDict from a plain dict.
	IsOrderedDict bool
	// Attrs holds what was set on the object beside its items, as the _metadata
	// of a state dict; usually nil.
	Attrs *OrderedMap

	keys   []Value
	values []Value
	index  map[any]int

	// isNamespace marks an object whose attributes are the items.
	isNamespace bool
}

// NewMap returns an empty dict.
func NewMap() *OrderedMap { return &OrderedMap{} }

// NewOrderedDict returns an empty collections.OrderedDict.
func NewOrderedDict() *OrderedMap { return &OrderedMap{IsOrderedDict: true} }

// Len returns the number of items.
func (m *OrderedMap) Len() int { return len(m.keys) }

// Keys returns a copy of the keys, in order.
func (m *OrderedMap) Keys() []Value { return slices.Clone(m.keys) }

// Get returns the value of key; ok is false where there is none.
func (m *OrderedMap) Get(key Value) (v Value, ok bool) {
	k, err := mapKey(key)
	if err != nil {
		return nil, false
	}
	i, ok := m.index[k]
	if !ok {
		return nil, false
	}
	return m.values[i], true
}

// Map returns the value of key where it is a dict, else nil.
func (m *OrderedMap) Map(key Value) *OrderedMap {
	v, _ := m.Get(key)
	inner, _ := v.(*OrderedMap)
	return inner
}

// Set puts v under key, at the end, or in its old place when the key is there.
// It returns an error for a key that cannot be one.
func (m *OrderedMap) Set(key, v Value) error {
	k, err := mapKey(key)
	if err != nil {
		return err
	}
	if i, ok := m.index[k]; ok {
		m.values[i] = v
		return nil
	}
	if m.index == nil {
		m.index = make(map[any]int)
	}
	if n, ok := key.(int); ok {
		key = int64(n)
	}
	m.index[k] = len(m.keys)
	m.keys = append(m.keys, key)
	m.values = append(m.values, v)
	return nil
}

// All yields the keys and values in order.
func (m *OrderedMap) All() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		for i, k := range m.keys {
			if !yield(k, m.values[i]) {
				return
			}
		}
	}
}

// tupleKey stands for a Tuple where Go wants a comparable key.
type tupleKey string

// maxTupleKey is the most bytes of a tuple key's text: a file can use one tuple
// as the key of a million dicts, and each keeps that text.
const maxTupleKey = 1 << 10

// mapKey returns the comparable form of a key.
func mapKey(key Value) (any, error) {
	switch k := key.(type) {
	case int:
		return int64(k), nil
	case nil, bool, int64, float64, string:
		return key, nil
	case Tuple:
		return keyOfTuple(k)
	default:
		return nil, fmt.Errorf("a %s cannot be the key of a dict", kindOf(key))
	}
}

// keyOfTuple writes the items out. Only plain ones: nested tuples can share parts
// and so be exponentially long when written out.
func keyOfTuple(t Tuple) (tupleKey, error) {
	var b strings.Builder
	for _, item := range t {
		switch s := item.(type) {
		case string:
			if len(s) > maxTupleKey {
				return "", fmt.Errorf("a tuple with %d bytes of text cannot be the key of a dict here", len(s))
			}
		case nil, bool, int64, float64:
		default:
			return "", fmt.Errorf("a tuple with a %s cannot be the key of a dict here", kindOf(item))
		}
		fmt.Fprintf(&b, "%T %q,", item, fmt.Sprint(item))
		if b.Len() > maxTupleKey {
			return "", fmt.Errorf("a tuple of %d items is too long for the key of a dict here", len(t))
		}
	}
	return tupleKey(b.String()), nil
}

// kindOf names the kind of a value in Python's words.
func kindOf(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case string:
		return "str"
	case int64, int:
		return "int"
	case *List, []any:
		return "list"
	case *OrderedMap, *Dict:
		return "dict"
	case Tuple:
		return "tuple"
	case *Set:
		return "set"
	case *Tensor:
		return "tensor"
	case class:
		return "class " + string(v)
	case *storage:
		return "bare storage"
	default:
		return fmt.Sprintf("%T", v)
	}
}
