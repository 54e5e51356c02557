package engine

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// switchOver writes a switch that begins with a statement as that statement and a switch
// without one, where the interpreter would compare with something else, and the lists of
// its cases that the interpreter would test the first of alone.
func (r *rewriter) switchOver(s *ast.SwitchStmt) {
	if fallsIntoDefault(s) {
		r.switchByNumber(s)
		return
	}
	lists := slices.ContainsFunc(s.Body.List, func(c ast.Stmt) bool {
		clause, ok := c.(*ast.CaseClause)
		return ok && r.losesInList(clause.List)
	})
	if s.Tag == nil {
		for _, c := range s.Body.List {
			if clause, ok := c.(*ast.CaseClause); ok && r.losesInList(clause.List) {
				r.caseList(clause, func(text string) string { return "(" + text + ")" })
			}
		}
		return
	}
	start, label, ok := r.choiceStart(s)
	if !ok || s.Init == nil && !lists {
		return
	}
	head := "{ "
	if s.Init != nil {
		head += r.apply(s.Init.Pos(), s.Init.End()) + "; "
	}
	tag := r.apply(s.Tag.Pos(), s.Tag.End())
	if lists {
		x, equals := r.made("vlabX"), "%s == (%s)"
		if types.IsInterface(r.bound.apply(r.p.info.Types[s.Tag].Type)) {
			equals = "vlabRT.Same(%s, %s)"
		}
		head += x + " := " + tag + "; "
		tag = ""
		for _, c := range s.Body.List {
			if clause, ok := c.(*ast.CaseClause); ok && len(clause.List) > 0 {
				r.caseList(clause, func(text string) string { return fmt.Sprintf(equals, x, text) })
			}
		}
	}
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Body.Lbrace), head+label+"switch "+tag+" ")
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
}

// fallsIntoDefault reports whether a switch has both a default and a fallthrough: the
// interpreter takes the default for the last case, wherever it stands.
func fallsIntoDefault(s *ast.SwitchStmt) bool {
	hasDefault, falls := false, false
	for _, c := range s.Body.List {
		clause, ok := c.(*ast.CaseClause)
		if !ok {
			continue
		}
		hasDefault = hasDefault || clause.List == nil
		if n := len(clause.Body); n > 0 {
			b, ok := clause.Body[n-1].(*ast.BranchStmt)
			falls = falls || ok && b.Tok == token.FALLTHROUGH
		}
	}
	return hasDefault && falls
}

// switchByNumber writes a switch as tests that find the case's number, and a switch over
// that.
func (r *rewriter) switchByNumber(s *ast.SwitchStmt) {
	start, label, ok := r.choiceStart(s)
	if !ok {
		return
	}
	head, which, equals := "{ ", r.made("vlabW"), "(%s)"
	if s.Init != nil {
		head += r.apply(s.Init.Pos(), s.Init.End()) + "; "
	}
	if s.Tag != nil {
		x := r.made("vlabX")
		head += x + " := " + r.apply(s.Tag.Pos(), s.Tag.End()) + "; "
		equals = x + " == (%s)"
		if types.IsInterface(r.bound.apply(r.p.info.Types[s.Tag].Type)) {
			equals = "vlabRT.Same(" + x + ", %s)"
		}
	}
	chain := ""
	for i, c := range s.Body.List {
		clause, ok := c.(*ast.CaseClause)
		if !ok {
			return
		}
		r.edits.Replace(r.p.offset(clause.Case), r.p.offset(clause.Colon)+1, fmt.Sprintf("case %d: ", i))
		if clause.List == nil {
			head += fmt.Sprintf("%s := %d; ", which, i)
			continue
		}
		tests := make([]string, len(clause.List))
		for k, x := range clause.List {
			tests[k] = fmt.Sprintf(equals, r.apply(x.Pos(), x.End()))
		}
		if chain != "" {
			chain += " else "
		}
		chain += fmt.Sprintf("if %s { %s = %d }", strings.Join(tests, " || "), which, i)
	}
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Body.Lbrace), head+chain+"; "+label+"switch "+which+" ")
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
}

// losesInList reports whether the interpreter would test the first of a case's
// expressions alone.
func (r *rewriter) losesInList(list []ast.Expr) bool {
	return len(list) > 1 && slices.ContainsFunc(list, func(x ast.Expr) bool {
		_, name := ast.Unparen(x).(*ast.Ident)
		return !name && !r.fixed(x)
	})
}

// caseList writes the expressions of a case as one.
func (r *rewriter) caseList(clause *ast.CaseClause, write func(text string) string) {
	tests := make([]string, len(clause.List))
	for i, x := range clause.List {
		tests[i] = write(r.apply(x.Pos(), x.End()))
	}
	r.edits.Replace(r.p.offset(clause.List[0].Pos()), r.p.offset(clause.List[len(tests)-1].End()), strings.Join(tests, " || "))
}

// ifInit writes an if that begins with an assignment of several values, which the
// interpreter makes wrongly there, as the assignment and an if.
func (r *rewriter) ifInit(s *ast.IfStmt) {
	if !r.hoistsInit(s.Init) {
		return
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.Cond.Pos()), "{ "+r.apply(s.Init.Pos(), s.Init.End())+"; if ")
	r.edits.Insert(r.p.offset(s.End()), " }")
}

// hoistsInit reports whether ifInit takes an assignment out.
func (r *rewriter) hoistsInit(s ast.Stmt) bool {
	a, ok := s.(*ast.AssignStmt)
	return ok && len(a.Lhs) > 1 && len(a.Lhs) == len(a.Rhs) && r.mixed(a.Rhs)
}

// ifVars gives function literals in an if the variables that it defines, in a loop, as
// this round has them.
func (r *rewriter) ifVars(s *ast.IfStmt) {
	a, ok := s.Init.(*ast.AssignStmt)
	if !ok || a.Tok != token.DEFINE || !r.inLoop() {
		return
	}
	open := ""
	for _, x := range a.Lhs {
		id, ok := x.(*ast.Ident)
		if !ok {
			continue
		}
		if obj := r.p.info.Defs[id]; obj != nil && r.kept(obj, s.Body) && !r.assigned(obj, s.Body) {
			open += id.Name + " := " + id.Name + "; "
			r.keep(obj, s.Body)
		}
	}
	r.edits.Insert(r.p.offset(s.Body.Lbrace)+1, r.inBraces(s.Body, open))
}

// inBraces returns what a block begins with so that it may declare names of its own
// behind it, and closes them.
func (r *rewriter) inBraces(b *ast.BlockStmt, open string) string {
	for _, s := range b.List {
		a, ok := s.(*ast.AssignStmt)
		if !ok || a.Tok != token.DEFINE {
			continue
		}
		for _, x := range a.Lhs {
			if id, ok := x.(*ast.Ident); ok && strings.Contains("; "+open, "; "+id.Name+" :=") {
				r.edits.Insert(r.p.offset(b.Rbrace), " }")
				return open + "{ "
			}
		}
	}
	return open
}

// choiceStart returns where a switch or select begins, with its label, which is to stand
// directly before what takes its place; ok is false where it can't become several
// statements.
func (r *rewriter) choiceStart(s ast.Stmt) (start token.Pos, label string, ok bool) {
	if l := r.labels[s]; l != nil {
		return l.Pos(), l.Label.Name + ": ", true
	}
	return s.Pos(), "", r.listed[s]
}

// selection writes a select as a call that waits and tells which case it was, and a
// switch over that with the bodies. The interpreter's own keeps its channels where all
// goroutines that come to the statement do, and loses assignments, labels and values
// that are sent.
func (r *rewriter) selection(s *ast.SelectStmt) {
	start, label, ok := r.choiceStart(s)
	if !ok || len(s.Body.List) == 0 {
		return
	}
	which, open := r.made("vlabW"), r.made("vlabO")
	vars, cases, never := "", "", true
	heads := make([]string, len(s.Body.List))
	for i, c := range s.Body.List {
		clause, ok := c.(*ast.CommClause)
		if !ok {
			return
		}
		if clause.Comm == nil {
			never, heads[i] = false, "case -1: "
			continue
		}
		heads[i] = fmt.Sprintf("case %d: ", strings.Count(cases, "vlabRT."))
		channel, value := r.comm(clause.Comm)
		if channel == nil {
			return
		}
		c, isChan := under[*types.Chan](r.bound.apply(r.p.info.Types[channel].Type))
		if !isChan {
			return
		}
		typ, ok := r.types.write(c.Elem())
		if !ok {
			return
		}
		v, ch := r.made("vlabV"), r.apply(channel.Pos(), channel.End())
		vars += "var " + v + " " + typ
		if value != nil {
			vars += " = " + r.apply(value.Pos(), value.End())
			cases += ", vlabRT.Send(" + ch + ", &" + v + ")"
		} else {
			cases += ", vlabRT.Receive(" + ch + ", &" + v + ")"
		}
		vars += "; "
		if a, ok := clause.Comm.(*ast.AssignStmt); ok {
			heads[i] += r.taken(a, v, open)
		}
	}
	for i, c := range s.Body.List {
		if clause, ok := c.(*ast.CommClause); ok {
			r.edits.Replace(r.p.offset(clause.Case), r.p.offset(clause.Colon)+1, heads[i])
		}
	}
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Body.Lbrace), fmt.Sprintf("{ %s%s, %s := vlabRT.Select(%t%s); _ = %s; %sswitch %s ", vars, which, open, never, cases, open, label, which))
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
}

// comm returns the channel of a case, and the value where it sends one.
func (r *rewriter) comm(s ast.Stmt) (channel, value ast.Expr) {
	var x ast.Expr
	switch s := s.(type) {
	case *ast.SendStmt:
		return s.Chan, s.Value
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		x = s.Rhs[0]
	}
	if u, ok := ast.Unparen(x).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
		return u.X, nil
	}
	return nil, nil
}

// taken writes the assignment of a case's value, and of whether the channel was open.
func (r *rewriter) taken(a *ast.AssignStmt, value, open string) string {
	text := ""
	for i, x := range a.Lhs {
		if isBlank(x) {
			continue
		}
		target, op := r.apply(x.Pos(), x.End()), " "+a.Tok.String()+" "
		if id, ok := x.(*ast.Ident); ok && a.Tok == token.DEFINE && r.p.info.Defs[id] == nil {
			op = " = "
		}
		text += target + op + []string{value, open}[i] + "; "
		if op == " := " {
			text += "_ = " + target + "; "
		}
	}
	return text
}

// selectCase makes a case of a select, which sends what pointer points to, or receives
// there.
func selectCase(dir reflect.SelectDir) func(ch, pointer any) selecting {
	return func(ch, pointer any) selecting {
		v := reflect.ValueOf(pointer).Elem()
		c := reflect.SelectCase{Dir: dir, Chan: reflect.ValueOf(ch)}
		if dir == reflect.SelectSend {
			c.Send = v
		}
		return selecting{c, v}
	}
}

// selecting is a case of a select that a cell is in.
type selecting struct {
	is reflect.SelectCase
	to reflect.Value
}

// choose is a select: it returns which of the cases it was, -1 for the default, and
// whether the channel that it has received from was open.
func (e *Engine) choose(waits bool, cases ...selecting) (which int, open bool) {
	list := make([]reflect.SelectCase, 0, len(cases)+1)
	for _, c := range cases {
		list = append(list, c.is)
	}
	if waits {
		list = append(list, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(e.current().interrupts())})
	} else {
		list = append(list, reflect.SelectCase{Dir: reflect.SelectDefault})
	}
	i, v, open := reflect.Select(list)
	switch {
	case i < len(cases):
		if cases[i].is.Dir == reflect.SelectRecv {
			cases[i].to.Set(v)
		}
		return i, open
	case waits:
		panic(halt{})
	}
	return -1, false
}

// zeroResults gives a function's named results their zero values when it begins: the
// interpreter leaves them as the last call from the same place had them.
func (r *rewriter) zeroResults(f *ast.FuncDecl) string {
	if f.Recv != nil || f.Type.Results == nil {
		return ""
	}
	text := ""
	for _, field := range f.Type.Results.List {
		for _, id := range field.Names {
			if id.Name == "_" {
				continue
			}
			typ, ok := r.types.write(r.bound.apply(r.p.info.Types[field.Type].Type))
			if !ok {
				continue
			}
			zero := r.made("vlabZ")
			text += "var " + zero + " " + typ + "; " + id.Name + " = " + zero + "; "
		}
	}
	return text
}

// shiftedConstant writes a constant that is shifted by a variable with its type, which
// the interpreter takes for int, and large constants by their values.
func (r *rewriter) shiftedConstant(x *ast.BinaryExpr) {
	if v := r.p.info.Types[x].Value; v != nil && v.Kind() == constant.Int {
		if _, fits := constant.Int64Val(v); !fits { // the interpreter computes with int64
			r.edits.Replace(r.p.offset(x.Pos()), r.p.offset(x.End()), "("+v.ExactString()+")")
		}
		return
	}
	if x.Op != token.SHL && x.Op != token.SHR || r.p.info.Types[x].Value != nil {
		return
	}
	left := r.p.info.Types[x.X]
	t := r.bound.apply(left.Type)
	if left.Value == nil || t == nil || types.Identical(t, types.Typ[types.Int]) {
		return
	}
	if text, ok := r.types.write(t); ok {
		r.edits.Insert(r.p.offset(x.X.Pos()), text+"(")
		r.edits.Close(r.p.offset(x.X.Pos()), r.p.offset(x.X.End()), ")")
	}
}
