package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// forLoop lets a loop end with the cell, and gives each round its own variables
// where a function literal keeps them.
func (r *rewriter) forLoop(s *ast.ForStmt) {
	open := stopCheck
	if s.Init != nil && s.Cond == nil && s.Post == nil { // the interpreter would begin anew with each round
		r.edits.Replace(r.p.offset(s.Init.End()), r.p.offset(s.Body.Lbrace), "; true; ")
	}
	if init, ok := s.Init.(*ast.AssignStmt); ok && init.Tok == token.DEFINE {
		for _, lhs := range init.Lhs {
			id, ok := lhs.(*ast.Ident)
			if !ok {
				continue
			}
			obj := r.p.info.Defs[id]
			switch {
			case obj == nil || !r.kept(obj, s.Body):
			case r.assigned(obj, s.Body) || r.assignedWithin(obj, s.Body):
				open += r.handBack(s, id.Name)
			default:
				open += id.Name + " := " + id.Name + "; "
				r.keep(obj, s.Body)
			}
		}
	}
	r.edits.Insert(r.p.offset(s.Body.Lbrace)+1, r.inBraces(s.Body, open))
}

// handBack gives a round its own variable, and the loop what the round has made of it.
func (r *rewriter) handBack(s *ast.ForStmt, name string) (open string) {
	p := r.made("vlabP")
	back := "*" + p + " = " + name
	label, depth := "", 0
	if l := r.labels[s]; l != nil {
		label = l.Label.Name
	}
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			depth++
			ast.Inspect(loopBody(n), visit)
			depth--
			return false
		case *ast.BranchStmt:
			if n.Tok == token.CONTINUE && (n.Label == nil && depth == 0 || n.Label != nil && n.Label.Name == label) {
				r.edits.Insert(r.p.offset(n.Pos()), back+"; ")
			}
		}
		return true
	}
	ast.Inspect(s.Body, visit)
	r.edits.Insert(r.p.offset(s.Body.Rbrace), "; "+back+" ")
	return p + " := &" + name + "; " + name + " := " + name + "; "
}

// loopBody returns the body of a loop.
func loopBody(n ast.Node) *ast.BlockStmt {
	switch s := n.(type) {
	case *ast.ForStmt:
		return s.Body
	case *ast.RangeStmt:
		return s.Body
	}
	return nil
}

// rangeLoop does the same for range loops, and writes ranges over numbers and
// functions in older Go.
func (r *rewriter) rangeLoop(s *ast.RangeStmt) {
	t := r.bound.apply(r.p.info.Types[s.X].Type)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			r.rangeInt(s, t)
			return
		}
	case *types.Signature:
		r.rangeFunc(s, u)
		return
	case *types.Chan:
		r.rangeChan(s)
		return
	case *types.Pointer: // to an array, which the interpreter can't walk
		r.edits.Insert(r.p.offset(s.X.Pos()), "*(")
		r.edits.Close(r.p.offset(s.X.Pos()), r.p.offset(s.X.End()), ")")
	}
	open := r.overBareKeys(s, t) + r.rangeAssign(s, t) + stopCheck
	if r.ofChannels(s, t) {
		list, key := r.hidden(s)
		open = r.p.text(s.Value.Pos(), s.Value.End()) + " " + s.Tok.String() + " " + list + "[" + key + "]; " + open
	}
	for _, x := range []ast.Expr{s.Key, s.Value} {
		id, ok := x.(*ast.Ident)
		if !ok || s.Tok != token.DEFINE {
			continue
		}
		_, fresh := r.hiddens[s]
		if obj := r.p.info.Defs[id]; obj != nil && r.kept(obj, s.Body) {
			if fresh && x == s.Value {
				r.keep(obj, s.Body)
				continue
			}
			open += id.Name + " := " + id.Name + "; "
			r.keep(obj, s.Body)
		}
	}
	r.edits.Insert(r.p.offset(s.Body.Lbrace)+1, r.inBraces(s.Body, open))
}

// rangeAssign writes a range that assigns to variables there are as one with its own, and
// returns the assignment: the interpreter leaves those as they were.
func (r *rewriter) rangeAssign(s *ast.RangeStmt, t types.Type) string {
	m, isMap := under[*types.Map](t)
	if s.Tok != token.ASSIGN || s.Key == nil || isMap && keptBare(m.Key()) && s.Value == nil || r.ofChannels(s, t) {
		return ""
	}
	names, targets := []string{"_", "_"}, []string{"_", "_"}
	for i, x := range []ast.Expr{s.Key, s.Value} {
		if x != nil && !isBlank(x) {
			names[i], targets[i] = r.made("vlabK"), r.p.text(x.Pos(), x.End())
			if id, ok := x.(*ast.Ident); ok && r.syms[r.p.info.Uses[id]] != nil {
				targets[i] = r.syms[r.p.info.Uses[id]].internal
			}
		}
	}
	first, last := 0, 2
	if names[0] == "_" {
		first = 1
	}
	if names[1] == "_" {
		last = 1
	}
	if first >= last {
		return ""
	}
	r.edits.Replace(r.p.offset(s.Key.Pos()), r.p.offset(s.X.Pos()), strings.Join(names[:last], ", ")+" := range ")
	return strings.Join(targets[first:last], ", ") + " = " + strings.Join(names[first:last], ", ") + "; "
}

// rangeInt writes `for i := range n` as a counting loop over a hidden counter, so
// that the body has an i of its own each round.
func (r *rewriter) rangeInt(s *ast.RangeStmt, t types.Type) {
	key, _ := s.Key.(*ast.Ident)
	if key != nil {
		if obj := r.p.info.Defs[key]; obj != nil {
			t = r.bound.apply(obj.Type())
			r.keep(obj, s.Body)
		}
	}
	typ, ok := r.types.write(types.Default(t))
	if !ok {
		return
	}
	k := r.e.next()
	i, n := fmt.Sprintf("vlabI%d", k), fmt.Sprintf("vlabN%d", k)
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.X.Pos()), fmt.Sprintf("for %s, %s := %s(0), %s(", i, n, typ, typ))
	r.edits.Insert(r.p.offset(s.X.End()), fmt.Sprintf("); %s < %s; %s++ ", i, n, i))
	open := stopCheck
	if s.Key != nil && !isBlank(s.Key) {
		open += r.p.text(s.Key.Pos(), s.Key.End()) + " " + s.Tok.String() + " " + i + "; "
	}
	r.edits.Insert(r.p.offset(s.Body.Lbrace)+1, r.inBraces(s.Body, open))
}

// ofChannels reports whether a range gives channels as its values. The interpreter
// takes such a one for a range over a channel.
func (r *rewriter) ofChannels(s *ast.RangeStmt, t types.Type) bool {
	if s.Value == nil || isBlank(s.Value) {
		return false
	}
	var elem types.Type
	switch u := t.Underlying().(type) {
	case *types.Slice:
		elem = u.Elem()
	case *types.Array:
		elem = u.Elem()
	case *types.Map:
		elem = u.Elem()
	default:
		return false
	}
	_, ok := under[*types.Chan](r.bound.apply(elem))
	return ok
}

// hidden makes up names for what a range goes over and for its key, where it has none
// of its own; overChannels writes them.
func (r *rewriter) hidden(s *ast.RangeStmt) (list, key string) {
	h := hiddenRange{list: r.made("vlabX"), key: r.made("vlabI")}
	if s.Key != nil && !isBlank(s.Key) {
		h.key = r.p.text(s.Key.Pos(), s.Key.End())
	}
	r.hiddens[s] = h
	return h.list, h.key
}

// hiddenRange is what hidden has made up.
type hiddenRange struct{ list, key string }

// overChannels writes a range that gives channels as one over the keys alone.
func (r *rewriter) overChannels(s *ast.RangeStmt) {
	h, ok := r.hiddens[s]
	if !ok {
		return
	}
	start := s.Pos()
	if l := r.labels[s]; l != nil {
		start = l.Pos()
	}
	tok := ":="
	if s.Tok == token.ASSIGN && s.Key != nil && !isBlank(s.Key) {
		tok = "="
	}
	r.edits.Insert(r.p.offset(start), h.list+" := "+r.apply(s.X.Pos(), s.X.End())+"; ")
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.Body.Lbrace), "for "+h.key+" "+tok+" range "+h.list+" ")
}

// rangeChan writes a range over a channel as a loop that receives. The interpreter's
// own takes a loop variable that is a channel for something else.
func (r *rewriter) rangeChan(s *ast.RangeStmt) {
	k := r.e.next()
	c, v, ok := fmt.Sprintf("vlabC%d", k), fmt.Sprintf("vlabV%d", k), fmt.Sprintf("vlabO%d", k)
	if s.Key == nil || isBlank(s.Key) {
		v = "_"
	}
	open := fmt.Sprintf("%s, %s := <-%s; if !%s { break }; ", v, ok, c, ok) + stopCheck
	if v != "_" {
		open += r.p.text(s.Key.Pos(), s.Key.End()) + " " + s.Tok.String() + " " + v + "; "
		if id, ok := s.Key.(*ast.Ident); ok && r.p.info.Defs[id] != nil {
			r.keep(r.p.info.Defs[id], s.Body)
		}
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.X.Pos()), "for "+c+" := ")
	r.edits.Close(r.p.offset(s.X.Pos()), r.p.offset(s.X.End()), "; true; ")
	r.edits.Insert(r.p.offset(s.Body.Lbrace)+1, open)
}

// kept reports whether a function literal in the body speaks of obj, or its
// address is taken.
func (r *rewriter) kept(obj types.Object, body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			found = found || r.mentions(n, obj)
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND && r.mentions(n.X, obj)
		}
		return !found
	})
	return found
}

func (r *rewriter) mentions(root ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(root, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && r.p.info.Uses[id] == obj
		return !found
	})
	return found
}

// assigned reports whether the body itself assigns to obj; a function literal in it
// has a variable of its own then, which it may change.
func (r *rewriter) assigned(obj types.Object, body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				id, ok := l.(*ast.Ident)
				found = found || ok && r.p.info.Uses[id] == obj
			}
		case *ast.IncDecStmt:
			id, ok := n.X.(*ast.Ident)
			found = found || ok && r.p.info.Uses[id] == obj
		}
		return !found
	})
	return found
}

// assignedWithin reports whether a function literal in a body assigns to obj.
func (r *rewriter) assignedWithin(obj types.Object, body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok {
			found = found || r.assigned(obj, lit.Body) || r.assignedWithin(obj, lit.Body)
			return false
		}
		return !found
	})
	return found
}

// keptVar is a loop's variable that a function literal keeps.
type keptVar struct{ name, typ string }

// keep notes the function literals in a loop's body that are handed to a call and
// speak of obj. The interpreter gives such a literal the variables as they are when
// it is called, not as they were when it was made; a function around it, called at
// once, fixes them.
func (r *rewriter) keep(obj types.Object, body *ast.BlockStmt) {
	if r.assigned(obj, body) {
		return
	}
	typ, ok := r.types.write(obj.Type())
	if !ok {
		return
	}
	fix := func(x ast.Expr) {
		if lit, ok := x.(*ast.FuncLit); ok && r.mentions(lit, obj) {
			r.kepts[lit] = append(r.kepts[lit], keptVar{obj.Name(), typ})
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, a := range n.Args {
				fix(a)
			}
		case *ast.GoStmt:
			fix(n.Call.Fun)
		case *ast.DeferStmt:
			if !r.recovers(n.Call.Fun) {
				fix(n.Call.Fun)
			}
		}
		return true
	})
}

// openFactory begins the function around a literal that keeps loop variables.
func (r *rewriter) openFactory(lit *ast.FuncLit) {
	if len(r.kepts[lit]) == 0 {
		return
	}
	typ, ok := r.types.write(r.p.info.Types[lit].Type)
	if !ok {
		delete(r.kepts, lit)
		return
	}
	params := make([]string, len(r.kepts[lit]))
	for i, k := range r.kepts[lit] {
		params[i] = k.name + " " + k.typ
	}
	r.edits.Insert(r.p.offset(lit.Pos()), "func("+strings.Join(params, ", ")+") "+typ+" { return ")
}

// closeFactory ends what openFactory has begun.
func (r *rewriter) closeFactory(lit *ast.FuncLit) {
	if len(r.kepts[lit]) == 0 {
		return
	}
	args := make([]string, len(r.kepts[lit]))
	for i, k := range r.kepts[lit] {
		args[i] = k.name
	}
	r.edits.Close(r.p.offset(lit.Pos()), r.p.offset(lit.End()), " }("+strings.Join(args, ", ")+")")
}

func isBlank(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "_"
}
