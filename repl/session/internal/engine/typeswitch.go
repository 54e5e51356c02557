package engine

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
)

// typeSwitch writes a type switch as assertions, one case after the other, and a
// switch over which of them was right. The interpreter's own compares names of types,
// and knows no interfaces that a cell or a package declares.
func (r *rewriter) typeSwitch(s *ast.TypeSwitchStmt) {
	if !r.listed[s] && r.labels[s] == nil {
		return
	}
	var x ast.Expr
	name := ""
	switch a := s.Assign.(type) {
	case *ast.AssignStmt:
		id, _ := a.Lhs[0].(*ast.Ident)
		name, x = id.Name, a.Rhs[0]
	case *ast.ExprStmt:
		x = a.X
	}
	assert, ok := ast.Unparen(x).(*ast.TypeAssertExpr)
	if !ok {
		return
	}
	k := r.e.next()
	v, which := fmt.Sprintf("vlabX%d", k), fmt.Sprintf("vlabK%d", k)
	head := "{ "
	if s.Init != nil {
		head += r.apply(s.Init.Pos(), s.Init.End()) + "; "
	}
	typ, ok := r.types.write(r.bound.apply(r.p.info.Types[assert.X].Type))
	if !ok {
		return
	}
	i, _ := under[*types.Interface](r.bound.apply(r.p.info.Types[assert.X].Type))
	empty := i != nil && i.NumMethods() == 0
	kind, source := r.made("vlabKind"), r.bound.apply(r.p.info.Types[assert.X].Type)
	given := v // compiled code is handed what an interface with methods holds
	if !empty {
		given = "[]" + typ + "{" + v + "}"
	}
	head += "var " + v + " " + typ + " = " + r.apply(assert.X.Pos(), assert.X.End()) + "; " + which + " := -1; "
	if slices.ContainsFunc(s.Body.List, func(c ast.Stmt) bool { return r.namesOwn(c) }) {
		head += kind + " := \"\"; if " + v + " != nil { " + kind + " = vlabRT.Kind(" + given + ") }; "
	}
	chain := ""
	for i, c := range s.Body.List {
		clause, ok := c.(*ast.CaseClause)
		if !ok {
			return
		}
		bound := v
		for _, t := range clause.List {
			test, value := r.isOf(switched{v, kind, given}, empty, t, source)
			if chain != "" {
				chain += " else "
			}
			chain += fmt.Sprintf("if %s { %s = %d }", test, which, i)
			if len(clause.List) == 1 {
				bound = value
			}
		}
		text := fmt.Sprintf("case %d: ", i)
		if clause.List == nil {
			text = "default: "
		}
		if name != "" && name != "_" {
			text += name + " := " + bound + "; _ = " + name + "; "
		}
		r.edits.Replace(r.p.offset(clause.Case), r.p.offset(clause.Colon)+1, text)
	}
	start, label := s.Pos(), ""
	if l := r.labels[s]; l != nil {
		start, label = l.Pos(), l.Label.Name+": "
	}
	r.edits.Replace(r.p.offset(start), r.p.offset(s.Body.Lbrace), head+chain+"; "+label+"switch "+which+" ")
	r.edits.Insert(r.p.offset(s.Body.Rbrace)+1, " }")
}

// switched are the names of a type switch's value, of what tells its type, and how the
// value is handed to compiled code.
type switched struct{ v, kind, given string }

// namesOwn reports whether a clause names a type of cells'.
func (r *rewriter) namesOwn(s ast.Stmt) bool {
	clause, ok := s.(*ast.CaseClause)
	return ok && slices.ContainsFunc(clause.List, func(x ast.Expr) bool {
		t := r.bound.apply(r.p.info.Types[x].Type)
		return t != nil && (r.isOwn(t) || r.wantsBox(t))
	})
}

// isOf writes the test of whether v, of the interface from, is of the type that t
// names, and what the value is then. What has gone through compiled code as an error comes back with something
// around it.
func (r *rewriter) isOf(x switched, empty bool, t ast.Expr, source types.Type) (test, value string) {
	v, tv := x.v, r.p.info.Types[t]
	if tv.IsNil() {
		return v + " == nil", v
	}
	text := r.apply(t.Pos(), t.End())
	if to := r.bound.apply(tv.Type); r.castable(to, source) {
		if asks, must, ok := r.castTo(to, source); ok {
			return fmt.Sprintf("_, ok := %s(%s); ok", asks, v), must + "(" + v + ")"
		}
	}
	if to := r.bound.apply(tv.Type); r.isOwn(to) || r.wantsBox(to) {
		if asks, _, ok := r.takenFrom(to, source); ok {
			of, _ := r.types.write(to)
			test = fmt.Sprintf("%s == %q", x.kind, of)
			return test + " || " + x.kind + " == \"\" && func() bool { _, ok := " + asks + "(" + v + "); return ok }()", "vlabRT.Bare(" + x.given + ").(" + of + ")"
		}
	}
	test, value = fmt.Sprintf("_, ok := %s.(%s); ok", v, text), v+".("+text+")"
	if empty {
		helper := r.made("vlab_as")
		r.out.decls = append(r.out.decls, fmt.Sprintf(
			"func %s(v any) (%s, bool) { var none %s; if v == nil { return none, false }; if x, ok := v.(%s); ok { return x, true }; return none, false }",
			helper, text, text, text))
		test = fmt.Sprintf("_, ok := %s(%s); ok", helper, v)
		value = fmt.Sprintf("func() %s { x, _ := %s(%s); return x }()", text, helper, v)
	}
	return test, value
}

// isOwn reports whether a type is one that cells declare, or a pointer to one, and no
// interface.
func (r *rewriter) isOwn(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main" && !types.IsInterface(n)
}
