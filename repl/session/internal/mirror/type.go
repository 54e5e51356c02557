package mirror

import (
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

// Type returns the type of go/types for a reflected one. The same reflected type
// always gives the same named type.
func (m *Importer) Type(t reflect.Type) types.Type {
	if known, ok := m.named[t]; ok {
		return known
	}
	if s := m.sequence(t); s != nil {
		return s
	}
	if t.PkgPath() != "" && t.Name() != "" {
		return m.namedType(t)
	}
	if t == reflect.TypeFor[error]() {
		return types.Universe.Lookup("error").Type()
	}
	return m.literal(t)
}

// namedType declares a named type before its parts are looked at, since they may
// speak of it.
func (m *Importer) namedType(t reflect.Type) types.Type {
	name := t.Name()
	pkg := m.pkg(t.PkgPath(), packageName(t))
	obj := types.NewTypeName(token.NoPos, pkg, name, nil)
	n := types.NewNamed(obj, nil, nil)
	m.named[t], m.origin[n] = n, t
	if pkg.Scope().Lookup(name) == nil {
		pkg.Scope().Insert(obj)
	}
	n.SetUnderlying(m.literal(t))
	if t.Kind() != reflect.Interface {
		m.methods(n, t)
	}
	return n
}

// packageName reads a package's name off a type's string, as in "rand.Rand".
func packageName(t reflect.Type) string {
	s := t.String()
	if i := strings.IndexByte(s, '['); i >= 0 {
		s = s[:i]
	}
	name, _, _ := strings.Cut(s, ".")
	return name
}

// methods adds the exported methods; one that the pointer alone has gets a
// pointer receiver.
func (m *Importer) methods(n *types.Named, t reflect.Type) {
	ptr := reflect.PointerTo(t)
	for i := range ptr.NumMethod() {
		method := ptr.Method(i)
		recv := types.Type(types.NewPointer(n))
		if _, ok := t.MethodByName(method.Name); ok {
			recv = n
		}
		v := types.NewVar(token.NoPos, n.Obj().Pkg(), "", recv)
		sig := m.signature(v, method.Type, 1)
		n.AddMethod(types.NewFunc(token.NoPos, n.Obj().Pkg(), method.Name, sig))
	}
}

// literal returns the type without its name.
func (m *Importer) literal(t reflect.Type) types.Type {
	switch t.Kind() {
	case reflect.Pointer:
		return types.NewPointer(m.Type(t.Elem()))
	case reflect.Slice:
		return types.NewSlice(m.Type(t.Elem()))
	case reflect.Array:
		return types.NewArray(m.Type(t.Elem()), int64(t.Len()))
	case reflect.Map:
		return types.NewMap(m.Type(t.Key()), m.Type(t.Elem()))
	case reflect.Chan:
		return types.NewChan(direction(t.ChanDir()), m.Type(t.Elem()))
	case reflect.Func:
		return m.signature(nil, t, 0)
	case reflect.Struct:
		return m.structure(t)
	case reflect.Interface:
		return m.iface(t)
	}
	return basic(t.Kind())
}

func direction(d reflect.ChanDir) types.ChanDir {
	switch d {
	case reflect.SendDir:
		return types.SendOnly
	case reflect.RecvDir:
		return types.RecvOnly
	default:
		return types.SendRecv
	}
}

// signature returns a function's type; the first skip parameters are left out.
func (m *Importer) signature(recv *types.Var, t reflect.Type, skip int) *types.Signature {
	var in []*types.Var
	out := make([]*types.Var, 0, t.NumOut())
	for i := skip; i < t.NumIn(); i++ {
		in = append(in, types.NewParam(token.NoPos, nil, "", m.Type(t.In(i))))
	}
	for i := range t.NumOut() {
		out = append(out, types.NewParam(token.NoPos, nil, "", m.Type(t.Out(i))))
	}
	return types.NewSignatureType(recv, nil, nil, types.NewTuple(in...), types.NewTuple(out...), t.IsVariadic())
}

func (m *Importer) structure(t reflect.Type) types.Type {
	fields := make([]*types.Var, t.NumField())
	tags := make([]string, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		var pkg *types.Package
		if p := f.PkgPath; p != "" {
			pkg = m.pkg(p, packageName(t))
		} else if t.PkgPath() != "" {
			pkg = m.pkg(t.PkgPath(), packageName(t))
		}
		fields[i] = types.NewField(token.NoPos, pkg, f.Name, m.Type(f.Type), f.Anonymous)
		tags[i] = string(f.Tag)
	}
	return types.NewStruct(fields, tags)
}

// iface leaves out methods that are not exported: reflection does not list them
// on the types that have them, so no type could be seen to implement it.
func (m *Importer) iface(t reflect.Type) types.Type {
	if t.NumMethod() == 0 && t.Name() == "" {
		return types.Universe.Lookup("any").Type()
	}
	var methods []*types.Func
	for i := range t.NumMethod() {
		method := t.Method(i)
		if method.PkgPath != "" {
			continue
		}
		methods = append(methods, types.NewFunc(token.NoPos, nil, method.Name, m.signature(nil, method.Type, 0)))
	}
	return types.NewInterfaceType(methods, nil).Complete()
}

// basic returns the predeclared type of a kind.
func basic(k reflect.Kind) types.Type {
	kinds := map[reflect.Kind]types.BasicKind{
		reflect.Bool: types.Bool, reflect.String: types.String,
		reflect.Int: types.Int, reflect.Int8: types.Int8, reflect.Int16: types.Int16,
		reflect.Int32: types.Int32, reflect.Int64: types.Int64,
		reflect.Uint: types.Uint, reflect.Uint8: types.Uint8, reflect.Uint16: types.Uint16,
		reflect.Uint32: types.Uint32, reflect.Uint64: types.Uint64, reflect.Uintptr: types.Uintptr,
		reflect.Float32: types.Float32, reflect.Float64: types.Float64,
		reflect.Complex64: types.Complex64, reflect.Complex128: types.Complex128,
		reflect.UnsafePointer: types.UnsafePointer,
	}
	return types.Typ[kinds[k]]
}
