package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// switchOver writes a switch that begins with a statement as that statement and a switch
// without one, where the interpreter would compare with something else, and the lists of
// its cases that the interpreter would test the first of alone.
func (r *rewriter) switchOver(s *ast.SwitchStmt) {
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

// selection writes a select whose cases assign, send what is no variable, or leave what is
// around it by a label, as one that notes which case it was, and a switch over that with the bodies: the
// interpreter loses all that in a select.
func (r *rewriter) selection(s *ast.SelectStmt) {
	start, label, ok := r.choiceStart(s)
	if !ok || !r.losesInSelect(s) {
		return
	}
	which := r.made("vlabW")
	vars, cases := which+" := -1; ", ""
	heads := make([]string, len(s.Body.List))
	for i, c := range s.Body.List {
		clause, ok := c.(*ast.CommClause)
		if !ok {
			return
		}
		note := fmt.Sprintf("%s = %d; ", which, i)
		if clause.Comm == nil {
			cases += "default: " + note
			heads[i] = fmt.Sprintf("case %d: ", i)
			continue
		}
		text := r.apply(clause.Comm.Pos(), clause.Comm.End())
		taken := ""
		if a, ok := clause.Comm.(*ast.SendStmt); ok {
			c, ok1 := under[*types.Chan](r.bound.apply(r.p.info.Types[a.Chan].Type))
			if !ok1 {
				return
			}
			typ, ok := r.types.write(c.Elem())
			if !ok {
				return
			}
			sent := r.made("vlabS")
			vars += "var " + sent + " " + typ + " = " + r.apply(a.Value.Pos(), a.Value.End()) + "; "
			text = r.apply(a.Chan.Pos(), a.Chan.End()) + " <- " + sent
		}
		if a, ok := clause.Comm.(*ast.AssignStmt); ok {
			typ, ok := r.types.write(r.received(a))
			if !ok {
				return
			}
			names := []string{r.made("vlabV"), r.made("vlabO")}[:len(a.Lhs)]
			given, targets := make([]string, len(names)), make([]string, len(names))
			for k, x := range a.Lhs {
				given[k], targets[k] = names[k]+"x", r.apply(x.Pos(), x.End())
			}
			vars += "var " + names[0] + " " + typ + "; "
			if len(names) > 1 {
				vars += "var " + names[1] + " bool; "
			}
			text = strings.Join(given, ", ") + " := " + r.apply(a.Rhs[0].Pos(), a.Rhs[0].End())
			for k, x := range a.Lhs {
				note += names[k] + " = " + given[k] + "; "
				if isBlank(x) {
					continue
				}
				taken += targets[k] + " " + a.Tok.String() + " " + names[k] + "; "
				if a.Tok == token.DEFINE {
					taken += "_ = " + targets[k] + "; "
				}
			}
		}
		cases += "case " + text + ": " + note
		heads[i] = fmt.Sprintf("case %d: %s", i, taken)
	}
	for i, c := range s.Body.List {
		if clause, ok := c.(*ast.CommClause); ok {
			r.edits.Replace(r.p.offset(clause.Case), r.p.offset(clause.Colon)+1, heads[i])
		}
	}
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Body.Lbrace), "{ "+vars+"select { "+cases+"}; "+label+"switch "+which+" ")
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
}

// received returns the type of what an assignment receives.
func (r *rewriter) received(a *ast.AssignStmt) types.Type {
	x, ok := ast.Unparen(a.Rhs[0]).(*ast.UnaryExpr)
	if !ok {
		return nil
	}
	c, ok := under[*types.Chan](r.bound.apply(r.p.info.Types[x.X].Type))
	if !ok {
		return nil
	}
	return c.Elem()
}

// losesInSelect reports whether a select has what the interpreter loses.
func (r *rewriter) losesInSelect(s *ast.SelectStmt) bool {
	inside, lost := map[string]bool{}, false
	ast.Inspect(s.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.LabeledStmt:
			inside[n.Label.Name] = true
		case *ast.BranchStmt:
			lost = lost || n.Label != nil && n.Tok != token.GOTO && !inside[n.Label.Name]
		case *ast.CommClause:
			switch a := n.Comm.(type) {
			case *ast.AssignStmt:
				lost = lost || a.Tok == token.ASSIGN
				for _, x := range a.Lhs {
					if id, ok := x.(*ast.Ident); ok && r.p.info.Defs[id] != nil {
						lost = lost || r.kept(r.p.info.Defs[id], &ast.BlockStmt{List: n.Body})
					}
				}
			case *ast.SendStmt:
				c, ok := under[*types.Chan](r.bound.apply(r.p.info.Types[a.Chan].Type))
				_, isName := a.Value.(*ast.Ident)
				lost = lost || !isName || ok && types.IsInterface(c.Elem())
			}
		}
		return true
	})
	return lost
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
// the interpreter takes for int.
func (r *rewriter) shiftedConstant(x *ast.BinaryExpr) {
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
