package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// switchInit writes a switch that begins with a statement as that statement and a switch
// without one, where the interpreter would compare with something else.
func (r *rewriter) switchInit(s *ast.SwitchStmt) {
	if s.Init == nil || s.Tag == nil {
		return
	}
	if _, name := s.Tag.(*ast.Ident); name {
		return
	}
	start, label, ok := r.choiceStart(s)
	if !ok {
		return
	}
	head := "{ " + r.apply(s.Init.Pos(), s.Init.End()) + "; " + label + "switch "
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Tag.Pos()), head)
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
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
