package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/types"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// typeName writes a type as %T does.
func typeName(t types.Type) string {
	text := anyWord.ReplaceAllString(types.TypeString(unaliased(t), (*types.Package).Name), "interface {}")
	text = typeArgs.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, ", ", ",") })
	return spaced(text)
}

// spaced puts the spaces into structures and interfaces without names that package
// reflect puts there.
func spaced(text string) string {
	if !strings.Contains(text, "struct{") && !strings.Contains(text, "interface{") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"': // a tag
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			b.WriteString(text[i:min(end+1, len(text))])
			i = end
		case '{':
			if text[i-1] != ' ' {
				b.WriteByte(' ')
			}
			b.WriteByte('{')
			if text[i+1] != '}' {
				b.WriteByte(' ')
			}
		case '}':
			if text[i-1] != '{' {
				b.WriteByte(' ')
			}
			b.WriteByte('}')
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// typeArgs are the arguments of a generic type.
var typeArgs = regexp.MustCompile(`\w\[[^\[\]()]*\]`)

// anyWord is the type any.
var anyWord = regexp.MustCompile(`\bany\b`)

// Format implements fmt.Formatter: the declared types' names, fields and methods.
func (s shapedValue) Format(state fmt.State, verb rune) {
	p := printer{state: state, verb: verb, form: fmt.FormatString(state, verb), plus: state.Flag('+'), sharp: state.Flag('#') && verb == 'v'}
	p.value(s, 0)
}

// printer writes one value.
type printer struct {
	state       fmt.State
	verb        rune
	form        string
	plus, sharp bool
	within      bool // a field that isn't exported, whose methods fmt doesn't call
}

func (p printer) text(s string) { io.WriteString(p.state, s) } //nolint:errcheck // fmt collects it in memory

// value writes what fmt would if the type were compiled.
func (p printer) value(s shapedValue, depth int) {
	declared := s.t
	s.v, s.t = s.concrete()
	if !s.v.IsValid() {
		if p.sharp && depth > 0 && declared != nil && types.IsInterface(declared) {
			p.text(typeName(declared) + "(nil)")
			return
		}
		p.text("<nil>")
		return
	}
	if s.t == nil {
		p.plain(s.v)
		return
	}
	if !p.within && (p.byFormat(s) || p.byMethod(s)) {
		return
	}
	if !hasOwn(s.t, map[types.Type]bool{}) {
		p.plain(s.v)
		return
	}
	name := typeName(s.t)
	switch t := s.t.Underlying().(type) {
	case *types.Struct:
		p.structure(s, t, name, depth)
	case *types.Pointer:
		p.pointer(s, t, name, depth)
	case *types.Slice:
		p.list(s, t.Elem(), name, depth)
	case *types.Array:
		p.list(s, t.Elem(), name, depth)
	case *types.Map:
		p.table(s, t, name, depth)
	case *types.Signature, *types.Chan:
		if !p.sharp {
			p.plain(s.v)
			return
		}
		at := "nil"
		if !s.v.IsNil() {
			at = "0x" + strconv.FormatUint(uint64(s.v.Pointer()), 16)
		}
		p.text("(" + name + ")(" + at + ")")
	default:
		p.plain(s.v)
	}
}

// byFormat writes a value by its Format.
func (p printer) byFormat(s shapedValue) bool {
	f, arg := s.method("Format")
	if !f.IsValid() {
		return false
	}
	f.Call([]reflect.Value{arg, reflect.ValueOf(p.state), reflect.ValueOf(p.verb)})
	return true
}

// byMethod writes a value by its Error or String, as fmt does for texts.
func (p printer) byMethod(s shapedValue) (done bool) {
	names := []string{"Error", "String"}
	switch {
	case p.sharp:
		names = []string{"GoString"}
	case !strings.ContainsRune("vsxXq", p.verb):
		return false
	}
	for _, name := range names {
		if s.v.Kind() == reflect.Pointer && s.v.IsNil() {
			if f, _ := s.method(name); f.IsValid() {
				defer func() { // as fmt does where a method can't do with nil
					if recover() != nil {
						p.text("<nil>")
						done = true
					}
				}()
			}
		}
		if out, ok := s.call(name); ok {
			form := p.form
			if p.sharp {
				form = "%s"
			}
			fmt.Fprintf(p.state, form, out[0].String())
			return true
		}
	}
	return false
}

func (p printer) plain(v reflect.Value) {
	if !v.CanInterface() {
		p.text(v.String())
		return
	}
	if p.within {
		fmt.Fprintf(p.state, p.form, unexported(v))
		return
	}
	fmt.Fprintf(p.state, p.form, v.Interface())
}

// unexported returns a value as fmt finds it in a field that isn't exported.
func unexported(v reflect.Value) reflect.Value {
	holder := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "x", PkgPath: "main", Type: v.Type()}}))
	reflect.NewAt(v.Type(), holder.UnsafePointer()).Elem().Set(v)
	return holder.Elem().Field(0)
}

func (p printer) structure(s shapedValue, t *types.Struct, name string, depth int) {
	if p.sharp {
		p.text(name)
	}
	p.text("{")
	for i := range t.NumFields() {
		if i > 0 {
			p.text(map[bool]string{true: ", ", false: " "}[p.sharp])
		}
		if p.plus || p.sharp {
			p.text(t.Field(i).Name() + ":")
		}
		of := p
		of.within = p.within || !t.Field(i).Exported()
		of.value(shapedValue{s.e, s.v.Field(i), t.Field(i).Type()}, depth+1)
	}
	p.text("}")
}

func (p printer) pointer(s shapedValue, t *types.Pointer, name string, depth int) {
	switch {
	case s.v.IsNil() && p.sharp:
		p.text("(" + name + ")(nil)")
	case s.v.IsNil():
		p.text("<nil>")
	case depth == 0 && isComposite(t.Elem()):
		p.text("&")
		p.value(shapedValue{s.e, s.v.Elem(), t.Elem()}, depth+1)
	case p.sharp:
		p.text("(" + name + ")(0x" + strconv.FormatUint(uint64(s.v.Pointer()), 16) + ")")
	default:
		p.text("0x" + strconv.FormatUint(uint64(s.v.Pointer()), 16))
	}
}

func isComposite(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Struct, *types.Slice, *types.Array, *types.Map:
		return true
	}
	return false
}

func (p printer) list(s shapedValue, of types.Type, name string, depth int) {
	open, between, end := "[", " ", "]"
	if p.sharp {
		open, between, end = name+"{", ", ", "}"
		if s.v.Kind() == reflect.Slice && s.v.IsNil() {
			p.text(name + "(nil)")
			return
		}
	}
	p.text(open)
	for i := range s.v.Len() {
		if i > 0 {
			p.text(between)
		}
		p.value(shapedValue{s.e, s.v.Index(i), of}, depth+1)
	}
	p.text(end)
}

func (p printer) table(s shapedValue, t *types.Map, name string, depth int) {
	open, between, end := "map[", " ", "]"
	if p.sharp {
		open, between, end = name+"{", ", ", "}"
		if s.v.IsNil() {
			p.text(name + "(nil)")
			return
		}
	}
	p.text(open)
	for i, key := range sortedKeys(s.v) {
		if i > 0 {
			p.text(between)
		}
		p.value(shapedValue{s.e, key, t.Key()}, depth+1)
		p.text(":")
		p.value(shapedValue{s.e, s.v.MapIndex(key), t.Elem()}, depth+1)
	}
	p.text(end)
}

// sortedKeys returns a map's keys in fmt's order where they are numbers or texts.
func sortedKeys(m reflect.Value) []reflect.Value {
	keys := m.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		switch {
		case a.CanInt() && b.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint() && b.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat() && b.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		case a.Kind() == reflect.String && b.Kind() == reflect.String:
			return cmp.Compare(a.String(), b.String())
		}
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return keys
}

// namedTypes writes the types that a format asks for by %T itself, and returns the
// format and the arguments as fmt can take them.
func namedTypes(format string, args []any) (string, []any) {
	if !strings.Contains(format, "T") {
		return format, args
	}
	b, out, next := []byte(format), append([]any(nil), args...), 0
	for i := 0; i < len(b); i++ {
		if b[i] != '%' {
			continue
		}
		for i++; i < len(b) && strings.IndexByte("+-# 0123456789.*[]", b[i]) >= 0; i++ {
			if b[i] == '*' {
				next++
			}
			if b[i] == '[' {
				if n, err := strconv.Atoi(string(b[i+1 : i+1+max(strings.IndexByte(string(b[i+1:]), ']'), 0)])); err == nil {
					next = n - 1
				}
			}
		}
		if i >= len(b) || b[i] == '%' {
			continue
		}
		if b[i] == 'T' && next >= 0 && next < len(out) {
			if name, ok := shapedName(out[next]); ok {
				b[i], out[next] = 's', name
			}
		}
		next++
	}
	return string(b), out
}

// shapedName returns the declared type's name of a shaped value.
func shapedName(v any) (string, bool) {
	if s, ok := shapedIn(v); ok {
		return typeName(s.t), true
	}
	return "", false
}

// MarshalJSON implements json.Marshaler: exported fields alone, by their tags, and
// the methods of declared types.
func (s shapedValue) MarshalJSON() ([]byte, error) { return json.Marshal(s.plainJSON()) }

// plainJSON returns a value that encoding/json writes as it would this one.
func (s shapedValue) plainJSON() any {
	s.v, s.t = s.concrete()
	if !s.v.IsValid() {
		return nil
	}
	if s.t == nil || !hasOwn(s.t, map[types.Type]bool{}) {
		return s.v.Interface()
	}
	if out, ok := s.call("MarshalJSON"); ok {
		if err, _ := out[1].Interface().(error); err != nil {
			return failing{err}
		}
		return json.RawMessage(out[0].Bytes())
	}
	if out, ok := s.call("MarshalText"); ok {
		if err, _ := out[1].Interface().(error); err != nil {
			return failing{err}
		}
		return string(out[0].Bytes())
	}
	switch t := s.t.Underlying().(type) {
	case *types.Pointer:
		if s.v.IsNil() {
			return nil
		}
		return shapedValue{s.e, s.v.Elem(), t.Elem()}.plainJSON()
	case *types.Struct:
		return s.plainStruct(t)
	case *types.Slice:
		if s.v.IsNil() || s.v.Type().Elem().Kind() == reflect.Uint8 {
			return s.v.Interface()
		}
		return s.plainList(t.Elem())
	case *types.Array:
		return s.plainList(t.Elem())
	case *types.Map:
		if s.v.IsNil() {
			return nil
		}
		out := map[string]any{}
		for _, key := range s.v.MapKeys() {
			name := fmt.Sprint(key.Interface())
			if text, ok := (shapedValue{s.e, key, t.Key()}).call("MarshalText"); ok {
				name = string(text[0].Bytes())
			}
			out[name] = shapedValue{s.e, s.v.MapIndex(key), t.Elem()}.plainJSON()
		}
		return out
	}
	return s.v.Interface()
}

func (s shapedValue) plainList(of types.Type) any {
	out := make([]any, s.v.Len())
	for i := range out {
		out[i] = shapedValue{s.e, s.v.Index(i), of}.plainJSON()
	}
	return out
}

// plainStruct makes a structure of the exported fields, with their tags.
func (s shapedValue) plainStruct(t *types.Struct) any {
	var fields []reflect.StructField
	var values []any
	for i := range t.NumFields() {
		f := t.Field(i)
		v := shapedValue{s.e, s.v.Field(i), f.Type()}
		if inner, ok := embeddedStruct(f, t.Tag(i)); ok {
			if v.v.Kind() == reflect.Pointer {
				if v.v.IsNil() {
					continue
				}
				v.v = v.v.Elem()
			}
			more := reflect.ValueOf(v.plainStruct(inner))
			for j := range more.NumField() {
				fields, values = append(fields, more.Type().Field(j)), append(values, more.Field(j).Interface())
			}
			continue
		}
		if !f.Exported() {
			continue
		}
		field := reflect.StructField{Name: f.Name(), Type: reflect.TypeFor[any](), Tag: reflect.StructTag(t.Tag(i))}
		value := any(nil)
		if hasOwn(f.Type(), map[types.Type]bool{}) {
			if strings.Contains(t.Tag(i), "omitempty") && s.v.Field(i).IsZero() {
				continue
			}
			value = v.plainJSON()
		} else {
			field.Type, value = s.v.Field(i).Type(), s.v.Field(i).Interface()
		}
		fields, values = append(fields, field), append(values, value)
	}
	out := reflect.New(reflect.StructOf(fields)).Elem()
	for i, v := range values {
		if v != nil {
			out.Field(i).Set(reflect.ValueOf(v))
		}
	}
	return out.Interface()
}

// failing is a value that can't be marshalled.
type failing struct{ err error }

// MarshalJSON returns the error.
func (f failing) MarshalJSON() ([]byte, error) { return nil, f.err }
