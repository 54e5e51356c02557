package engine

import (
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// symbol is one name of the session.
type symbol struct {
	name     string
	internal string // what the interpreter calls it
	obj      types.Object
	hidden   bool // made by the session, not by a cell
}

// names is the table of a session's names. A cell is checked against a copy, which
// it extends piece by piece.
type names struct {
	symbols map[string]*symbol
	imports map[string]string // local name to import path
	dots    []string          // paths imported with a dot
}

func newNames() *names {
	return &names{symbols: map[string]*symbol{}, imports: map[string]string{}}
}

func (n *names) clone() *names {
	return &names{symbols: maps.Clone(n.symbols), imports: maps.Clone(n.imports), dots: slices.Clone(n.dots)}
}

// add puts a symbol in, in place of an import of the same name.
func (n *names) add(s *symbol) {
	n.symbols[s.name] = s
	delete(n.imports, s.name)
}

// addImport puts an import in, in place of a symbol of the same name.
func (n *names) addImport(local, importPath string) {
	if local == "." {
		if !slices.Contains(n.dots, importPath) {
			n.dots = append(n.dots, importPath)
		}
		return
	}
	n.imports[local] = importPath
	delete(n.symbols, local)
}

// importLines returns the import declarations, each on its line, that text may
// need: those whose name stands before a dot in it.
func (n *names) importLines(text string) string {
	var b strings.Builder
	for _, local := range slices.Sorted(maps.Keys(n.imports)) {
		if strings.Contains(text, local+".") || strings.Contains(text, local+" .") {
			b.WriteString("import " + local + " " + strconv.Quote(n.imports[local]) + "\n")
		}
	}
	for _, p := range n.dots {
		b.WriteString("import . " + strconv.Quote(p) + "\n")
	}
	return b.String()
}

// scope returns a fresh package main that holds the symbols which text speaks of
// but those left out.
func (n *names) scope(text string, without map[string]bool) *types.Package {
	pkg := types.NewPackage("main", "main")
	for name := range words(text, "") {
		if s := n.symbols[name]; s != nil && !without[name] {
			pkg.Scope().Insert(s.obj)
		}
	}
	return pkg
}

// variables returns the names of the session's variables, sorted.
func (n *names) variables() []string {
	var list []string
	for name, s := range n.symbols {
		if _, ok := s.obj.(*types.Var); ok && !s.hidden {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// newVar returns the session's object for a variable that a piece has defined
// within a function.
func newVar(name string, t types.Type) *types.Var {
	return types.NewVar(token.NoPos, types.NewPackage("main", "main"), name, t)
}

// localName returns the name under which an import is known.
func localName(alias, importPath string, pkg *types.Package) string {
	switch {
	case alias != "":
		return alias
	case pkg != nil:
		return pkg.Name()
	}
	return path.Base(importPath)
}
