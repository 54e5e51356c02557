package mirror

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

// Template is Go source for what tables of compiled symbols can't hold: the
// generic functions and types of a package. It is checked as a part of the package.
type Template struct {
	Src  string
	Fset *token.FileSet
	File *ast.File
	Info *types.Info
}

// templateSource returns the source for a package, "" for none.
func templateSource(importPath string) string {
	b, err := templateFiles.ReadFile("templates/" + strings.ReplaceAll(importPath, "/", "_") + ".go.txt")
	if err != nil {
		return ""
	}
	return string(b)
}

// Template returns the source of a package's generic functions and types, nil
// where there is none or the package wasn't imported.
func (m *Importer) Template(importPath string) *Template { return m.templates[importPath] }

// addTemplate checks a package's template and adds what it declares. The sources
// are part of the binary: one that is wrong is a mistake of ours.
func (m *Importer) addTemplate(pkg *types.Package, src string) {
	t := &Template{Src: src, Fset: token.NewFileSet(), Info: NewInfo()}
	var err error
	if t.File, err = parser.ParseFile(t.Fset, pkg.Path(), src, parser.SkipObjectResolution); err != nil {
		panic(fmt.Errorf("template of %s: %w", pkg.Path(), err))
	}
	conf := types.Config{Importer: m}
	if err := types.NewChecker(&conf, t.Fset, pkg, t.Info).Files([]*ast.File{t.File}); err != nil {
		panic(fmt.Errorf("template of %s: %w", pkg.Path(), err))
	}
	m.templates[pkg.Path()] = t
}

// NewInfo returns an Info that a checker fills with all that cells are rewritten by.
func NewInfo() *types.Info {
	return &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Instances:  map[*ast.Ident]types.Instance{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
		Implicits:  map[ast.Node]types.Object{},
	}
}

// sequence returns the type of a compiled iter.Seq or iter.Seq2, nil for others.
func (m *Importer) sequence(t reflect.Type) types.Type {
	name, _, generic := strings.Cut(t.Name(), "[")
	if t.PkgPath() != "iter" || !generic || t.Kind() != reflect.Func {
		return nil
	}
	pkg, err := m.Import("iter")
	if err != nil {
		return nil
	}
	obj := pkg.Scope().Lookup(name)
	if obj == nil {
		return nil
	}
	yield := t.In(0)
	args := make([]types.Type, yield.NumIn())
	for i := range args {
		args[i] = m.Type(yield.In(i))
	}
	s, err := types.Instantiate(nil, obj.Type(), args, false)
	if err != nil {
		return nil
	}
	m.named[t] = s
	return s
}
