package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// reflected is the reflect.Type of a type that speaks of cells' types: what the
// interpreter compiles them to, under their own names and with their methods.
type reflected struct {
	reflect.Type
	e *Engine
	t types.Type
}

// reflectedKey tells such types apart.
type reflectedKey struct {
	raw  reflect.Type
	name string
}

// reflected returns the reflect.Type of t, which is compiled to raw; always the same one.
func (e *Engine) reflected(raw reflect.Type, t types.Type) reflect.Type {
	if raw == nil || t == nil || !speaksOfOwn(t, map[types.Type]bool{}) {
		return raw
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	key := reflectedKey{raw, typeName(t)}
	if e.mirrored[key] == nil {
		e.mirrored[key] = &reflected{raw, e, t}
	}
	return e.mirrored[key]
}

// speaksOfOwn reports whether a type is one of cells, or made of one.
func speaksOfOwn(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == "main" {
			return true
		}
		return slices.ContainsFunc(slices.Collect(t.TypeArgs().Types()), func(a types.Type) bool { return speaksOfOwn(a, seen) })
	case *types.Signature:
		return speaksOfOwn(t.Params(), seen) || speaksOfOwn(t.Results(), seen)
	case *types.Tuple:
		return slices.ContainsFunc(slices.Collect(t.Variables()), func(v *types.Var) bool { return speaksOfOwn(v.Type(), seen) })
	case *types.Struct:
		return slices.ContainsFunc(slices.Collect(t.Fields()), func(f *types.Var) bool { return speaksOfOwn(f.Type(), seen) })
	case interface{ Elem() types.Type }:
		m, ok := t.(*types.Map)
		return speaksOfOwn(t.Elem(), seen) || ok && speaksOfOwn(m.Key(), seen)
	}
	return false
}

// reflectTypeOf is reflect.TypeOf.
func (e *Engine) reflectTypeOf(v any) reflect.Type {
	if s, ok := shapedIn(v); ok {
		return e.reflected(s.v.Type(), s.t)
	}
	return e.typeNamed(reflect.TypeOf(v))
}

// typeNamed returns a compiled type under the name that a cell gave it, where that is known.
func (e *Engine) typeNamed(raw reflect.Type) reflect.Type {
	if raw == nil {
		return nil
	}
	return e.reflected(raw, e.typeFor(raw))
}

// rawType returns what compiled code knows a type by.
func rawType(t reflect.Type) reflect.Type {
	if r, ok := t.(*reflected); ok {
		return r.Type
	}
	return t
}

func (r *reflected) named() (*types.Named, bool) {
	n, ok := types.Unalias(r.t).(*types.Named)
	return n, ok
}

// Name returns the declared name, "" for a type without one.
func (r *reflected) Name() string {
	if _, ok := r.named(); !ok {
		return ""
	}
	_, name, _ := strings.Cut(typeName(r.t), ".")
	return name
}

// String writes the type as cells do.
func (r *reflected) String() string { return typeName(r.t) }

// PkgPath returns the path of the package that cells are.
func (r *reflected) PkgPath() string {
	if _, ok := r.named(); !ok {
		return ""
	}
	return "main"
}

// Kind tells an interface of cells from what it is compiled to.
func (r *reflected) Kind() reflect.Kind {
	if types.IsInterface(r.t) {
		return reflect.Interface
	}
	return r.Type.Kind()
}

// exported returns the methods that reflection shows.
func (r *reflected) exported() []*types.Func {
	var list []*types.Func
	for sel := range types.NewMethodSet(r.t).Methods() {
		if f, ok := sel.Obj().(*types.Func); ok && f.Exported() {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *types.Func) int { return strings.Compare(a.Name(), b.Name()) })
	return list
}

// NumMethod returns how many methods there are.
func (r *reflected) NumMethod() int { return len(r.exported()) }

// Method returns the i-th method by name; it has no function that could be called.
func (r *reflected) Method(i int) reflect.Method {
	f := r.exported()[i]
	in := []*types.Var{types.NewParam(token.NoPos, nil, "", r.t)}
	for v := range f.Signature().Params().Variables() {
		in = append(in, v)
	}
	sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(in...), f.Signature().Results(), f.Signature().Variadic())
	return reflect.Method{Name: f.Name(), Index: i, Type: r.e.reflected(reflect.TypeFor[func()](), sig)}
}

// MethodByName returns a method.
func (r *reflected) MethodByName(name string) (reflect.Method, bool) {
	i := slices.IndexFunc(r.exported(), func(f *types.Func) bool { return f.Name() == name })
	if i < 0 {
		return reflect.Method{}, false
	}
	return r.Method(i), true
}

func (r *reflected) structure() *types.Struct {
	s, _ := under[*types.Struct](r.t)
	return s
}

// NumField returns how many fields a structure has.
func (r *reflected) NumField() int {
	if s := r.structure(); s != nil {
		return s.NumFields()
	}
	return r.Type.NumField()
}

// Field returns a field under its own name.
func (r *reflected) Field(i int) reflect.StructField {
	s := r.structure()
	if s == nil {
		return r.Type.Field(i)
	}
	f, v := r.Type.Field(i), s.Field(i)
	f.Name, f.Tag, f.Type = v.Name(), reflect.StructTag(s.Tag(i)), r.e.reflected(f.Type, v.Type())
	if !v.Exported() {
		f.PkgPath = "main"
	}
	return f
}

// FieldByName returns a field, promoted ones too.
func (r *reflected) FieldByName(name string) (reflect.StructField, bool) {
	return r.FieldByNameFunc(func(s string) bool { return s == name })
}

// FieldByNameFunc returns the field whose name match takes, the outermost.
func (r *reflected) FieldByNameFunc(match func(string) bool) (reflect.StructField, bool) {
	var deeper []reflect.StructField
	for i := range r.NumField() {
		f := r.Field(i)
		if match(f.Name) {
			return f, true
		}
		if f.Anonymous {
			deeper = append(deeper, f)
		}
	}
	for _, f := range deeper {
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			continue
		}
		if inner, ok := t.FieldByNameFunc(match); ok {
			inner.Index = append(slices.Clone(f.Index), inner.Index...)
			return inner, true
		}
	}
	return reflect.StructField{}, false
}

// FieldByIndex returns a field of embedded structures.
func (r *reflected) FieldByIndex(index []int) reflect.StructField {
	var f reflect.StructField
	t := reflect.Type(r)
	for _, i := range index {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f = t.Field(i)
		t = f.Type
	}
	return f
}

// Elem returns the type of elements, or what a pointer points to.
func (r *reflected) Elem() reflect.Type {
	if t, ok := r.t.Underlying().(interface{ Elem() types.Type }); ok {
		return r.e.reflected(r.Type.Elem(), t.Elem())
	}
	return r.Type.Elem()
}

// Key returns the type of a map's keys.
func (r *reflected) Key() reflect.Type {
	if m, ok := under[*types.Map](r.t); ok {
		return r.e.reflected(r.Type.Key(), m.Key())
	}
	return r.Type.Key()
}

// In returns the type of a parameter.
func (r *reflected) In(i int) reflect.Type {
	if sig, ok := under[*types.Signature](r.t); ok && r.NumIn() == sig.Params().Len() {
		return r.e.reflected(r.Type.In(i), sig.Params().At(i).Type())
	}
	return r.Type.In(i)
}

// Out returns the type of a result.
func (r *reflected) Out(i int) reflect.Type {
	if sig, ok := under[*types.Signature](r.t); ok && r.NumOut() == sig.Results().Len() {
		return r.e.reflected(r.Type.Out(i), sig.Results().At(i).Type())
	}
	return r.Type.Out(i)
}

// Implements reports whether there are all methods that the interface u has.
func (r *reflected) Implements(u reflect.Type) bool {
	if own, ok := u.(*reflected); ok {
		i, ok := under[*types.Interface](own.t)
		return ok && satisfies(r.t, i)
	}
	for m := range u.Methods() {
		if _, ok := r.MethodByName(m.Name); !ok {
			return false
		}
	}
	return true
}

// AssignableTo reports whether a value may become one of u.
func (r *reflected) AssignableTo(u reflect.Type) bool {
	if u.Kind() == reflect.Interface {
		return r.Implements(u)
	}
	if own, ok := u.(*reflected); ok {
		return types.AssignableTo(r.t, own.t)
	}
	_, named := r.named()
	return !named && r.Type.AssignableTo(u)
}

// ConvertibleTo reports whether a value may be converted to u.
func (r *reflected) ConvertibleTo(u reflect.Type) bool { return r.Type.ConvertibleTo(rawType(u)) }

// reflectTable returns the functions of package reflect that take types.
func (e *Engine) reflectTable() interp.Exports {
	made := func(raw reflect.Type, of reflect.Type, t func(types.Type) types.Type) reflect.Type {
		if r, ok := of.(*reflected); ok {
			return e.reflected(raw, t(r.t))
		}
		return raw
	}
	pointer := func(t reflect.Type) reflect.Type {
		return made(reflect.PointerTo(rawType(t)), t, func(t types.Type) types.Type { return types.NewPointer(t) })
	}
	return interp.Exports{"reflect/reflect": {
		"New":             reflect.ValueOf(func(t reflect.Type) reflect.Value { return reflect.New(rawType(t)) }),
		"Zero":            reflect.ValueOf(func(t reflect.Type) reflect.Value { return reflect.Zero(rawType(t)) }),
		"MakeSlice":       reflect.ValueOf(func(t reflect.Type, n, c int) reflect.Value { return reflect.MakeSlice(rawType(t), n, c) }),
		"MakeMap":         reflect.ValueOf(func(t reflect.Type) reflect.Value { return reflect.MakeMap(rawType(t)) }),
		"MakeMapWithSize": reflect.ValueOf(func(t reflect.Type, n int) reflect.Value { return reflect.MakeMapWithSize(rawType(t), n) }),
		"MakeChan":        reflect.ValueOf(func(t reflect.Type, n int) reflect.Value { return reflect.MakeChan(rawType(t), n) }),
		"MakeFunc": reflect.ValueOf(func(t reflect.Type, f func([]reflect.Value) []reflect.Value) reflect.Value {
			return reflect.MakeFunc(rawType(t), f)
		}),
		"PointerTo": reflect.ValueOf(pointer),
		"PtrTo":     reflect.ValueOf(pointer),
		"SliceOf": reflect.ValueOf(func(t reflect.Type) reflect.Type {
			return made(reflect.SliceOf(rawType(t)), t, func(t types.Type) types.Type { return types.NewSlice(t) })
		}),
		"ArrayOf": reflect.ValueOf(func(n int, t reflect.Type) reflect.Type {
			return made(reflect.ArrayOf(n, rawType(t)), t, func(t types.Type) types.Type { return types.NewArray(t, int64(n)) })
		}),
		"ChanOf": reflect.ValueOf(func(d reflect.ChanDir, t reflect.Type) reflect.Type { return reflect.ChanOf(d, rawType(t)) }),
		"MapOf":  reflect.ValueOf(func(k, t reflect.Type) reflect.Type { return reflect.MapOf(rawType(k), rawType(t)) }),
	}}
}

// reflection writes calls of package reflect that concern names of cells' types.
func (r *rewriter) reflection(call *ast.CallExpr) {
	if x, ok := ast.Unparen(call.Fun).(*ast.IndexExpr); ok {
		r.typeFor(call, x)
		return
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "reflect" {
		return
	}
	recv := f.Signature().Recv()
	if recv == nil {
		if f.Name() == "TypeOf" {
			r.edits.Replace(r.p.offset(call.Fun.Pos()), r.p.offset(call.Fun.End()), "vlabRT.TypeOf")
		}
		return
	}
	if n, ok := types.Unalias(recv.Type()).(*types.Named); !ok || n.Obj().Name() != "Value" {
		return
	}
	switch f.Name() {
	case "Type", "NumField", "NumMethod":
		r.edits.Insert(r.p.offset(call.Pos()), "vlabRT.Value"+f.Name()+"(")
		r.edits.Replace(r.p.offset(sel.X.End()), r.p.offset(call.End()), ")")
	case "FieldByName":
		r.edits.Insert(r.p.offset(call.Pos()), "vlabRT.ValueFieldByName(")
		r.edits.Replace(r.p.offset(sel.X.End()), r.p.offset(call.Args[0].Pos()), ", ")
	case "Convert", "CanConvert":
		r.edits.Insert(r.p.offset(call.Args[0].Pos()), "vlabRT.RawType(")
		r.edits.Close(r.p.offset(call.Args[0].Pos()), r.p.offset(call.Args[0].End()), ")")
	}
}

// typeFor writes reflect.TypeFor.
func (r *rewriter) typeFor(call *ast.CallExpr, x *ast.IndexExpr) {
	sel, ok := x.X.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "TypeFor" {
		return
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "reflect" {
		return
	}
	t := r.bound.apply(r.p.info.Types[x.Index].Type)
	if text, ok := r.types.write(t); ok {
		r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(call.End()), fmt.Sprintf("vlabRT.TypeFor(%d, (*%s)(nil))", r.e.shapeOf(t, text), text))
	}
}

// reflectCalls returns what [rewriter.reflection] calls.
func (e *Engine) reflectCalls() map[string]reflect.Value {
	return map[string]reflect.Value{
		"TypeOf":  reflect.ValueOf(e.reflectTypeOf),
		"RawType": reflect.ValueOf(rawType),
		"TypeFor": reflect.ValueOf(func(k int, pointer any) reflect.Type {
			t := e.shapeAt(k)
			return e.reflected(reflect.TypeOf(pointer).Elem(), t)
		}),
		"ValueType": reflect.ValueOf(func(v reflect.Value) reflect.Type { return e.typeNamed(v.Type()) }),
		"ValueNumField": reflect.ValueOf(func(v reflect.Value) int {
			return e.typeNamed(v.Type()).NumField()
		}),
		"ValueNumMethod": reflect.ValueOf(func(v reflect.Value) int {
			return max(v.NumMethod(), e.typeNamed(v.Type()).NumMethod())
		}),
		"ValueFieldByName": reflect.ValueOf(func(v reflect.Value, name string) reflect.Value {
			if f, ok := e.typeNamed(v.Type()).FieldByName(name); ok {
				return v.FieldByIndex(f.Index)
			}
			return reflect.Value{}
		}),
	}
}
