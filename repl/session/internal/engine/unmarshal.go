package engine

import (
	"encoding/json"
	"errors"
	"go/types"
	"reflect"
	"strings"
)

// unmarshalMethods are those that encoding/json asks targets for: with a text, they give
// an error.
func unmarshalMethods() []string { return []string{"UnmarshalJSON", "UnmarshalText"} }

// target is a pointer that JSON is read into, with its declared type.
type target struct{ shapedValue }

// target makes one of a pointer of shape k.
func (e *Engine) target(k int, pointer any) any {
	t := e.shapeAt(k)
	v := reflect.ValueOf(pointer)
	p, ok := under[*types.Pointer](t)
	if !ok || v.Kind() != reflect.Pointer || v.IsNil() {
		return pointer // encoding/json says what is wrong
	}
	return &target{shapedValue{e, v.Elem(), p.Elem()}}
}

// UnmarshalJSON implements json.Unmarshaler: exported fields alone, by their tags and
// with those of embedded structures, and the methods of declared types.
func (t *target) UnmarshalJSON(data []byte) error { return t.decode(data) }

func (s shapedValue) decode(data []byte) error {
	if done, err := s.byUnmarshaler(data); done {
		return err
	}
	direct := func() error { return json.Unmarshal(data, s.v.Addr().Interface()) }
	if !hasOwn(s.t, map[types.Type]bool{}) {
		return direct()
	}
	null := strings.TrimSpace(string(data)) == "null"
	switch t := s.t.Underlying().(type) {
	case *types.Pointer:
		if null {
			s.v.SetZero()
			return nil
		}
		if s.v.IsNil() {
			s.v.Set(reflect.New(s.v.Type().Elem()))
		}
		return shapedValue{s.e, s.v.Elem(), t.Elem()}.decode(data)
	case *types.Struct:
		if null {
			return nil
		}
		return s.decodeStruct(data, t)
	case *types.Slice:
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil || list == nil {
			s.v.SetZero()
			return err
		}
		s.v.Set(reflect.MakeSlice(s.v.Type(), len(list), len(list)))
		return s.decodeList(list, t.Elem())
	case *types.Array:
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil {
			return err
		}
		return s.decodeList(list[:min(len(list), s.v.Len())], t.Elem())
	case *types.Map:
		return s.decodeMap(data, t)
	}
	return direct()
}

// byUnmarshaler has a method of the declared type read the text, where it has one.
func (s shapedValue) byUnmarshaler(data []byte) (done bool, err error) {
	if _, isPointer := s.t.(*types.Pointer); isPointer || !s.v.CanAddr() {
		return false, nil
	}
	of := shapedValue{s.e, s.v.Addr(), types.NewPointer(s.t)}
	for _, name := range unmarshalMethods() {
		f, arg := of.method(name)
		if !f.IsValid() {
			continue
		}
		if name == "UnmarshalText" {
			var text string
			if err := json.Unmarshal(data, &text); err != nil {
				return true, err
			}
			data = []byte(text)
		}
		out := f.Call([]reflect.Value{arg, reflect.ValueOf(data)})
		err, _ := out[0].Interface().(error)
		return true, err
	}
	return false, nil
}

func (s shapedValue) decodeList(list []json.RawMessage, of types.Type) error {
	for i, raw := range list {
		if err := (shapedValue{s.e, s.v.Index(i), of}).decode(raw); err != nil {
			return err
		}
	}
	return nil
}

func (s shapedValue) decodeMap(data []byte, t *types.Map) error {
	raw := reflect.New(reflect.MapOf(s.v.Type().Key(), reflect.TypeFor[json.RawMessage]()))
	if err := json.Unmarshal(data, raw.Interface()); err != nil {
		return err
	}
	if s.v.IsNil() {
		s.v.Set(reflect.MakeMap(s.v.Type()))
	}
	for _, key := range raw.Elem().MapKeys() {
		elem := reflect.New(s.v.Type().Elem()).Elem()
		if err := (shapedValue{s.e, elem, t.Elem()}).decode(raw.Elem().MapIndex(key).Bytes()); err != nil {
			return err
		}
		s.v.SetMapIndex(key, elem)
	}
	return nil
}

// slot is a field that JSON may have, of the structure itself or of an embedded one.
type slot struct {
	value shapedValue
	field reflect.StructField // as encoding/json is to see it
	later bool                // its text is read by decode
}

// slots lists the exported fields of a structure, with those of embedded structures.
func (s shapedValue) slots(t *types.Struct) []slot {
	var list []slot
	for i := range t.NumFields() {
		f := t.Field(i)
		v := shapedValue{s.e, s.v.Field(i), f.Type()}
		if inner, ok := embeddedStruct(f, t.Tag(i)); ok {
			if v.v.Kind() == reflect.Pointer {
				if v.v.IsNil() {
					v.v.Set(reflect.New(v.v.Type().Elem()))
				}
				v.v = v.v.Elem()
			}
			list = append(list, v.slots(inner)...)
			continue
		}
		if !f.Exported() {
			continue
		}
		field := reflect.StructField{Name: f.Name(), Type: v.v.Type(), Tag: reflect.StructTag(t.Tag(i))}
		later := hasOwn(f.Type(), map[types.Type]bool{})
		if later {
			field.Type = reflect.TypeFor[json.RawMessage]()
		}
		list = append(list, slot{v, field, later})
	}
	return list
}

// embeddedStruct returns the structure whose fields JSON finds among those of the one
// that embeds it.
func embeddedStruct(f *types.Var, tag string) (*types.Struct, bool) {
	if name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); !f.Embedded() || name != "" {
		return nil, false
	}
	t := f.Type()
	if p, ok := under[*types.Pointer](t); ok {
		t = p.Elem()
	}
	s, ok := under[*types.Struct](t)
	return s, ok && hasOwn(t, map[types.Type]bool{})
}

func (s shapedValue) decodeStruct(data []byte, t *types.Struct) error {
	slots := s.slots(t)
	seen := map[string]bool{}
	var fields []reflect.StructField
	var kept []slot
	for _, x := range slots {
		if !seen[x.field.Name] { // the outer one comes first in a declaration as a rule
			seen[x.field.Name] = true
			fields, kept = append(fields, x.field), append(kept, x)
		}
	}
	plain := reflect.New(reflect.StructOf(fields))
	for i, x := range kept {
		if !x.later {
			plain.Elem().Field(i).Set(x.value.v)
		}
	}
	err := json.Unmarshal(data, plain.Interface())
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Struct == "" {
		if n, ok := types.Unalias(s.t).(*types.Named); ok {
			wrong.Struct = n.Obj().Name()
		}
	}
	for i, x := range kept {
		switch got := plain.Elem().Field(i); {
		case !x.later:
			x.value.v.Set(got)
		case got.Len() > 0:
			if ferr := x.value.decode(got.Bytes()); ferr != nil && err == nil {
				err = ferr
			}
		}
	}
	return err
}
