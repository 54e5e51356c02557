package engine

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"vlab/repl/session/internal/cell"
)

// source is the text that has made a type or a function, kept so that a later cell
// can make it anew.
type source struct {
	text    string
	methods []string           // of a type
	uses    map[string]bool    // names that the text speaks of
	stood   map[string]*symbol // for what, as the text was checked
}

// companions returns earlier declarations that a cell makes necessary again: a generic
// type that the cell adds a method to, with the methods it has and all that speaks of it,
// and the functions that call, at any remove, a function which the cell defines
// anew, so that they call the new one. It names the types among them.
func (e *Engine) companions(src string, pieces []cell.Piece) (texts, callers, again []string) {
	defined, anew := map[string]bool{}, map[string]bool{}
	var receivers, functions []string
	_, pieces = e.splitExtensions(src, pieces)
	for _, p := range pieces {
		if p.Kind != cell.Type && p.Kind != cell.Func {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+src[p.Start:p.End], parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, nil // the check will say what is wrong
		}
		for _, id := range declared(f) {
			defined[id.Name] = true
			if p.Kind == cell.Func {
				functions = append(functions, id.Name)
			}
		}
		if base := receiverBase(f); base != "" {
			receivers = append(receivers, base)
			anew[methodOf(f)] = true
		}
	}
	texts, again = e.dependents(receivers, defined, anew)
	return texts, e.callers(functions, defined), again
}

// dependents returns the texts of types that get a method, and of all that speaks of
// them, at any remove: other types, and functions. It names the types. Methods that
// the cell defines anew are left out.
func (e *Engine) dependents(bases []string, defined, anew map[string]bool) (texts, again []string) {
	for len(bases) > 0 {
		name := bases[0]
		bases = bases[1:]
		s := e.sources[name]
		if s == nil || defined[name] || e.names.get(name) == nil {
			continue
		}
		defined[name] = true
		texts = append(texts, s.text)
		for _, m := range s.methods {
			if f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+m, parser.SkipObjectResolution); err != nil || !anew[methodOf(f)] {
				texts = append(texts, m)
			}
		}
		if !strings.HasPrefix(s.text, "func") {
			again = append(again, name)
		}
		for _, user := range append(slices.Sorted(maps.Keys(e.usedBy[name])), e.holders(name)...) {
			if u := e.sources[user]; u != nil && u.uses[name] {
				bases = append(bases, user)
			}
		}
	}
	return texts, again
}

// holders returns the functions that speak of variables whose types are made of a
// declared type.
func (e *Engine) holders(name string) []string {
	of, ok := e.names.get(name).obj.Type().(*types.Named)
	if _, isType := e.names.get(name).obj.(*types.TypeName); !ok || !isType {
		return nil
	}
	var list []string
	for s := range e.names.all() {
		if v, ok := s.obj.(*types.Var); ok && !s.hidden && mentionsType(v.Type(), of) {
			list = append(list, slices.Sorted(maps.Keys(e.usedBy[s.name]))...)
		}
	}
	return list
}

// callers returns the texts of the session's functions that speak of one of the
// names, and of those that speak of them in turn.
func (e *Engine) callers(of []string, defined map[string]bool) []string {
	var texts []string
	for len(of) > 0 {
		name := of[0]
		of = of[1:]
		if e.names.get(name) == nil && !defined[name] {
			continue
		}
		for _, caller := range slices.Sorted(maps.Keys(e.usedBy[name])) {
			s := e.sources[caller]
			if s == nil || defined[caller] || !s.uses[name] || !strings.HasPrefix(s.text, "func") || e.names.get(caller) == nil {
				continue
			}
			defined[caller] = true
			texts = append(texts, s.text)
			of = append(of, caller)
		}
	}
	return texts
}

// methodOf returns the name of a file's method with its type's, as T.M; "" for none.
func methodOf(f *ast.File) string {
	if name := methodName(f); name != "" {
		return receiverBase(f) + "." + name
	}
	return ""
}

// receiverBase returns the name of the type that a file's method belongs to.
func receiverBase(f *ast.File) string {
	for _, d := range f.Decls {
		m, ok := d.(*ast.FuncDecl)
		if !ok || m.Recv == nil || len(m.Recv.List) != 1 {
			continue
		}
		t := m.Recv.List[0].Type
		for {
			switch x := t.(type) {
			case *ast.StarExpr:
				t = x.X
			case *ast.ParenExpr:
				t = x.X
			case *ast.IndexExpr:
				t = x.X
			case *ast.IndexListExpr:
				t = x.X
			case *ast.Ident:
				return x.Name
			default:
				return ""
			}
		}
	}
	return ""
}

// unchanged returns the pieces of a cell without those that declare types which stand
// already, by the same text and with names that stand for the same: a cell that is run
// again leaves its types, and what there is of them, as they are. What begins behind own
// is its companions', which are declared anew.
func (e *Engine) unchanged(src string, pieces []cell.Piece, own int) []cell.Piece {
	type piece struct {
		names []string
		same  bool
	}
	list := make([]piece, len(pieces))
	declares, seen := map[string]bool{}, map[string]bool{} // the first: other than types that may stay
	for i, p := range pieces {
		if p.Kind != cell.Type && p.Kind != cell.Const {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+src[p.Start:p.End], parser.SkipObjectResolution)
		if err != nil {
			return pieces
		}
		for _, id := range declared(f) {
			list[i].names = append(list[i].names, id.Name)
		}
		list[i].same = p.Kind == cell.Type && p.Start < own && len(list[i].names) > 0 && e.stands(src[p.Start:p.End], list[i].names)
		for _, name := range list[i].names {
			declares[name] = declares[name] || !list[i].same || seen[name]
			seen[name] = true
		}
	}
	for again := true; again; {
		again = false
		for i := range list {
			if !list[i].same {
				continue
			}
			for _, name := range list[i].names {
				list[i].same = list[i].same && !declares[name]
			}
			for name := range e.sources[list[i].names[0]].uses {
				list[i].same = list[i].same && !declares[name]
			}
			if !list[i].same {
				again = true
				for _, name := range list[i].names {
					declares[name] = true
				}
			}
		}
	}
	var left []cell.Piece
	for i, p := range pieces {
		if !list[i].same {
			left = append(left, p)
		}
	}
	return left
}

// stands reports whether types were declared by the same text, and stand, none of them
// generic, and whether all names that it speaks of stand for what they did.
func (e *Engine) stands(text string, names []string) bool {
	for _, name := range names {
		s, sym := e.sources[name], e.names.get(name)
		if s == nil || sym == nil || s.text != text {
			return false
		}
		t, ok := sym.obj.(*types.TypeName)
		if !ok || s.stood[name] != sym {
			return false
		}
		if n, ok := t.Type().(*types.Named); ok && n.TypeParams().Len() > 0 {
			return false
		}
		for used := range s.uses {
			if e.typeSymbol(used) != s.stood[used] {
				return false
			}
		}
	}
	return true
}

// typeSymbol returns what a name in a type stands for: no variable or function, whose
// names fields have, too.
func (e *Engine) typeSymbol(name string) *symbol {
	s := e.names.get(name)
	if s == nil {
		return nil
	}
	switch s.obj.(type) {
	case *types.Var, *types.Func:
		return nil
	}
	return s
}

// remember keeps the sources of a cell's declarations, once they exist.
func (e *Engine) remember(src string) {
	for _, p := range cell.Split(src) {
		if p.Kind != cell.Type && p.Kind != cell.Func {
			continue
		}
		text := src[p.Start:p.End]
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+text, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, id := range declared(f) {
			if old := e.sources[id.Name]; old != nil && p.Kind == cell.Type && old.text == text && old.stood[id.Name] == e.names.get(id.Name) {
				continue // it was left as it is
			}
			s := &source{text: text, uses: words(text, id.Name), stood: map[string]*symbol{id.Name: e.names.get(id.Name)}}
			for name := range s.uses {
				s.stood[name] = e.typeSymbol(name)
			}
			e.sources[id.Name] = s
			for name := range s.uses {
				if e.usedBy[name] == nil {
					e.usedBy[name] = map[string]bool{}
				}
				e.usedBy[name][id.Name] = true
			}
		}
	}
	for _, p := range cell.Split(src) {
		if p.Kind != cell.Func {
			continue
		}
		text := src[p.Start:p.End]
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+text, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		base := receiverBase(f)
		s := e.sources[base]
		if s == nil {
			continue
		}
		s.methods = slices.DeleteFunc(s.methods, func(m string) bool {
			old, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+m, parser.SkipObjectResolution)
			return err == nil && methodOf(old) == methodOf(f)
		})
		s.methods = append(s.methods, text)
		for name := range words(text, base) {
			s.uses[name] = true
			if e.usedBy[name] == nil {
				e.usedBy[name] = map[string]bool{}
			}
			e.usedBy[name][base] = true
		}
	}
}

// words returns the identifiers in a text but one.
func words(text, but string) map[string]bool {
	set := map[string]bool{}
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", -1, len(text)), []byte(text), func(token.Position, string) {}, 0)
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return set
		}
		if tok == token.IDENT && lit != but {
			set[lit] = true
		}
	}
}
