package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// The interpreter's interfaces and method values refer to the variable that a value
// comes from, and see what it is given later. A value that goes through a function of
// its own is one that nothing else can change.

// into writes a value of an own type that becomes one of an interface.
func (r *rewriter) into(t types.Type, x ast.Expr) {
	t = r.bound.apply(t)
	i, ok := under[*types.Interface](t)
	of := r.bound.apply(r.p.info.Types[x].Type)
	if r.intoRecursive(t, of, x) {
		return
	}
	if r.unlike(t, of) {
		to, ok := r.types.write(t)
		open, end := "("+to+")(", ")"
		if s, _ := under[*types.Struct](t); s.NumFields() == 0 { // the marked one has a field in truth
			open, end = "func() "+to+" { _ = ", "; return "+to+"{} }()"
		}
		if ok {
			r.edits.Insert(r.p.offset(x.Pos()), open)
			r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), end)
		}
		return
	}
	if ok && isAny(t) && keptBare(of) {
		r.intoBare(x)
		return
	}
	if !ok || of == nil || types.IsInterface(of) || !r.isOwn(of) {
		return
	}
	from, ok1 := r.types.write(of)
	if ok1 && isAny(t) && r.wantsBox(of) {
		r.intoBox(of, from, x)
		return
	}
	if types.NewMethodSet(of).Len() == 0 {
		return
	}
	to, ok2 := r.types.write(t)
	if !ok1 || !ok2 || i.NumMethods() > 0 && strings.HasPrefix(to, "interface") {
		return
	}
	open := "func(vlabV " + from + ") " + to + " { return vlabV }("
	if isError(t) {
		// The interpreter's own error forgets which value it was made of.
		open = fmt.Sprintf("vlabRT.AsError(%d, ", r.e.shapeOf(of, from))
	}
	r.edits.Insert(r.p.offset(x.Pos()), open)
	r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), ")")
}

// unlike reports whether of two structure types one is declared by cells and the other
// has no name: Go takes a value of one for the other, which the mark of the declared
// one keeps the interpreter from.
func (r *rewriter) unlike(a, b types.Type) bool {
	_, ok1 := under[*types.Struct](a)
	_, ok2 := under[*types.Struct](b)
	return ok1 && ok2 && r.isOurs(a) != r.isOurs(b)
}

// intoAssigned converts what an assignment gives to variables of interfaces.
func (r *rewriter) intoAssigned(s *ast.AssignStmt) {
	if s.Tok != token.ASSIGN || len(s.Lhs) != len(s.Rhs) {
		return
	}
	for i, x := range s.Lhs {
		if t := r.p.info.Types[x].Type; t != nil && !isBlank(x) {
			r.into(t, s.Rhs[i])
		}
	}
}

// intoSpec converts the values of a var declaration.
func (r *rewriter) intoSpec(s *ast.ValueSpec) {
	if s.Type == nil || len(s.Names) != len(s.Values) {
		return
	}
	for _, v := range s.Values {
		r.into(r.p.info.Types[s.Type].Type, v)
	}
}

// intoSent converts what is sent.
func (r *rewriter) intoSent(s *ast.SendStmt) {
	if c, ok := under[*types.Chan](r.bound.apply(r.p.info.Types[s.Chan].Type)); ok {
		r.into(c.Elem(), s.Value)
	}
}

// enclosing returns the function around the node being visited, nil at
// the top of a cell.
func (r *rewriter) enclosing() *ast.FuncType {
	for i := len(r.around) - 1; i >= 0; i-- {
		if f := r.around[i].results; f != nil {
			return f
		}
	}
	return nil
}

// resultFields returns the type of each result of a function, and its name.
func resultFields(f *ast.FuncType) (list []ast.Expr, names []*ast.Ident) {
	if f == nil || f.Results == nil {
		return nil, nil
	}
	for _, field := range f.Results.List {
		for i := range max(1, len(field.Names)) {
			list = append(list, field.Type)
			if len(field.Names) > 0 {
				names = append(names, field.Names[i])
			}
		}
	}
	return list, names
}

// intoReturned converts what a function returns.
func (r *rewriter) intoReturned(s *ast.ReturnStmt) {
	list, _ := resultFields(r.enclosing())
	if len(list) != len(s.Results) {
		return
	}
	for i, x := range s.Results {
		if t := r.p.info.Types[list[i]].Type; t != nil {
			r.into(t, x)
		}
	}
}

// returnAtOnce writes a return of several values that speak of the function's results, or
// of calls among others: the interpreter would give the results their values one after
// the other.
func (r *rewriter) returnAtOnce(s *ast.ReturnStmt) {
	list, names := resultFields(r.enclosing())
	if len(s.Results) < 2 || len(list) != len(s.Results) || !r.listed[s] {
		return
	}
	if callbacks, _ := r.callbacks(); len(callbacks) > 0 {
		return
	}
	spoken := r.callsAmong(s.Results)
	for _, id := range names {
		for _, x := range s.Results {
			spoken = spoken || r.mentions(x, r.p.info.Defs[id])
		}
	}
	if !spoken {
		return
	}
	before, values := "", make([]string, len(list))
	for i, x := range s.Results {
		typ, ok := r.types.write(r.bound.apply(r.p.info.Types[list[i]].Type))
		if !ok {
			return
		}
		values[i] = r.made("vlabQ")
		before += "var " + values[i] + " " + typ + " = " + r.apply(x.Pos(), x.End()) + "; "
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.End()), "{ "+before+"return "+strings.Join(values, ", ")+" }")
}

// methodValue writes a method of a value, as f := x.M, with a value of its own.
func (r *rewriter) methodValue(x *ast.SelectorExpr) {
	sel := r.p.info.Selections[x]
	if sel == nil || sel.Kind() != types.MethodVal || r.callees[x] {
		return
	}
	t, by, ok := r.receiver(x, sel)
	if !ok {
		return
	}
	of, ok1 := r.types.write(t)
	typ, ok2 := r.types.write(r.bound.apply(sel.Type()))
	if !ok1 || !ok2 {
		return
	}
	r.edits.Insert(r.p.offset(x.Pos()), "func(vlabV "+of+") "+typ+" { return vlabV."+x.Sel.Name+" }("+by)
	r.edits.Replace(r.p.offset(x.X.End()), r.p.offset(x.End()), ")")
}

// receiver returns the type in which the receiver of a method value is handed on, and
// what to write before it: its address, where the method has a pointer.
func (r *rewriter) receiver(x *ast.SelectorExpr, sel *types.Selection) (t types.Type, by string, ok bool) {
	t = r.bound.apply(sel.Recv())
	f, ok := sel.Obj().(*types.Func)
	if !ok {
		return nil, "", false
	}
	_, given := under[*types.Pointer](t)
	_, wanted := under[*types.Pointer](f.Signature().Recv().Type())
	if p, ok := under[*types.Pointer](t); ok && !wanted && !types.IsInterface(p.Elem()) {
		return p.Elem(), "*", true // the value is taken now
	}
	if wanted && !given && !types.IsInterface(t) {
		if !r.p.info.Types[x.X].Addressable() {
			return nil, "", false
		}
		t, by = types.NewPointer(t), "&"
	}
	return t, by, true
}
