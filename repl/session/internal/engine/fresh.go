package engine

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// fresh writes the call of a go or defer statement in a loop: in a function literal of
// no parameters, made by a function that takes what is called and its arguments as
// they are in this round. It reports false where the types can't be written.
func (r *rewriter) fresh(s spawn) (string, bool) {
	var params, values []string
	hand := func(t types.Type, value string) (name string, ok bool) {
		typ, ok := r.types.write(r.bound.apply(t))
		name = r.made("vlabA")
		params, values = append(params, name+" "+typ), append(values, value)
		return name, ok
	}
	text := func(x ast.Expr) string { return r.apply(x.Pos(), x.End()) }
	fun, ok := r.freshCallee(s.call, hand)
	if !ok {
		return "", false
	}
	sig, ok := under[*types.Signature](r.bound.apply(r.p.info.Types[s.call.Fun].Type))
	args := make([]string, len(s.call.Args))
	for i, a := range s.call.Args {
		tv := r.p.info.Types[a]
		args[i] = text(a)
		if tv.Value != nil || tv.IsNil() || !tv.IsValue() {
			continue
		}
		if _, many := tv.Type.(*types.Tuple); many {
			return "", false
		}
		t := types.Default(tv.Type)
		if ok {
			if of := parameter(sig, i, s.call.Ellipsis.IsValid()); of != nil {
				t = of
			}
		}
		name, written := hand(t, args[i])
		if !written {
			return "", false
		}
		args[i] = name
	}
	list := strings.Join(args, ", ")
	if s.call.Ellipsis.IsValid() {
		list += "..."
	}
	return fmt.Sprintf("func(%s) func() { return func() { %s%s(%s) } }(%s)", strings.Join(params, ", "), s.open, fun, list, strings.Join(values, ", ")), true
}

// freshCallee returns how the literal calls what s calls: a function of its own name, a
// method of a receiver that is handed on, or a function value that is.
func (r *rewriter) freshCallee(call *ast.CallExpr, hand func(t types.Type, value string) (string, bool)) (string, bool) {
	fun := ast.Unparen(call.Fun)
	text := r.apply(fun.Pos(), fun.End())
	tv := r.p.info.Types[call.Fun]
	if tv.IsBuiltin() || tv.IsType() {
		return text, true
	}
	switch f := fun.(type) {
	case *ast.Ident:
		if _, static := r.p.info.Uses[f].(*types.Func); static {
			return text, true
		}
	case *ast.SelectorExpr:
		sel := r.p.info.Selections[f]
		if sel == nil {
			if _, static := r.p.info.Uses[f.Sel].(*types.Func); static {
				return text, true
			}
			break
		}
		if sel.Kind() != types.MethodVal {
			break
		}
		t, by, ok := r.receiver(f, sel)
		if !ok {
			return "", false
		}
		name, ok := hand(t, by+r.apply(f.X.Pos(), f.X.End()))
		return name + "." + f.Sel.Name, ok
	}
	return hand(tv.Type, text)
}

// ofValue reports whether a call is of a method of a value, which is to be as it is now.
func (r *rewriter) ofValue(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || r.p.info.Selections[sel] == nil || r.p.info.Selections[sel].Kind() != types.MethodVal {
		return false
	}
	f, ok := r.p.info.Selections[sel].Obj().(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "main" {
		return false
	}
	_, pointer := under[*types.Pointer](f.Signature().Recv().Type())
	return !pointer
}

// outerLoop returns the outermost loop around the node being visited within its
// function, nil outside of one.
func (r *rewriter) outerLoop() *surrounding {
	var loop *surrounding
	for i := len(r.around) - 1; i >= 0; i-- {
		if r.around[i].results != nil {
			return loop
		}
		switch r.around[i].node.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			loop = r.around[i]
		}
	}
	return nil
}

// loopDefers writes what the loop that is being left defers, where it is the outermost
// of its function: into a list, which a function deferred before the loop runs. The
// interpreter's own defer takes what it calls at the end, as the last round has it. It
// is left alone where one of the calls asks for a panic, or is of a function value,
// which the interpreter can't call twice from there.
func (r *rewriter) loopDefers() {
	loop := r.around[len(r.around)-1]
	if len(loop.deferred) == 0 {
		return
	}
	for _, d := range loop.deferred {
		switch f := ast.Unparen(d.Call.Fun).(type) {
		case *ast.FuncLit:
			if len(r.kepts[f]) == 0 || r.recovers(f) {
				return
			}
		case *ast.SelectorExpr:
			if sel := r.p.info.Selections[f]; sel != nil && sel.Kind() != types.MethodVal {
				return
			}
		case *ast.Ident:
			if !r.neverRecovers(f) {
				return
			}
		default:
			return
		}
	}
	list, start := r.made("vlabD"), loop.node.Pos()
	if stmt, ok := loop.node.(ast.Stmt); ok && r.labels[stmt] != nil {
		start = r.labels[stmt].Pos()
	}
	r.edits.Insert(r.p.offset(start), "var "+list+" []func(); defer func() { vlabRT.Run("+list+") }(); ")
	for _, d := range loop.deferred {
		r.calls = append(r.calls, spawn{stmt: d, call: d.Call, head: list + " = append(" + list + ", ", tail: ")", loop: true})
	}
}

// keepOfRound lets a function literal that is deferred in a loop have the variables that
// the loop's body declares as this round has them, where nothing assigns to them.
func (r *rewriter) keepOfRound(fun ast.Expr, body *ast.BlockStmt) {
	lit, ok := ast.Unparen(fun).(*ast.FuncLit)
	if !ok || r.recovers(lit) {
		return
	}
	seen := map[types.Object]bool{}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := r.p.info.Uses[id].(*types.Var)
		if !ok || seen[v] || v.IsField() || v.Pos() < body.Pos() || v.Pos() >= lit.Pos() || r.assigned(v, body) || r.assignedWithin(v, body) {
			return true
		}
		seen[v] = true
		if typ, ok := r.types.write(r.bound.apply(v.Type())); ok {
			r.kepts[lit] = append(r.kepts[lit], keptVar{v.Name(), typ})
		}
		return true
	})
}

// neverRecovers reports whether a name is a builtin's, or of a function of cells whose
// text doesn't speak of recover.
func (r *rewriter) neverRecovers(id *ast.Ident) bool {
	switch r.p.info.Uses[id].(type) {
	case *types.Builtin:
		return true
	case *types.Func:
		src := r.e.sources[id.Name]
		return !strings.Contains(r.p.src, "recover") && (src == nil || !strings.Contains(src.text, "recover"))
	}
	return false
}

// deferNow writes the arguments of a deferred call, and a function variable that is
// called, as they are at the defer: the interpreter looks when it makes the call.
func (r *rewriter) deferNow(call *ast.CallExpr) {
	for _, a := range call.Args {
		tv := r.p.info.Types[a]
		if tv.Value == nil && !tv.IsNil() && tv.IsValue() {
			r.asNow(a, r.bound.apply(tv.Type))
		}
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return
	}
	if v, ok := r.p.info.Uses[id].(*types.Var); ok && r.syms[v] == nil {
		for _, s := range slices.Backward(r.around) {
			if body := bodyOf(s.node); body != nil {
				if r.assigned(v, body) {
					r.asNow(id, r.bound.apply(v.Type()))
				}
				return
			}
		}
	}
}

// asNow writes a variable, or a part of one, as a copy of its value.
func (r *rewriter) asNow(x ast.Expr, t types.Type) {
	switch ast.Unparen(x).(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.StarExpr:
	default:
		return
	}
	if _, many := t.(*types.Tuple); many {
		return
	}
	if typ, ok := r.types.write(types.Default(t)); ok {
		r.edits.Insert(r.p.offset(x.Pos()), "func(vlabV "+typ+") "+typ+" { return vlabV }(")
		r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), ")")
	}
}

// bodyOf returns a function's body, nil for another node.
func bodyOf(n ast.Node) *ast.BlockStmt {
	switch f := n.(type) {
	case *ast.FuncDecl:
		return f.Body
	case *ast.FuncLit:
		return f.Body
	}
	return nil
}

// inLoop reports whether the node being visited is in a loop of its function, or of the
// cell's top.
func (r *rewriter) inLoop() bool {
	for i := len(r.around) - 1; i >= 0 && r.around[i].results == nil; i-- {
		switch r.around[i].node.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return true
		}
	}
	return false
}

// recovers reports whether a function literal asks for a panic, which it may only do
// where it stands.
func (r *rewriter) recovers(fun ast.Expr) bool {
	found := false
	if lit, ok := ast.Unparen(fun).(*ast.FuncLit); ok {
		ast.Inspect(lit.Body, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok {
				b, isBuiltin := r.p.info.Uses[id].(*types.Builtin)
				found = found || isBuiltin && b.Name() == "recover"
			}
			return !found
		})
	}
	return found
}
