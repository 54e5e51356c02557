package mirror

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// Importer is a types.Importer over symbol tables. It is not safe for concurrent
// use. The zero Importer knows no package; use [New].
type Importer struct {
	tables   map[string]table
	packages map[string]*types.Package
	filled   map[string]bool
	named    map[reflect.Type]types.Type
	origin   map[types.Type]reflect.Type

	templates map[string]*Template
	sources   map[string]string // templates beside the embedded ones
}

// table is one package of the symbol tables.
type table struct {
	name    string
	symbols map[string]reflect.Value
}

// AddTemplate gives a package the source of its generic functions and types; it has to
// be called before the package is imported.
func (m *Importer) AddTemplate(importPath, source string) { m.sources[importPath] = source }

// New returns an importer over the tables, which are keyed by import path, a
// slash and the package's name, as the interpreter wants them.
func New(tables ...interp.Exports) *Importer {
	m := &Importer{
		tables:   map[string]table{},
		packages: map[string]*types.Package{"unsafe": types.Unsafe},
		filled:   map[string]bool{"unsafe": true},
		named:    map[reflect.Type]types.Type{},
		origin:   map[types.Type]reflect.Type{},

		templates: map[string]*Template{}, sources: map[string]string{},
	}
	for _, exports := range tables {
		for key, symbols := range exports {
			m.add(key, symbols)
		}
	}
	return m
}

func (m *Importer) add(key string, symbols map[string]reflect.Value) {
	dir, name := path.Dir(key), path.Base(key)
	if dir == "." {
		return
	}
	t, ok := m.tables[dir]
	if !ok {
		t = table{name: name, symbols: map[string]reflect.Value{}}
		m.tables[dir] = t
	}
	for s, v := range symbols {
		t.symbols[s] = v
	}
}

// Paths returns the import paths that can be imported, sorted.
func (m *Importer) Paths() []string {
	paths := make([]string, 0, len(m.tables))
	for p := range m.tables {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// Import returns the package with an import path.
func (m *Importer) Import(importPath string) (*types.Package, error) {
	if m.filled[importPath] {
		return m.packages[importPath], nil
	}
	t, ok := m.tables[importPath]
	template := m.sources[importPath]
	if template == "" {
		template = templateSource(importPath)
	}
	if !ok && template == "" {
		return nil, fmt.Errorf("package %s is not part of this session", importPath)
	}
	if !ok {
		t.name = path.Base(importPath)
	}
	pkg := m.pkg(importPath, t.name)
	m.filled[importPath] = true
	names := make([]string, 0, len(t.symbols))
	for name := range t.symbols {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !strings.HasPrefix(name, "_") && pkg.Scope().Lookup(name) == nil {
			if obj := m.object(pkg, name, t.symbols[name]); obj != nil {
				pkg.Scope().Insert(obj)
			}
		}
	}
	if template != "" {
		m.addTemplate(pkg, template)
	}
	pkg.MarkComplete()
	return pkg, nil
}

// pkg returns the package with a path, made empty where it is new.
func (m *Importer) pkg(importPath, name string) *types.Package {
	p, ok := m.packages[importPath]
	if !ok {
		if t, known := m.tables[importPath]; known {
			name = t.name
		}
		p = types.NewPackage(importPath, name)
		m.packages[importPath] = p
	}
	return p
}

// object makes the object for one symbol: types are nil pointers, constants are
// constant.Values or plain values, variables are addressable.
func (m *Importer) object(pkg *types.Package, name string, v reflect.Value) types.Object {
	if !v.IsValid() {
		return nil
	}
	if c, ok := untyped(v); ok {
		return types.NewConst(token.NoPos, pkg, name, untypedType(c), c)
	}
	t := v.Type()
	switch {
	case v.CanAddr():
		return types.NewVar(token.NoPos, pkg, name, m.Type(t))
	case t.Kind() == reflect.Pointer && v.IsNil():
		return m.typeName(pkg, name, t.Elem())
	case t.Kind() == reflect.Func:
		sig, ok := m.Type(t).Underlying().(*types.Signature)
		if !ok {
			return nil
		}
		return types.NewFunc(token.NoPos, pkg, name, sig)
	}
	if c := constOf(v); c != nil {
		return types.NewConst(token.NoPos, pkg, name, m.Type(t), c)
	}
	return types.NewVar(token.NoPos, pkg, name, m.Type(t))
}

// typeName returns the object of a named type, or an alias where the symbol names
// another package's type or one with no name.
func (m *Importer) typeName(pkg *types.Package, name string, t reflect.Type) types.Object {
	typ := m.Type(t)
	if n, ok := typ.(*types.Named); ok && t.PkgPath() == pkg.Path() && t.Name() == name {
		return n.Obj()
	}
	obj := types.NewTypeName(token.NoPos, pkg, name, nil)
	types.NewAlias(obj, typ)
	return obj
}

// untyped returns the value of a constant without a type, which tables hold as a
// constant.Value.
func untyped(v reflect.Value) (constant.Value, bool) {
	if !v.CanInterface() {
		return nil, false
	}
	c, ok := v.Interface().(constant.Value)
	return c, ok && !v.CanAddr()
}

func untypedType(c constant.Value) types.Type {
	switch c.Kind() {
	case constant.Bool:
		return types.Typ[types.UntypedBool]
	case constant.String:
		return types.Typ[types.UntypedString]
	case constant.Int:
		return types.Typ[types.UntypedInt]
	case constant.Complex:
		return types.Typ[types.UntypedComplex]
	default:
		return types.Typ[types.UntypedFloat]
	}
}

// constOf returns the constant value of a plain value, nil where it has none.
func constOf(v reflect.Value) constant.Value {
	switch {
	case v.Kind() == reflect.Bool:
		return constant.MakeBool(v.Bool())
	case v.Kind() == reflect.String:
		return constant.MakeString(v.String())
	case v.CanInt():
		return constant.MakeInt64(v.Int())
	case v.CanUint():
		return constant.MakeUint64(v.Uint())
	case v.CanFloat():
		return constant.MakeFloat64(v.Float())
	}
	return nil
}

// Has reports whether a package can be imported.
func (m *Importer) Has(importPath string) bool {
	_, ok := m.tables[importPath]
	return ok
}

// Reflected returns the reflected type that a named type mirrors; ok is false for
// types from elsewhere.
func (m *Importer) Reflected(t types.Type) (r reflect.Type, ok bool) {
	r, ok = m.origin[t]
	return r, ok
}
