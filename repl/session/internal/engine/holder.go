package engine

import (
	"go/types"
	"reflect"
	"unsafe"
)

// The interpreter keeps a value in an interface with methods as a structure of the node
// that the value comes from, whose type has the declared name, and the value. It is read
// often, so its layout is looked up once.

// holder is that structure.
type holder struct {
	node  unsafe.Pointer
	value reflect.Value
}

// holderLayout is where the interpreter's structures have what is read.
type holderLayout struct {
	known          bool
	typ, name, val uintptr
}

// layoutOf returns the layout behind a holder's type.
func (e *Engine) layoutOf(t reflect.Type) holderLayout {
	e.layoutOnce.Do(func() { e.layout = lookUpLayout(t) })
	return e.layout
}

func lookUpLayout(t reflect.Type) holderLayout {
	if t.NumField() != 2 || t.Size() != unsafe.Sizeof(holder{}) || t.Field(1).Type != reflect.TypeFor[reflect.Value]() || t.Field(0).Type.Kind() != reflect.Pointer {
		return holderLayout{}
	}
	typ, ok1 := t.Field(0).Type.Elem().FieldByName("typ")
	if !ok1 || typ.Type.Kind() != reflect.Pointer {
		return holderLayout{}
	}
	name, ok2 := typ.Type.Elem().FieldByName("name")
	val, ok3 := typ.Type.Elem().FieldByName("val")
	if !ok2 || !ok3 || name.Type.Kind() != reflect.String || val.Type != typ.Type {
		return holderLayout{}
	}
	return holderLayout{true, typ.Offset, name.Offset, val.Offset}
}

// isHolderType reports whether a type is a holder's.
func isHolderType(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.Name() == "valueInterface" && t.PkgPath() == "github.com/traefik/yaegi/interp"
}

// holderOf returns the holder that v, which can be addressed or not, is.
func holderOf(v reflect.Value) *holder {
	if !v.CanAddr() {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		v = c
	}
	return (*holder)(v.Addr().UnsafePointer()) // as layoutOf has found it
}

// declaredName returns the interpreter's name of the type that a holder's value has, ""
// for none, and whether the value is a pointer to one.
func (h *holder) declaredName(l holderLayout) (name string, pointer bool) {
	if !l.known {
		panic("the interpreter keeps the values of interfaces elsewhere than is known")
	}
	if h.node == nil {
		return "", false
	}
	for range 2 {
		typ := *(*unsafe.Pointer)(unsafe.Add(h.node, l.typ))
		if pointer {
			typ = *(*unsafe.Pointer)(unsafe.Add(typ, l.val))
		}
		if typ == nil {
			return "", false
		}
		if name = *(*string)(unsafe.Add(typ, l.name)); name != "" {
			return name, pointer
		}
		pointer = true
	}
	return "", false
}

// held returns what a holder holds, and its type, nil where no cell has declared it.
func (s shapedValue) held(v reflect.Value) (reflect.Value, types.Type) {
	h := holderOf(v)
	name, pointer := h.declaredName(s.e.layoutOf(v.Type()))
	if name == "" {
		return h.value, nil
	}
	s.e.mu.Lock()
	d := s.e.shaped.byName[name]
	s.e.mu.Unlock()
	switch {
	case d == nil:
		return h.value, nil
	case pointer:
		return h.value, types.NewPointer(d.typ)
	}
	return h.value, d.typ
}

// kind returns the interpreter's name of a value's type, "" where it is none of cells.
func (e *Engine) kind(v any) string {
	if b, ok := v.(boxed); ok {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.shaped.texts[b.k]
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Slice && r.Len() == 1 && isHolderType(r.Type().Elem()) {
		h := r.Index(0)
		if name, pointer := holderOf(h).declaredName(e.layoutOf(h.Type())); name != "" {
			e.mu.Lock()
			defer e.mu.Unlock()
			switch {
			case e.shaped.byName[name] == nil:
			case pointer:
				return "*" + name
			default:
				return name
			}
		}
	}
	return e.kindOf(e.heldIn(v).t)
}

// kindOf returns the interpreter's name of a declared type, or of a pointer to one.
func (e *Engine) kindOf(t types.Type) string {
	star := ""
	if p, ok := types.Unalias(t).(*types.Pointer); ok && t != nil {
		t, star = p.Elem(), "*"
	}
	n, ok := types.Unalias(t).(*types.Named)
	if t == nil || !ok {
		return ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w := &typeWriter{e: e, symbols: e.objects}
	if name, ok := w.known(n); ok && e.shaped.byName[name] != nil {
		return star + name
	}
	return ""
}
