package engine

import (
	"go/token"
	"go/types"
	"iter"
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
	base    *names             // what is not here is there; nil: nowhere
	symbols map[string]*symbol // nil for a name that an import has taken
	imports map[string]string  // local name to import path
	dots    []string           // paths imported with a dot
}

func newNames() *names {
	return &names{symbols: map[string]*symbol{}, imports: map[string]string{}}
}

// over returns a table that begins as this one does, and leaves it alone.
func (n *names) over() *names {
	return &names{base: n, symbols: map[string]*symbol{}, imports: maps.Clone(n.imports), dots: slices.Clone(n.dots)}
}

// get returns a symbol, nil where there is none.
func (n *names) get(name string) *symbol {
	for ; n != nil; n = n.base {
		if s, ok := n.symbols[name]; ok {
			return s
		}
	}
	return nil
}

// all goes through the symbols.
func (n *names) all() iter.Seq[*symbol] {
	return func(yield func(*symbol) bool) {
		for t := n; t != nil; t = t.base {
			for name, s := range t.symbols {
				if s != nil && n.get(name) == s && !yield(s) {
					return
				}
			}
		}
	}
}

// taken returns the names that imports have taken from symbols of the base.
func (n *names) taken() []string {
	var list []string
	for name, s := range n.symbols {
		if s == nil {
			list = append(list, name)
		}
	}
	return list
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
	if n.base != nil && n.base.get(local) != nil {
		n.symbols[local] = nil
	} else {
		delete(n.symbols, local)
	}
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
		if s := n.get(name); s != nil && !without[name] {
			pkg.Scope().Insert(s.obj)
		}
	}
	return pkg
}

// variables returns the names of the session's variables, sorted.
func (n *names) variables() []string {
	var list []string
	for s := range n.all() {
		if _, ok := s.obj.(*types.Var); ok && !s.hidden {
			list = append(list, s.name)
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
