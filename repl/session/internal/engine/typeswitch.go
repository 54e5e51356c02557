package engine

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
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
	head += "var " + v + " " + typ + " = " + r.apply(assert.X.Pos(), assert.X.End()) + "; " + which + " := -1; "
	chain := ""
	for i, c := range s.Body.List {
		clause, ok := c.(*ast.CaseClause)
		if !ok {
			return
		}
		bound := v
		for _, t := range clause.List {
			test, value := r.isOf(v, typ, empty, t)
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

// isOf writes the test of whether v, of the interface from, is of the type that t
// names, and what the value is then. What has gone through compiled code as an error comes back with something
// around it.
func (r *rewriter) isOf(v, from string, empty bool, t ast.Expr) (test, value string) {
	tv := r.p.info.Types[t]
	if tv.IsNil() {
		return v + " == nil", v
	}
	text := r.apply(t.Pos(), t.End())
	test, value = fmt.Sprintf("_, ok := %s.(%s); ok", v, text), v+".("+text+")"
	if own := r.isOwn(r.bound.apply(tv.Type)); own || empty {
		helper, typ, unwrapped := fmt.Sprintf("vlab_as%d", r.e.next()), "any", ""
		if !empty {
			typ = from
		}
		if own {
			unwrapped = "if x, ok := vlabRT.Plain(v).(" + text + "); ok { return x, true }; "
		}
		r.out.decls = append(r.out.decls, fmt.Sprintf(
			"func %s(v %s) (%s, bool) { var none %s; if v == nil { return none, false }; if x, ok := v.(%s); ok { return x, true }; %sreturn none, false }",
			helper, typ, text, text, text, unwrapped))
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

// passed wraps values of own types that are handed over as a package's interface,
// where the interpreter forgets to: in conversions, variadic arguments, results of
// calls, and elements of composite literals.
func (r *rewriter) passed(n ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		fun := r.p.info.Types[n.Fun]
		if fun.IsType() && len(n.Args) == 1 {
			r.as(fun.Type, n.Args[0])
			return
		}
		sig, ok := under[*types.Signature](r.bound.apply(fun.Type))
		if !ok || fun.IsBuiltin() {
			return
		}
		for i, a := range n.Args {
			if t := parameter(sig, i, n.Ellipsis.IsValid()); t != nil {
				r.as(t, a)
			}
		}
	case *ast.CompositeLit:
		r.elements(n)
	}
}

// parameter returns the type of the i-th argument's parameter.
func parameter(sig *types.Signature, i int, spread bool) types.Type {
	last := sig.Params().Len() - 1
	if sig.Variadic() && i >= last && !spread {
		s, ok := sig.Params().At(last).Type().(*types.Slice)
		if !ok {
			return nil
		}
		return s.Elem()
	}
	if i > last {
		return nil
	}
	return sig.Params().At(i).Type()
}

func under[T types.Type](t types.Type) (T, bool) {
	var zero T
	if t == nil {
		return zero, false
	}
	u, ok := t.Underlying().(T)
	return u, ok
}

// elements wraps the elements of a composite literal.
func (r *rewriter) elements(n *ast.CompositeLit) {
	t := r.bound.apply(r.p.info.Types[n].Type)
	if t == nil {
		return
	}
	for i, x := range n.Elts {
		value, key := x, ast.Expr(nil)
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			key, value = kv.Key, kv.Value
		}
		switch u := t.Underlying().(type) {
		case *types.Slice:
			r.as(u.Elem(), value)
		case *types.Array:
			r.as(u.Elem(), value)
		case *types.Map:
			r.as(u.Elem(), value)
		case *types.Struct:
			if id, ok := key.(*ast.Ident); ok {
				for f := range u.Fields() {
					if f.Name() == id.Name {
						r.as(f.Type(), value)
					}
				}
			} else if key == nil && i < u.NumFields() {
				r.as(u.Field(i).Type(), value)
			}
		}
	}
}

// as writes a value of an own type as one of a package's interface.
func (r *rewriter) as(t types.Type, x ast.Expr) {
	t = r.bound.apply(t)
	i, ok := under[*types.Interface](t)
	if !ok || i.NumMethods() == 0 || r.isOurs(t) || !r.isOwn(r.bound.apply(r.p.info.Types[x].Type)) {
		return
	}
	text, ok := r.types.write(t)
	if !ok || strings.HasPrefix(text, "interface") {
		return
	}
	r.edits.Insert(r.p.offset(x.Pos()), "func() "+text+" { var vlabV "+text+" = ")
	r.edits.Insert(r.p.offset(x.End()), "; return vlabV }()")
}

// isOurs reports whether a named type is of cells.
func (r *rewriter) isOurs(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main"
}
