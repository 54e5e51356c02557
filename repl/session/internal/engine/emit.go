package engine

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"vlab/repl/session/internal/cell"
)

// step is one text for the interpreter, and the symbols that exist once it has
// run.
type step struct {
	text   string
	piece  cell.Piece // where in the cell it comes from; empty for declarations
	makes  []*symbol
	values []any // what the cell gives without running anything

	declares []string // variables to declare before the cell runs
	inits    []string // functions init
	forwards []forward
}

// source puts a text together: the chunk's declarations, then the code.
func (c *chunk) source(code string) string {
	return "package main\n" + strings.Join(c.decls, "\n") + "\n" + code + "\n"
}

// emitStatement turns a checked piece into a step and adds the variables that it
// defines to the names. With last set, the value of an expression is shown.
func (e *Engine) emitStatement(num int, p *part, piece cell.Piece, n *names, last bool) (step, error) {
	r := e.newRewriter(p, num, true)
	s := step{piece: piece}
	list := p.body()
	if len(list) == 1 {
		switch stmt := list[0].(type) {
		case *ast.AssignStmt:
			if stmt.Tok == token.DEFINE {
				return r.definitions(s, n, []definition{{names: stmt.Lhs, values: stmt.Rhs}})
			}
		case *ast.DeclStmt:
			if d, ok := stmt.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
				return r.definitions(s, n, varLines(d))
			}
		case *ast.ExprStmt:
			return r.expression(s, stmt.X, last), nil
		}
	}
	if len(list) == 0 {
		return s, nil
	}
	s.text = r.out.source(r.wrap(piece, func() string {
		r.marks(list)
		for _, stmt := range list {
			r.rewriteIn(stmt)
		}
		return r.apply(list[0].Pos(), list[len(list)-1].End())
	}))
	return s, nil
}

// wrap makes the function that runs code.
func (r *rewriter) wrap(piece cell.Piece, code func() string) string {
	k := r.runner(piece.Start)
	r.at = append(r.at[:0], k)
	body := code()
	return "func init() { " + r.lineMark(k, piece.Start) + " " + body + "\n}"
}

// rewriteIn rewrites a node within the function that wrap has opened.
func (r *rewriter) rewriteIn(n ast.Node) { r.rewrite(n, r.at[0]) }

func (r *rewriter) apply(from, to token.Pos) string {
	return r.edits.Apply(r.p.src, r.p.offset(from), r.p.offset(to))
}

// definition is `names := values` or one line of a var declaration.
type definition struct {
	names  []ast.Expr
	typ    ast.Expr // nil: taken from the values
	values []ast.Expr
}

// definitions emits definitions in their order, as one function.
func (r *rewriter) definitions(s step, n *names, list []definition) (step, error) {
	var err error
	s.text = r.out.source(r.wrap(s.piece, func() string {
		code := r.markAt(s.piece.Start)
		for _, d := range list {
			var c string
			if c, err = r.definitionCode(&s, n, d); err != nil {
				return ""
			}
			code += c
		}
		return code
	}))
	return s, err
}

// varLines returns the definitions of a var declaration.
func varLines(d *ast.GenDecl) []definition {
	var list []definition
	for _, spec := range d.Specs {
		if v, ok := spec.(*ast.ValueSpec); ok {
			def := definition{typ: v.Type, values: v.Values}
			for _, id := range v.Names {
				def.names = append(def.names, id)
			}
			list = append(list, def)
		}
	}
	return list
}

// definitionCode returns the code that gives the variables of a definition their
// values; they are declared beforehand, with the cell's functions, which may
// speak of them. A variable that the session has already with the same type keeps
// its place, so that functions that use it see the new value.
func (r *rewriter) definitionCode(s *step, n *names, d definition) (code string, err error) {
	targets := make([]string, len(d.names))
	var makes []*symbol
	check := ""
	for i, x := range d.names {
		id, _ := x.(*ast.Ident)
		switch {
		case r.p.added(x):
			targets[i] = fmt.Sprintf("%s%d", spare, r.e.next())
			check = targets[i]
		case id == nil || id.Name == "_":
			targets[i] = "_"
		default:
			sym, err := r.target(s, n, id)
			if err != nil {
				return "", err
			}
			targets[i] = sym.internal
			makes = append(makes, sym)
		}
	}
	if d.typ != nil && len(d.names) == len(d.values) {
		for _, v := range d.values {
			r.into(r.p.info.Types[d.typ].Type, v)
		}
	}
	for _, v := range append([]ast.Expr{d.typ}, d.values...) {
		if v != nil {
			r.rewriteIn(v)
		}
	}
	for _, m := range makes {
		n.add(m)
		r.syms[m.obj] = m
	}
	s.makes = append(s.makes, makes...)
	return r.assign(d, targets, check), nil
}

// target decides where a defined variable lives, and declares it where it is new.
func (r *rewriter) target(s *step, n *names, id *ast.Ident) (*symbol, error) {
	typ := r.p.info.Defs[id].Type()
	old := n.get(id.Name)
	if old != nil && !old.hidden {
		if v, ok := old.obj.(*types.Var); ok && types.Identical(v.Type(), typ) {
			return old, nil
		}
	}
	text, ok := r.types.write(typ)
	if !ok {
		return nil, faultAt(fmt.Sprintf("%s has a type that a cell cannot name: %s", id.Name, typ), r.p.src, r.p.offset(id.Pos()))
	}
	sym := &symbol{name: id.Name, internal: r.e.internalName(id.Name), obj: newVar(id.Name, typ)}
	r.e.objects[sym.obj] = sym
	s.declares = append(s.declares, "var "+sym.internal+" "+text)
	return sym, nil
}

// assign writes the assignment of a definition, and the check of an error that it
// does not name. An error leaves the variables as they were.
func (r *rewriter) assign(d definition, targets []string, check string) string {
	right := make([]string, len(d.values))
	for i, v := range d.values {
		right[i] = r.apply(v.Pos(), v.End())
	}
	if len(right) > 1 && len(right) == len(targets) && r.mixed(d.values) {
		return r.oneByOne(d.values, right, targets, "=")
	}
	names, values := strings.Join(targets, ", "), strings.Join(right, ", ")
	if check != "" {
		return r.assignChecked(targets, values, check)
	}
	if len(right) > 0 {
		return names + " = " + values + "; "
	}
	if d.typ == nil {
		return ""
	}
	zero := fmt.Sprintf("vlabZero%d", r.e.next())
	code := "var " + zero + " " + r.apply(d.typ.Pos(), d.typ.End()) + "; "
	for _, t := range targets {
		code += t + " = " + zero + "; "
	}
	return code
}

// assignChecked takes a call's results in variables of its own, and hands them on
// only when the last, check, is nil.
func (r *rewriter) assignChecked(targets []string, call, check string) string {
	taken := make([]string, len(targets))
	after := "vlabRT.Check(" + check + "); "
	for i, t := range targets {
		taken[i] = t
		if t != check && t != "_" {
			taken[i] = fmt.Sprintf("vlabR%d", r.e.next())
			after += t + " = " + taken[i] + "; "
		}
	}
	return strings.Join(taken, ", ") + " := " + call + "; " + after
}

// expression emits an expression that stands as a statement: a call stops the
// cell when its last result is an error that is not nil, and the last value of a
// cell is shown.
func (r *rewriter) expression(s step, x ast.Expr, last bool) step {
	tv := r.p.info.Types[x]
	if tv.IsNil() {
		if last {
			s.values = []any{nil}
		}
		return s
	}
	if c, ok := plainConstant(tv); ok && last {
		s.values = []any{c}
		return s
	}
	s.text = r.out.source(r.wrap(s.piece, func() string {
		r.rewriteIn(x)
		return r.markAt(s.piece.Start) + r.expressionCode(x, tv, last)
	}))
	return s
}

// markAt lets the function around note an offset.
func (r *rewriter) markAt(offset int) string {
	return r.e.mark(r.at[0], offset)
}

// expressionCode runs an expression and uses its values.
func (r *rewriter) expressionCode(x ast.Expr, tv types.TypeAndValue, last bool) string {
	text := r.apply(x.Pos(), x.End())
	results := resultTypes(tv)
	if tv.IsVoid() || len(results) == 0 || r.printing(x) {
		return text
	}
	_, call := ast.Unparen(x).(*ast.CallExpr)
	fails := call && !r.e.goErrors && isError(results[len(results)-1]) && !r.called(x, "errors", "") && !r.called(x, "fmt", "Errorf")
	if !last && !fails {
		if call {
			return text
		}
		return "_ = " + text
	}
	vars := make([]string, len(results))
	for i := range results {
		vars[i] = fmt.Sprintf("vlabR%d", r.e.next())
	}
	code := strings.Join(vars, ", ") + " := " + text
	shown := vars
	if fails {
		shown = vars[:len(vars)-1]
		code += "; vlabRT.Check(" + vars[len(vars)-1] + ")"
	}
	if last && len(shown) > 0 {
		values := make([]string, len(shown))
		for i, v := range shown {
			values[i] = r.shaped(v, results[i])
		}
		code += "; vlabRT.Show(" + strings.Join(values, ", ") + ")"
		if len(shown) == 1 {
			code += r.methods(shown[0], results[0])
		}
		return code
	}
	for _, v := range shown {
		code += "; _ = " + v
	}
	return code
}

// resultTypes returns the types of an expression's values.
func resultTypes(tv types.TypeAndValue) []types.Type {
	if t, ok := tv.Type.(*types.Tuple); ok {
		list := make([]types.Type, t.Len())
		for i := range t.Len() {
			list[i] = t.At(i).Type()
		}
		return list
	}
	if tv.Type == nil {
		return nil
	}
	return []types.Type{tv.Type}
}

// printing reports whether a call prints: what fmt's functions return says
// nothing to a reader of the cell.
func (r *rewriter) printing(x ast.Expr) bool {
	return r.called(x, "fmt", "Print") || r.called(x, "fmt", "Fprint")
}

// called reports whether x calls a function of a package whose name begins with
// prefix.
func (r *rewriter) called(x ast.Expr, path, prefix string) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f := r.p.info.Uses[sel.Sel]
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == path && strings.HasPrefix(f.Name(), prefix)
}

// emitDeclarations turns types, constants, functions and the declarations of the
// cell's variables into one step.
func (e *Engine) emitDeclarations(num int, decls, bodies *part, idents []*ast.Ident, n *names, variables []string) step {
	out, s := &chunk{}, step{}
	var b, last strings.Builder
	for _, d := range decls.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok == token.IMPORT {
			continue
		}
		r := e.newRewriter(decls, num, false)
		r.out = out
		r.rewrite(g, -1)
		if text, ok := r.constants(g); ok {
			b.WriteString(text)
			continue
		}
		if g.Tok != token.TYPE {
			b.WriteString(r.apply(g.Pos(), g.End()) + "\n")
			continue
		}
		for _, s := range g.Specs {
			if spec, ok := s.(*ast.TypeSpec); ok && spec.TypeParams == nil {
				to := &b
				if _, name := ast.Unparen(spec.Type).(*ast.Ident); name {
					to = &last // the interpreter wants to know the type before
				}
				to.WriteString("type " + r.apply(spec.Pos(), spec.End()) + "\n")
				if obj := decls.info.Defs[spec.Name]; obj != nil && !spec.Assign.IsValid() && r.syms[obj] != nil && !isRecursiveFunc(obj.Type()) {
					to.WriteString(e.tell(r.syms[obj].internal, obj.Type()))
				}
			}
		}
	}
	b.WriteString(last.String())
	for _, v := range variables {
		b.WriteString(v + "\n")
	}
	r := e.newRewriter(bodies, num, false)
	r.out = out
	for _, d := range bodies.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && !bodies.isGeneric(f) {
			r.rewrite(f, -1)
			r.functionName(f, n)
			text, fw := r.forwards(f, n)
			if fw != nil {
				s.forwards = append(s.forwards, *fw)
			}
			b.WriteString(r.apply(f.Pos(), f.End()) + "\n" + text)
		}
	}
	s.inits = r.inits
	b.WriteString(e.retell())
	b.WriteString(e.writeInstances(out))
	s.text = out.source(b.String())
	for _, id := range idents {
		if sym := n.get(id.Name); sym != nil {
			s.makes = append(s.makes, sym)
		}
	}
	return s
}

// localConstants writes constants that a function declares by their values.
func (r *rewriter) localConstants(g *ast.GenDecl) {
	if len(r.at) == 0 || r.inner() < 0 {
		return
	}
	if text, ok := r.constants(g); ok {
		text = "const ( " + strings.ReplaceAll(strings.ReplaceAll(text, "const ", ""), "\n", "; ") + ")"
		lines := strings.Count(r.p.text(g.Pos(), g.End()), "\n")
		r.edits.Replace(r.p.offset(g.Pos()), r.p.offset(g.End()), text+strings.Repeat("\n", lines))
	}
}

// constants writes a declaration of constants by their values: the interpreter forgets
// the types of some, and where a line repeats the one before.
func (r *rewriter) constants(g *ast.GenDecl) (string, bool) {
	if g.Tok != token.CONST {
		return "", false
	}
	var b strings.Builder
	for _, s := range g.Specs {
		v, _ := s.(*ast.ValueSpec)
		for _, id := range v.Names {
			c, ok := r.p.info.Defs[id].(*types.Const)
			if !ok || id.Name == "_" {
				continue
			}
			name, typ := id.Name, ""
			if s := r.syms[c]; s != nil {
				name = s.internal
			}
			if basic, ok := c.Type().(*types.Basic); !ok || basic.Info()&types.IsUntyped == 0 {
				if typ, ok = r.types.write(c.Type()); !ok {
					return "", false
				}
			}
			fmt.Fprintf(&b, "const %s %s = %s\n", name, typ, constantText(c))
		}
	}
	return b.String(), true
}

// constantText writes a constant's value.
func constantText(c *types.Const) string {
	b, _ := c.Type().Underlying().(*types.Basic)
	if n, exact := constant.Int64Val(constant.ToInt(c.Val())); exact && b != nil && b.Kind() == types.UntypedRune {
		return strconv.QuoteRune(rune(n))
	}
	if c.Val().Kind() == constant.Float {
		f, _ := constant.Float64Val(c.Val())
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return c.Val().ExactString()
}

// functionName writes the interpreter's name of a function, whose own was taken
// away for the check.
func (r *rewriter) functionName(f *ast.FuncDecl, n *names) {
	if f.Name.Name != "_" { // init: it is called when the cell's variables have their values
		name := r.made("vlabInit")
		r.edits.Replace(r.p.offset(f.Name.Pos()), r.p.offset(f.Name.End()), name)
		r.e.places[r.placeOf(f)].name = "init"
		r.inits = append(r.inits, name)
		return
	}
	at := r.p.offset(f.Name.NamePos)
	name := identAt(r.p.src[at:])
	if f.Body == nil { // as notebooks list what a package has
		r.edits.Insert(r.p.offset(f.End()), fmt.Sprintf(" { panic(%q) }", name+" was declared without a body"))
	} else {
		r.e.places[r.placeOf(f)].name = name
	}
	if strings.HasSuffix(strings.TrimSpace(r.p.src[r.p.offset(f.Pos()):at]), ")") {
		return // a method keeps its name
	}
	if s := n.get(name); s != nil && s.internal != name {
		r.edits.Replace(at, at+len(name), s.internal)
	}
}

// placeOf returns the number of a function that was rewritten.
func (r *rewriter) placeOf(f *ast.FuncDecl) int {
	start := r.p.offset(f.Body.Lbrace) + 1
	for k := len(r.e.places) - 1; k >= 0; k-- {
		if r.e.places[k].cell == r.num && r.e.places[k].start == start {
			return k
		}
	}
	return len(r.e.places) - 1
}

// identAt returns the identifier at the start of text.
func identAt(text string) string {
	for i, ch := range text {
		if !isIdentRune(ch) {
			return text[:i]
		}
	}
	return text
}
