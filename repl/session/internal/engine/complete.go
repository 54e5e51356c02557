package engine

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vlab/repl/session/internal/cell"
)

// Complete returns what may stand at byte offset pos of code: start and end of what
// it replaces, and the choices, sorted.
func (e *Engine) Complete(code string, pos int) (start, end int, matches []string) {
	pos = min(max(pos, 0), len(code))
	if at, names, ok := completeCommand(code, pos); ok {
		return at, pos, names
	}
	if at, ok := inText(code, pos); ok {
		at, names := files(code[at:pos], pos)
		return at, pos, names
	}
	start = identStart(code, pos)
	prefix := code[start:pos]
	e.mu.Lock()
	defer e.mu.Unlock()
	table := e.namesBefore(code, start)
	var all []string
	if start > 0 && code[start-1] == '.' {
		all = e.members(table, operand(code[:start-1]))
	} else {
		all = visible(table)
	}
	for _, name := range all {
		if strings.HasPrefix(name, prefix) {
			matches = append(matches, name)
		}
	}
	slices.Sort(matches)
	return start, pos, slices.Compact(matches)
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

// visible returns all names that stand alone.
func visible(table *names) []string {
	list := types.Universe.Names()
	list = append(list, "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for",
		"func", "go", "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct",
		"switch", "type", "var")
	for s := range table.all() {
		list = append(list, s.name)
	}
	for name := range table.imports {
		list = append(list, name)
	}
	return list
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
func (e *Engine) members(table *names, expr string) []string {
	if path, ok := table.imports[expr]; ok {
		pkg, err := e.mirror.Import(path)
		if err != nil {
			return nil
		}
		var list []string
		for _, name := range pkg.Scope().Names() {
			if ast.IsExported(name) {
				list = append(list, name)
			}
		}
		return list
	}
	t := e.typeOf(table, expr)
	if t == nil {
		return nil
	}
	list := fieldNames(t, map[types.Type]bool{})
	set := types.NewMethodSet(t)
	if _, isPointer := t.Underlying().(*types.Pointer); !isPointer && !types.IsInterface(t) {
		set = types.NewMethodSet(types.NewPointer(t))
	}
	for i := range set.Len() {
		if f := set.At(i).Obj(); reachable(f) {
			list = append(list, f.Name())
		}
	}
	return list
}

// reachable reports whether a cell may speak of a field or method.
func reachable(obj types.Object) bool {
	return obj.Exported() || obj.Pkg() == nil || obj.Pkg().Path() == "main"
}

// fieldNames returns the fields of a structure, of what it points to, and of what
// it embeds.
func fieldNames(t types.Type, seen map[types.Type]bool) []string {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok || seen[t] {
		return nil
	}
	seen[t] = true
	var list []string
	for f := range s.Fields() {
		if reachable(f) {
			list = append(list, f.Name())
		}
		if f.Embedded() {
			list = append(list, fieldNames(f.Type(), seen)...)
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
