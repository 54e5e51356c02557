package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// The interpreter's interfaces and method values refer to the variable that a value
// comes from, and see what it is given later. A value that goes through a function of
// its own is one that nothing else can change.

// into writes a value that becomes one of type t.
func (r *rewriter) into(t types.Type, x ast.Expr) {
	if r.p.info.Types[x].IsNil() {
		return
	}
	open, end := r.wrapping(r.bound.apply(t), r.bound.apply(r.p.info.Types[x].Type))
	if open == "" && isAny(r.bound.apply(t)) && isTest(x) {
		open, end = "vlabRT.Any(", ")" // the interpreter writes the bool where the any is
	}
	if open != "" {
		r.edits.Insert(r.p.offset(x.Pos()), open)
		r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), end)
	}
}

// isList reports whether a type is a slice without a name.
func isList(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Slice)
	return ok
}

// isTest reports whether an expression is a comparison, or made of some.
func isTest(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.BinaryExpr:
		switch x.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
			return true
		}
	case *ast.UnaryExpr:
		return x.Op == token.NOT
	}
	return false
}

// wrapping returns what to write around a value of type of that becomes one of t, "" for
// nothing.
func (r *rewriter) wrapping(t, of types.Type) (open, end string) {
	i, ok := under[*types.Interface](t)
	switch {
	case t == nil || of == nil:
		return "", ""
	case isRecursiveFunc(t):
		return recursiveWrapping(of)
	case r.unlike(t, of):
		to, ok := r.types.write(t)
		if !ok {
			return "", ""
		}
		if s, _ := under[*types.Struct](t); s.NumFields() == 0 { // the marked one has a field in truth
			return "func() " + to + " { _ = ", "; return " + to + "{} }()"
		}
		return "(" + to + ")(", ")"
	case ok && isAny(t) && keptBare(of):
		return r.bareWrapping(of)
	case ok && isPackages(t) && keptBare(of) && r.isOurs(of) && !isError(of):
		if asks, _, ok := r.castTo(t, of); ok {
			return asks + "Or(", ")"
		}
		return "", ""
	case ok && isAny(t) && r.wantsBox(of):
		return r.bareWrapping(of)
	case ok && isAny(t) && isList(of):
		return "vlabRT.Any(", ")" // the interpreter takes it for the arguments themselves
	case !ok || types.IsInterface(of) || !r.isOwn(of):
		return "", ""
	}
	from, ok1 := r.types.write(of)
	to, ok2 := r.types.write(t)
	if types.NewMethodSet(of).Len() == 0 || !ok1 || !ok2 || i.NumMethods() > 0 && strings.HasPrefix(to, "interface") {
		return "", ""
	}
	if isError(t) {
		// The interpreter's own error forgets which value it was made of.
		return fmt.Sprintf("vlabRT.AsError(%d, ", r.e.shapeOf(of, from)), ")"
	}
	return "func(vlabV " + from + ") " + to + " { return vlabV }(", ")"
}

// wrappings returns what to write around each of several values that become others, and
// whether that is anything; a type that is nil stands for the value's own.
func (r *rewriter) wrappings(to []types.Type, of *types.Tuple) (around [][2]string, needed bool) {
	for i, t := range to {
		open, end := r.wrapping(r.bound.apply(t), r.bound.apply(of.At(i).Type()))
		around = append(around, [2]string{open, end})
		needed = needed || open != ""
	}
	return around, needed
}

// intoSeveral writes an assignment of what one expression gives to several variables,
// where one of them needs it.
func (r *rewriter) intoSeveral(s *ast.AssignStmt) {
	if !r.listed[s] || len(s.Lhs) < 2 || len(s.Rhs) != 1 || r.p.added(s.Lhs[len(s.Lhs)-1]) || s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		return
	}
	of, ok := r.p.info.Types[s.Rhs[0]].Type.(*types.Tuple)
	if !ok || of.Len() != len(s.Lhs) {
		return
	}
	to := make([]types.Type, len(s.Lhs))
	for i, x := range s.Lhs {
		id, name := x.(*ast.Ident)
		isNew := name && s.Tok == token.DEFINE && r.p.info.Defs[id] != nil
		if !isBlank(x) && !isNew {
			to[i] = r.p.info.Types[x].Type
			if to[i] == nil && name && r.p.info.Uses[id] != nil {
				to[i] = r.p.info.Uses[id].Type()
			}
		}
	}
	around, needed := r.wrappings(to, of)
	if !needed {
		return
	}
	taken, after := make([]string, len(to)), ""
	for i, x := range s.Lhs {
		if taken[i] = "_"; isBlank(x) {
			continue
		}
		taken[i] = r.made("vlabT")
		op := " = "
		if id, name := x.(*ast.Ident); name && s.Tok == token.DEFINE && r.p.info.Defs[id] != nil {
			op = " := "
		}
		after += "; " + r.apply(x.Pos(), x.End()) + op + around[i][0] + taken[i] + around[i][1]
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.End()), strings.Join(taken, ", ")+" := "+r.apply(s.Rhs[0].Pos(), s.Rhs[0].End())+after)
}

// returnSeveral writes a return of what one call gives, where a result needs it.
func (r *rewriter) returnSeveral(s *ast.ReturnStmt, list []ast.Expr) {
	of, ok := r.p.info.Types[s.Results[0]].Type.(*types.Tuple)
	if !ok || !r.listed[s] || of.Len() != len(list) {
		return
	}
	if callbacks, _ := r.callbacks(); len(callbacks) > 0 {
		return
	}
	to := make([]types.Type, len(list))
	for i, x := range list {
		to[i] = r.p.info.Types[x].Type
	}
	around, needed := r.wrappings(to, of)
	if !needed {
		return
	}
	taken, given := make([]string, len(to)), make([]string, len(to))
	for i := range to {
		taken[i] = r.made("vlabT")
		given[i] = around[i][0] + taken[i] + around[i][1]
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.End()), "{ "+strings.Join(taken, ", ")+" := "+
		r.apply(s.Results[0].Pos(), s.Results[0].End())+"; return "+strings.Join(given, ", ")+" }")
}

// passSeveral writes a call with what another gives, where a parameter needs it.
func (r *rewriter) passSeveral(call *ast.CallExpr, sig *types.Signature) {
	of, ok := r.p.info.Types[call.Args[0]].Type.(*types.Tuple)
	if !ok {
		return
	}
	to := make([]types.Type, of.Len())
	for i := range to {
		to[i] = parameter(sig, i, false)
	}
	around, needed := r.wrappings(to, of)
	if from, prints := r.wantsShape(call); prints && from == 0 {
		for i := range around {
			if t := r.bound.apply(of.At(i).Type()); hasOwn(t, map[types.Type]bool{}) {
				around[i][0], around[i][1] = r.brackets(t)
				needed = true
			}
		}
	}
	params, args, ok1 := r.types.arguments(types.NewSignatureType(nil, nil, nil, of, nil, false))
	results, ok2 := r.types.results(sig)
	if !needed || !ok1 || !ok2 {
		return
	}
	names := strings.Split(args, ", ")
	for i := range names {
		names[i] = around[i][0] + names[i] + around[i][1]
	}
	do := ""
	if sig.Results().Len() > 0 {
		do = "return "
	}
	r.edits.Insert(r.p.offset(call.Pos()), "func("+params+")"+results+" { "+do)
	r.edits.Replace(r.p.offset(call.Fun.End()), r.p.offset(call.Args[0].Pos()), "("+strings.Join(names, ", ")+") }(")
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
		} else if isBlank(x) && isTest(s.Rhs[i]) {
			r.into(types.Universe.Lookup("any").Type(), s.Rhs[i])
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
		r.functionItself(x)
	}
}

// functionItself writes a function of cells that is returned, not called, as a literal
// that calls it.
func (r *rewriter) functionItself(x ast.Expr) {
	id, ok := ast.Unparen(x).(*ast.Ident)
	if !ok {
		return
	}
	f, ok := r.p.info.Uses[id].(*types.Func)
	if _, inst := r.p.info.Instances[id]; !ok || inst || f.Pkg() == nil || f.Pkg().Path() != "main" {
		return
	}
	params, args, ok1 := r.types.arguments(f.Signature())
	results, ok2 := r.types.results(f.Signature())
	if !ok1 || !ok2 {
		return
	}
	do := ""
	if f.Signature().Results().Len() > 0 {
		do = "return "
	}
	r.edits.Insert(r.p.offset(x.Pos()), "func("+params+")"+results+" { "+do)
	r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), "("+args+") }")
}

// isReceive reports whether an expression is a receive.
func isReceive(x ast.Expr) bool {
	u, ok := ast.Unparen(x).(*ast.UnaryExpr)
	return ok && u.Op == token.ARROW
}

// callsField reports whether an expression is a call of a function that a field holds.
func (r *rewriter) callsField(x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && r.p.info.Selections[sel] != nil && r.p.info.Selections[sel].Kind() == types.FieldVal
}

// calledField writes a call of a variadic function that a field holds.
func (r *rewriter) calledField(call *ast.CallExpr) {
	sig, ok := under[*types.Signature](r.bound.apply(r.p.info.Types[call.Fun].Type))
	if !ok || !sig.Variadic() || call.Ellipsis.IsValid() || !r.callsField(call) {
		return
	}
	if text, ok := r.types.write(sig); ok {
		r.edits.Insert(r.p.offset(call.Fun.Pos()), "func(vlabV "+text+") "+text+" { return vlabV }(")
		r.edits.Close(r.p.offset(call.Fun.Pos()), r.p.offset(call.Fun.End()), ")")
	}
}

// returnAtOnce writes a return of several values that speak of the function's results, or
// of calls among others: the interpreter would give the results their values one after
// the other.
func (r *rewriter) returnAtOnce(s *ast.ReturnStmt) {
	list, names := resultFields(r.enclosing())
	if len(s.Results) == 1 && len(list) > 1 {
		r.returnSeveral(s, list)
		return
	}
	if len(s.Results) == 0 || len(list) != len(s.Results) || !r.listed[s] {
		return
	}
	if callbacks, _ := r.callbacks(); len(callbacks) > 0 {
		return
	}
	spoken := r.callsAmong(s.Results) || slices.ContainsFunc(s.Results, isReceive) ||
		len(s.Results) > 1 && slices.ContainsFunc(s.Results, r.callsField)
	for _, id := range names {
		for _, x := range s.Results {
			spoken = spoken || len(s.Results) > 1 && r.mentions(x, r.p.info.Defs[id])
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
