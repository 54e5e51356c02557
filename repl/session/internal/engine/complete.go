package engine

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/wire"
	"vlab/repl/session/symbols/comments"
)

// Complete returns what may stand at byte offset pos of code: start and end of what
// it replaces, and the choices, sorted.
func (e *Engine) Complete(code string, pos int) (start, end int, matches []wire.Match) {
	pos = min(max(pos, 0), len(code))
	if at, list, ok := completeCommand(code, pos); ok {
		return at, pos, list
	}
	if at, ok := inText(code, pos); ok {
		at, list := files(code[at:pos], pos)
		return at, pos, list
	}
	start = identStart(code, pos)
	prefix := code[start:pos]
	e.mu.Lock()
	defer e.mu.Unlock()
	table := e.namesBefore(code, start)
	var all []wire.Match
	if start > 0 && code[start-1] == '.' {
		all = e.members(table, operand(code[:start-1]))
	} else {
		all = e.visible(table)
	}
	for _, m := range all {
		if strings.HasPrefix(m.Text, prefix) {
			matches = append(matches, m)
		}
	}
	slices.SortStableFunc(matches, func(a, b wire.Match) int { return strings.Compare(a.Text, b.Text) })
	return start, pos, slices.CompactFunc(matches, func(a, b wire.Match) bool { return a.Text == b.Text })
}

func isIdentRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// identStart returns where the identifier that ends at pos begins.
func identStart(code string, pos int) int {
	for pos > 0 {
		r, n := utf8.DecodeLastRuneInString(code[:pos])
		if !isIdentRune(r) {
			return pos
		}
		pos -= n
	}
	return pos
}

// visible returns all names that stand alone, the session's own first.
func (e *Engine) visible(table *names) []wire.Match {
	var list []wire.Match
	for s := range table.all() {
		m := matchOf(s.obj, comments.Comment{})
		m.Text = s.name
		list = append(list, m)
	}
	for name, path := range table.imports {
		list = append(list, wire.Match{Text: name, Kind: "package", Type: path, Doc: firstSentence(e.comment(path, "").Text)})
	}
	for _, name := range types.Universe.Names() {
		list = append(list, matchOf(types.Universe.Lookup(name), comments.Comment{}))
	}
	for t := token.BREAK; t <= token.VAR; t++ {
		list = append(list, wire.Match{Text: t.String(), Kind: "keyword"})
	}
	return list
}

// matchOf describes an object as a choice.
func matchOf(obj types.Object, c comments.Comment) wire.Match {
	m := wire.Match{Text: obj.Name(), Doc: firstSentence(c.Text)}
	switch obj := obj.(type) {
	case *types.Var:
		m.Kind = "variable"
		if obj.IsField() {
			m.Kind = "field"
		}
	case *types.Func:
		m.Kind = "function"
		if obj.Signature().Recv() != nil {
			m.Kind = "method"
		}
	case *types.TypeName:
		return wire.Match{Text: m.Text, Kind: "type", Type: typeWord(obj.Type()), Doc: m.Doc}
	case *types.Builtin:
		return wire.Match{Text: m.Text, Kind: "function", Doc: m.Doc}
	case *types.Const:
		m.Kind = "constant"
	default:
		m.Kind = "constant" // nil
		return m
	}
	t := obj.Type()
	if sig, ok := t.(*types.Signature); ok && len(c.Params) == sig.Params().Len() {
		t = named(sig, c.Params)
	}
	m.Type = types.TypeString(t, shortPackage)
	return m
}

// typeWord says in a word what a type is.
func typeWord(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return "struct"
	case *types.Interface:
		return "interface"
	default:
		if t == u {
			return ""
		}
		return types.TypeString(u, shortPackage)
	}
}

// firstSentence returns the first sentence of a doc comment, in one line.
func firstSentence(doc string) string {
	line, _, _ := strings.Cut(doc, "\n\n")
	line = strings.Join(strings.Fields(line), " ")
	if at := strings.Index(line, ". "); at >= 0 {
		line = line[:at+1]
	}
	return line
}

// namesBefore returns the session's names with those that code defines in the
// pieces before an offset, as far as they pass the check.
func (e *Engine) namesBefore(code string, offset int) *names {
	c := &checker{src: code, names: e.names.over(), importer: e.mirror}
	var before []cell.Piece
	for _, p := range cell.Split(code) {
		if p.End < offset {
			before = append(before, p)
		}
	}
	for _, p := range before {
		if p.Kind == cell.Import {
			e.imports(c, []cell.Piece{p}) //nolint:errcheck // a broken import offers nothing
		}
	}
	if p, idents, err := c.declarations(before); err == nil {
		for _, id := range idents {
			if obj := p.info.Defs[id]; obj != nil {
				c.names.add(&symbol{name: id.Name, internal: id.Name, obj: obj})
			}
		}
	}
	for _, piece := range before {
		if piece.Kind != cell.Stmt && piece.Kind != cell.Var {
			continue
		}
		if p, err := c.statement(piece); err == nil {
			addDefined(c.names, p)
		}
	}
	return c.names
}

// addDefined adds the variables that a piece defines at its top.
func addDefined(table *names, p *part) {
	add := func(x ast.Expr) {
		id, ok := x.(*ast.Ident)
		if !ok {
			return
		}
		if obj := p.info.Defs[id]; obj != nil && id.Name != "_" {
			table.add(&symbol{name: id.Name, internal: id.Name, obj: newVar(id.Name, obj.Type())})
		}
	}
	for _, s := range p.body() {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, x := range s.Lhs {
				add(x)
			}
		case *ast.DeclStmt:
			d, _ := s.Decl.(*ast.GenDecl)
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for _, id := range v.Names {
						add(id)
					}
				}
			}
		}
	}
}

// operand returns the expression that ends text: names, dots, calls and indexes.
func operand(text string) string {
	i := len(text)
	for i > 0 {
		switch text[i-1] {
		case ')', ']':
			open := matching(text[:i])
			if open < 0 {
				return text[i:]
			}
			i = open
		case '.':
			i--
		default:
			start := identStart(text, i)
			if start == i {
				return text[i:]
			}
			i = start
			if i == 0 || text[i-1] != '.' {
				return text[i:]
			}
		}
	}
	return text
}

// matching returns the offset of the bracket that the last byte of text closes, -1
// for none.
func matching(text string) int {
	depth := 0
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// members returns the exported names of a package, or the fields and methods of an
// expression's type.
func (e *Engine) members(table *names, expr string) []wire.Match {
	var list []wire.Match
	if path, ok := table.imports[expr]; ok {
		pkg, err := e.mirror.Import(path)
		if err != nil {
			return nil
		}
		for _, name := range pkg.Scope().Names() {
			if ast.IsExported(name) {
				list = append(list, matchOf(pkg.Scope().Lookup(name), e.comment(path, name)))
			}
		}
		return list
	}
	t := e.typeOf(table, expr)
	if t == nil {
		return nil
	}
	for _, f := range fields(t, map[types.Type]bool{}) {
		list = append(list, matchOf(f, e.memberComment(t, f)))
	}
	set := types.NewMethodSet(t)
	if _, isPointer := t.Underlying().(*types.Pointer); !isPointer && !types.IsInterface(t) {
		set = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range set.Len() {
		if f := set.At(i).Obj(); reachable(f) {
			list = append(list, matchOf(f, e.memberComment(t, f)))
		}
	}
	return list
}

// reachable reports whether a cell may speak of a field or method.
func reachable(obj types.Object) bool {
	return obj.Exported() || obj.Pkg() == nil || obj.Pkg().Path() == "main"
}

// fields returns the fields of a structure, of what it points to, and of what it
// embeds.
func fields(t types.Type, seen map[types.Type]bool) []*types.Var {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || seen[t] {
		return nil
	}
	seen[t] = true
	var list []*types.Var
	for f := range s.Fields() {
		if reachable(f) {
			list = append(list, f)
		}
		if f.Embedded() {
			list = append(list, fields(f.Type(), seen)...)
		}
	}
	return list
}

// typeOf returns the type of an expression's value, nil where it has none.
func (e *Engine) typeOf(table *names, expr string) types.Type {
	if expr == "" {
		return nil
	}
	c := &checker{src: expr, names: table, importer: e.mirror}
	p, err := c.statement(cell.Piece{Kind: cell.Stmt, Start: 0, End: len(expr)})
	if err != nil || len(p.body()) != 1 {
		return nil
	}
	s, ok := p.body()[0].(*ast.ExprStmt)
	if !ok {
		return nil
	}
	results := resultTypes(p.info.Types[s.X])
	if len(results) == 0 {
		return nil
	}
	return results[0] // for a (T, error), the T that `x := f()` would take
}
