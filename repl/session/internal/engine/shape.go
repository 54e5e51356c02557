package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"log/slog"
	"reflect"
	"slices"
	"strings"
)

// The interpreter makes compiled types of a cell's own: a structure without a name,
// or what a named type is underneath, and without methods. What compiled code is
// handed to print, to marshal or to compare is therefore wrapped as a shaped value,
// which knows the declared type.

// hasOwn reports whether a type is, or is made of, types of cells, or can hold them.
func hasOwn(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if isError(t) {
		return true
	}
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == "main" {
			return true
		}
		for i := range t.TypeArgs().Len() {
			if hasOwn(t.TypeArgs().At(i), seen) {
				return true
			}
		}
	case *types.Pointer:
		return hasOwn(t.Elem(), seen)
	case *types.Slice:
		return hasOwn(t.Elem(), seen)
	case *types.Array:
		return hasOwn(t.Elem(), seen)
	case *types.Map:
		return hasOwn(t.Key(), seen) || hasOwn(t.Elem(), seen)
	case *types.Struct:
		for f := range t.Fields() {
			if !f.Exported() || hasOwn(f.Type(), seen) { // the interpreter has another name for it
				return true
			}
		}
	case *types.Interface:
		return t.NumMethods() == 0
	}
	return false
}

// shapeOf numbers a type.
func (e *Engine) shapeOf(t types.Type, text string) int {
	if k, ok := e.shaped.byText[text]; ok {
		return k
	}
	e.shaped.shapes = append(e.shaped.shapes, t)
	e.shaped.texts = append(e.shaped.texts, text)
	e.shaped.byText[text] = len(e.shaped.shapes) - 1
	return len(e.shaped.shapes) - 1
}

// shapeAt returns the type that shapeOf has numbered k.
func (e *Engine) shapeAt(k int) types.Type {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.shaped.shapes[k]
}

// wantsShape reports whether a call is of a function that prints or marshals, and
// the first of its arguments that it may concern.
func (r *rewriter) wantsShape(call *ast.CallExpr) (from int, ok bool) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return 0, false
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return 0, false
	}
	name := f.Name()
	switch f.Pkg().Path() {
	case "fmt":
		switch {
		case strings.HasPrefix(name, "Fprint"), strings.HasPrefix(name, "Append"):
			return 1, true
		case strings.HasPrefix(name, "Print"), strings.HasPrefix(name, "Sprint"), name == "Errorf":
			return 0, true
		}
	case "log", "testing":
		if name != "New" {
			return 0, f.Signature().Variadic()
		}
	case "log/slog":
		return 0, slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Log", "Any", "With"}, strings.TrimSuffix(name, "Context"))
	case "reflect":
		return 0, name == "TypeOf"
	case "encoding/json":
		return 0, name == "Marshal" || name == "MarshalIndent" || name == "Encode"
	}
	return 0, false
}

// shape wraps the arguments of a call that prints or marshals.
func (r *rewriter) shape(call *ast.CallExpr) {
	for name, n := range map[string]int{"As": 2, "Is": 2, "Unwrap": 1} {
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if ok && sel.Sel.Name == name && len(call.Args) == n && r.called(call, "errors", name) {
			if name == "As" && r.asInterface(call) {
				return
			}
			r.edits.Replace(r.p.offset(call.Fun.Pos()), r.p.offset(call.Fun.End()), "vlabRT."+name)
			return
		}
	}
	r.jsonTarget(call)
	from, ok := r.wantsShape(call)
	if !ok {
		return
	}
	format := ""
	for i, a := range call.Args {
		tv := r.p.info.Types[a]
		if i < from || tv.Type == nil || !tv.IsValue() {
			continue
		}
		t := r.bound.apply(tv.Type)
		if i == len(call.Args)-1 && call.Ellipsis.IsValid() {
			if list, ok := under[*types.Slice](t); ok && isAny(list.Elem()) {
				r.edits.Insert(r.p.offset(a.Pos()), "vlabRT.ShapedAll(")
				r.edits.Close(r.p.offset(a.Pos()), r.p.offset(a.End()), ")")
				format = "f"
			}
			continue
		}
		if _, tuple := t.(*types.Tuple); tuple || !hasOwn(t, map[types.Type]bool{}) {
			continue
		}
		if open, end := r.brackets(t); open != "" {
			r.edits.Insert(r.p.offset(a.Pos()), open)
			r.edits.Close(r.p.offset(a.Pos()), r.p.offset(a.End()), end)
			format = "f"
		}
	}
	sel, _ := call.Fun.(*ast.SelectorExpr)
	if format != "" && strings.HasSuffix(sel.Sel.Name, "f") && r.p.info.Uses[sel.Sel].Pkg().Path() == "fmt" {
		// %T is fmt's own business, which a value's Formatter is not asked for.
		r.edits.Replace(r.p.offset(call.Fun.Pos()), r.p.offset(call.Fun.End()), "vlabRT."+sel.Sel.Name)
	}
}

// printerValue writes a function of fmt that isn't called where it stands as one that
// knows cells' types.
func (r *rewriter) printerValue(x *ast.SelectorExpr) {
	f, ok := r.p.info.Uses[x.Sel].(*types.Func)
	if !ok || r.callees[x] || f.Pkg() == nil || f.Pkg().Path() != "fmt" {
		return
	}
	switch f.Name() {
	case "Print", "Println", "Printf", "Sprint", "Sprintln", "Sprintf", "Errorf":
		r.edits.Replace(r.p.offset(x.Pos()), r.p.offset(x.End()), "vlabRT.Fmt"+f.Name())
	}
}

// jsonTarget wraps the pointer that a call reads JSON into.
func (r *rewriter) jsonTarget(call *ast.CallExpr) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 || sel.Sel.Name != "Unmarshal" && sel.Sel.Name != "Decode" {
		return
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "encoding/json" {
		return
	}
	to := call.Args[len(call.Args)-1]
	t := r.bound.apply(r.p.info.Types[to].Type)
	p, ok := under[*types.Pointer](t)
	if !ok || !hasOwn(p.Elem(), map[types.Type]bool{}) || types.IsInterface(p.Elem()) {
		return
	}
	if text, ok := r.types.write(t); ok {
		r.edits.Insert(r.p.offset(to.Pos()), fmt.Sprintf("vlabRT.Target(%d, ", r.e.shapeOf(t, text)))
		r.edits.Close(r.p.offset(to.Pos()), r.p.offset(to.End()), ")")
	}
}

// brackets returns what makes a shaped value of one of type t, "" where the type
// can't be written.
func (r *rewriter) brackets(t types.Type) (open, end string) {
	text, ok := r.types.write(t)
	if !ok {
		return "", ""
	}
	k := r.e.shapeOf(t, text)
	if i, ok := t.Underlying().(*types.Interface); ok && i.NumMethods() > 0 {
		return fmt.Sprintf("vlabRT.ShapedIn(%d, []%s{", k, text), "})"
	}
	return fmt.Sprintf("vlabRT.Shaped(%d, ", k), ")"
}

// shaped wraps what code gives where its type is of cells.
func (r *rewriter) shaped(code string, t types.Type) string {
	if !hasOwn(t, map[types.Type]bool{}) {
		return code
	}
	open, end := r.brackets(t)
	return open + code + end
}

// shapedValue is a value with its declared type.
type shapedValue struct {
	e *Engine
	v reflect.Value
	t types.Type
}

// shapedError is one that is an error.
type shapedError struct{ shapedValue }

// shapedIn returns what the session itself has wrapped, in whichever form.
func shapedIn(v any) (shapedValue, bool) {
	switch v := v.(type) {
	case shapedValue:
		return v, true
	case shapedError:
		return v.shapedValue, true
	case shapedLogValuer:
		return v.shapedValue, true
	case boxed:
		return v.shaped(), true
	}
	return shapedValue{}, false
}

// wrap makes a value of shape k for compiled code.
func (e *Engine) wrap(k int, v any) any {
	return e.shapedAs(reflect.ValueOf(v), e.shapeAt(k))
}

// wrapIn does so for the only element of a slice, which holds a value of an
// interface that cells have declared.
func (e *Engine) wrapIn(k int, list any) any {
	return e.shapedAs(reflect.ValueOf(list).Index(0), e.shapeAt(k))
}

// wrapAll does so for values of which only the dynamic types are known.
func (e *Engine) wrapAll(values []any) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if v != nil {
			out[i] = e.shapedAs(reflect.ValueOf(v), nil)
		}
	}
	return out
}

func (e *Engine) shapedAs(v reflect.Value, t types.Type) any {
	s := shapedValue{e, v, t}
	s.v, s.t = s.concrete()
	if !s.v.IsValid() {
		return nil
	}
	if f, _ := s.method("Error"); f.IsValid() {
		return shapedError{s}
	}
	if f, _ := s.method("LogValue"); f.IsValid() {
		return shapedLogValuer{s}
	}
	if s.t == nil || types.IsInterface(s.t) {
		if !s.v.CanInterface() {
			return s
		}
		return s.v.Interface()
	}
	return s
}

// concrete follows interfaces to the value that they hold, whose type is nil where
// nothing is known of it.
func (s shapedValue) concrete() (reflect.Value, types.Type) {
	v, t := s.v, s.t
	for v.IsValid() {
		switch {
		case isHolderType(v.Type()):
			v, t = s.held(v)
			continue
		case v.Kind() == reflect.Struct && v.NumField() > 0 && v.Type().Field(0).Name == "IValue":
			v, t = v.Field(0), nil // what compiled code was handed as a package's interface
			continue
		case v.Kind() == reflect.Struct && v.NumField() > 0 && v.Type().Field(0).Tag == adapterTag:
			v, t = v.Field(0), nil
			continue
		case v.Kind() == reflect.Interface:
			v, t = v.Elem(), nil
			continue
		case v.Type() == reflect.TypeFor[boxed]():
			b, _ := v.Interface().(boxed)
			of := b.shaped()
			v, t = of.v, of.t
		}
		break
	}
	if v.IsValid() && (t == nil || types.IsInterface(t)) {
		t = s.e.typeFor(v.Type())
	}
	return v, t
}

// typeFor returns the declared type of a structure, and the type of what is made of such
// or holds any, where it is known; nil otherwise.
func (e *Engine) typeFor(t reflect.Type) types.Type {
	if t.Name() == "" {
		switch t.Kind() {
		case reflect.Pointer:
			if of := e.typeFor(t.Elem()); of != nil {
				return types.NewPointer(of)
			}
			return nil
		case reflect.Slice:
			if of := e.typeWithin(t.Elem()); of != nil {
				return types.NewSlice(of)
			}
		case reflect.Array:
			if of := e.typeWithin(t.Elem()); of != nil {
				return types.NewArray(of, int64(t.Len()))
			}
		case reflect.Map:
			key, ok := basicTypes()[t.Key()]
			if !ok {
				key = e.typeWithin(t.Key())
			}
			if of := e.typeWithin(t.Elem()); of != nil && key != nil {
				return types.NewMap(key, of)
			}
		}
	}
	e.mu.Lock()
	list := e.shaped.byStruct[t]
	e.mu.Unlock()
	if len(list) > 0 {
		return list[len(list)-1].typ
	}
	if t.Kind() == reflect.Struct && t.Name() == "" {
		return e.structFor(t)
	}
	return nil
}

// typeWithin is typeFor for what a type is made of: any, too.
func (e *Engine) typeWithin(t reflect.Type) types.Type {
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 && t.Name() == "" {
		return types.Universe.Lookup("any").Type()
	}
	return e.typeFor(t)
}

// structFor returns the type of a structure without a name, one field of which is known.
func (e *Engine) structFor(t reflect.Type) types.Type {
	fields, tags, found := make([]*types.Var, t.NumField()), make([]string, t.NumField()), false
	for i := range fields {
		f := t.Field(i)
		of := e.typeWithin(f.Type)
		found = found || of != nil
		if of == nil {
			e.mu.Lock()
			of = e.mirror.Type(f.Type)
			e.mu.Unlock()
		}
		name := f.Name
		if rest := strings.TrimPrefix(name, "X"); rest != name && rest != "" && !token.IsExported(rest) {
			name, found = rest, true // as the interpreter names what isn't exported
		}
		fields[i], tags[i] = types.NewField(token.NoPos, types.NewPackage("main", "main"), name, of, f.Anonymous), string(f.Tag)
	}
	if !found {
		return nil
	}
	return types.NewStruct(fields, tags)
}

// basicTypes are the types that keys of maps mostly have.
func basicTypes() map[reflect.Type]types.Type {
	return map[reflect.Type]types.Type{
		reflect.TypeFor[string](): types.Typ[types.String], reflect.TypeFor[int](): types.Typ[types.Int],
		reflect.TypeFor[rune](): types.Typ[types.Rune], reflect.TypeFor[bool](): types.Typ[types.Bool],
	}
}

// call calls a method of the value's that returns a text or such; ok is false where
// it has none.
func (s shapedValue) call(method string) (out []reflect.Value, ok bool) {
	f, arg := s.method(method)
	if !f.IsValid() {
		return nil, false
	}
	return f.Call([]reflect.Value{arg}), true
}

// method returns a method as a function, and what to call it with.
func (s shapedValue) method(name string) (f, arg reflect.Value) {
	t, v := s.t, s.v
	isPointer := false
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t, isPointer = p.Elem(), true
	}
	if t == nil {
		return f, arg
	}
	s.e.mu.Lock()
	d := s.e.shaped.of(s.e, t)
	s.e.mu.Unlock()
	if d == nil {
		return f, arg
	}
	if isPointer {
		if f := d.pointer[name]; f.IsValid() {
			return f, v
		}
		if v.IsNil() {
			return f, arg
		}
		v = v.Elem()
	}
	if f := d.value[name]; f.IsValid() && v.Type().ConvertibleTo(f.Type().In(0)) {
		return f, v.Convert(f.Type().In(0))
	}
	return f, arg
}

// shapedLogValuer is one that is a slog.LogValuer.
type shapedLogValuer struct{ shapedValue }

// LogValue implements slog.LogValuer.
func (s shapedLogValuer) LogValue() slog.Value {
	out, _ := s.call("LogValue")
	v, _ := out[0].Interface().(slog.Value)
	return v
}

// Error implements error.
func (s shapedError) Error() string {
	out, _ := s.call("Error")
	return out[0].String()
}

// Unwrap implements what errors.Unwrap looks for.
func (s shapedError) Unwrap() error {
	out, ok := s.call("Unwrap")
	if !ok {
		return nil
	}
	err, _ := out[0].Interface().(error)
	return err
}
