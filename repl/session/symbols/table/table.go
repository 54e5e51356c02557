// Package table writes the interpreter's tables of compiled packages, from their
// compiled forms. It does what "yaegi extract" does, which reads sources, in a
// minute less where cgo is among the imports.
package table

import (
	"bytes"
	"fmt"
	"go/constant"
	"go/format"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
)

// File is Go source with the tables of some packages.
type File struct {
	Package string // the package that the file is of
	From    string // what generates it, as its first line says

	name     func(*types.Package) string
	pkg      *types.Package
	imports  map[string]string // import path to name
	tables   bytes.Buffer
	entries  bytes.Buffer
	wrappers bytes.Buffer
}

// NewFile returns a file without tables. With aliases, packages are imported under
// names made of their whole paths, as two of a file may have one name.
func NewFile(pkg, from string, aliases bool) *File {
	f := &File{Package: pkg, From: from, imports: map[string]string{"reflect": "reflect"}, name: (*types.Package).Name}
	if aliases {
		f.name = func(p *types.Package) string { return strings.NewReplacer("/", "_", ".", "_").Replace(p.Path()) }
	}
	return f
}

// Add adds a function that returns the table of a package's exported names for
// which wanted says yes. It reports how many there are; none adds nothing.
func (f *File) Add(pkg *types.Package, wanted func(name string) bool) int {
	f.pkg = pkg
	f.entries.Reset()
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() && wanted(name) {
			f.object(obj)
		}
	}
	n := bytes.Count(f.entries.Bytes(), []byte("\n"))
	if n == 0 {
		return 0
	}
	f.qualify(pkg)
	fmt.Fprintf(&f.tables, "\n// %sTable lists exported names of package %s.\nfunc %sTable() map[string]reflect.Value {\n\treturn map[string]reflect.Value{\n", f.name(pkg), pkg.Path(), f.name(pkg))
	f.tables.Write(f.entries.Bytes())
	f.tables.WriteString("\t}\n}\n")
	return n
}

// Name returns the name of the function that Add has written for a package, without
// "Table".
func (f *File) Name(pkg *types.Package) string { return f.name(pkg) }

// Append adds source of another kind.
func (f *File) Append(source string) { f.tables.WriteString("\n" + source) }

// Import makes the file import a package under its own name.
func (f *File) Import(path, name string) { f.imports[path] = name }

// object adds an exported name. Generic ones have no form that the interpreter
// could hold.
func (f *File) object(obj types.Object) {
	name, full := obj.Name(), f.name(f.pkg)+"."+obj.Name()
	switch obj := obj.(type) {
	case *types.Const:
		f.entry(name, f.constant(obj, full))
	case *types.Func:
		if obj.Signature().TypeParams().Len() == 0 {
			f.entry(name, "reflect.ValueOf("+full+")")
		}
	case *types.Var:
		f.entry(name, "reflect.ValueOf(&"+full+").Elem()")
	case *types.TypeName:
		if named, ok := obj.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
			return
		}
		i, ok := obj.Type().Underlying().(*types.Interface)
		if ok && !i.IsMethodSet() {
			return // a constraint
		}
		f.entry(name, "reflect.ValueOf((*"+full+")(nil))")
		if ok && i.NumMethods() > 0 {
			f.wrapper(name, i)
		}
	}
}

func (f *File) entry(name, value string) { fmt.Fprintf(&f.entries, "\t\t%q: %s,\n", name, value) }

// constant writes a constant's value; an untyped one keeps its exact value.
func (f *File) constant(c *types.Const, full string) string {
	b, ok := c.Type().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped == 0 {
		return "reflect.ValueOf(" + full + ")"
	}
	tokens := map[constant.Kind]string{constant.Int: "INT", constant.Float: "FLOAT", constant.String: "STRING"}
	kind, ok := tokens[c.Val().Kind()]
	if !ok {
		return "reflect.ValueOf(" + full + ")"
	}
	f.imports["go/constant"], f.imports["go/token"] = "constant", "token"
	return fmt.Sprintf("reflect.ValueOf(constant.MakeFromLiteral(%q, token.%s, 0))", c.Val().ExactString(), kind)
}

// wrapper adds the type by which a value of an interpreted type becomes one of
// the interface; its fields are what the interpreter expects.
func (f *File) wrapper(name string, i *types.Interface) {
	wrapped := f.name(f.pkg) + name
	f.entry("_"+name, "reflect.ValueOf((*"+wrapped+")(nil))")
	var methods bytes.Buffer
	fmt.Fprintf(&f.wrappers, "\n// %s is the interface %s.%s of an interpreted type.\ntype %s struct {\n\tIValue any\n", wrapped, f.pkg.Name(), name, wrapped)
	for m := range i.Methods() {
		sig := m.Signature()
		fmt.Fprintf(&f.wrappers, "\tW%s func%s\n", m.Name(), f.signature(sig, false))
		keyword := ""
		if sig.Results().Len() > 0 {
			keyword = "return "
		}
		fmt.Fprintf(&methods, "\nfunc (w %s) %s%s { %sw.W%s(%s) }\n", wrapped, m.Name(), f.signature(sig, true), keyword, m.Name(), arguments(sig))
	}
	f.wrappers.WriteString("}\n" + methods.String())
}

// signature writes parameters and results, with names of ours for the former
// where they are asked for.
func (f *File) signature(sig *types.Signature, named bool) string {
	write := func(tuple *types.Tuple, variadic, named bool) string {
		parts := make([]string, tuple.Len())
		for i := range tuple.Len() {
			t := tuple.At(i).Type()
			parts[i] = types.TypeString(t, f.qualify)
			if variadic && i == tuple.Len()-1 {
				parts[i] = "..." + types.TypeString(t.(*types.Slice).Elem(), f.qualify)
			}
			if named {
				parts[i] = fmt.Sprintf("a%d %s", i, parts[i])
			}
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	text := write(sig.Params(), sig.Variadic(), named)
	if sig.Results().Len() > 0 {
		text += " " + write(sig.Results(), false, false)
	}
	return text
}

func arguments(sig *types.Signature) string {
	names := make([]string, sig.Params().Len())
	for i := range names {
		names[i] = fmt.Sprintf("a%d", i)
	}
	text := strings.Join(names, ", ")
	if sig.Variadic() {
		text += "..."
	}
	return text
}

func (f *File) qualify(p *types.Package) string {
	f.imports[p.Path()] = f.name(p)
	return f.name(p)
}

// Source returns the file, formatted.
func (f *File) Source() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by %s; DO NOT EDIT.\n\npackage %s\n\nimport (\n", f.From, f.Package)
	own := func(p string) bool {
		return strings.HasPrefix(p, "vlab/") || strings.Contains(strings.Split(p, "/")[0], ".")
	}
	for _, ours := range []bool{false, true} {
		for _, p := range slices.Sorted(maps.Keys(f.imports)) {
			if own(p) != ours {
				continue
			}
			if name := f.imports[p]; name != path.Base(p) {
				fmt.Fprintf(&b, "\t%s %q\n", name, p)
			} else {
				fmt.Fprintf(&b, "\t%q\n", p)
			}
		}
		if !ours {
			b.WriteString("\n")
		}
	}
	b.WriteString(")\n")
	b.Write(f.tables.Bytes())
	b.Write(f.wrappers.Bytes())
	code, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", f.Package, err)
	}
	return code, nil
}
