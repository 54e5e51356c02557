package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// surrounding is a function, a loop or a choice around the node being visited. A
// range over a function is one whose body becomes a callback: what leaves more than
// one round of it notes where it wants to go, ends the callback, and is sent on
// behind the call.
type surrounding struct {
	node     ast.Node
	label    string
	callback bool
	results  *ast.FuncType // of a function

	// Of the outermost callback in a function: the variables that say where to go and
	// what was deferred, and which edit declares them.
	flag, list string
	at         int
	values     []string // the declarations of what the function returns
	defers     bool
	exits      []exit // that pass through a callback

	deferred []*ast.DeferStmt // in a function's outermost loop
}

// exit is a way out of a callback.
type exit struct {
	code int
	to   *surrounding // nil: out of the function
	tok  token.Token  // break, continue, or return
	bare bool         // a return without values
}

// surround notes a node that others may leave.
func (r *rewriter) surround(n ast.Node) {
	s := &surrounding{node: n}
	switch n := n.(type) {
	case *ast.FuncDecl:
		s.results = n.Type
	case *ast.FuncLit:
		s.results = n.Type
	case *ast.RangeStmt:
		if t := r.p.info.Types[n.X].Type; t != nil {
			_, s.callback = r.bound.apply(t).Underlying().(*types.Signature)
		}
	case *ast.ForStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
	default:
		return
	}
	if stmt, ok := n.(ast.Stmt); ok {
		if l := r.labels[stmt]; l != nil {
			s.label = l.Label.Name
		}
	}
	r.around = append(r.around, s)
}

func (r *rewriter) unsurround(n ast.Node) {
	if last := len(r.around) - 1; last >= 0 && r.around[last].node == n {
		r.around = r.around[:last]
	}
}

// callbacks returns the callbacks around the node being visited within its
// function, the innermost first, and the function, nil at the top of a cell.
func (r *rewriter) callbacks() (list []*surrounding, function *surrounding) {
	for i := len(r.around) - 1; i >= 0; i-- {
		s := r.around[i]
		if s.results != nil {
			return list, s
		}
		if s.callback {
			list = append(list, s)
		}
	}
	return list, nil
}

// rangeFunc writes a range over a function as its call with the body as a callback.
func (r *rewriter) rangeFunc(s *ast.RangeStmt, sig *types.Signature) {
	yield, ok := sig.Params().At(0).Type().Underlying().(*types.Signature)
	if !ok {
		return
	}
	params, open := make([]string, yield.Params().Len()), ""
	vars := []ast.Expr{s.Key, s.Value}
	for i := range params {
		typ, ok := r.types.write(yield.Params().At(i).Type())
		if !ok {
			return
		}
		name := "_"
		if x := vars[i]; x != nil && !isBlank(x) {
			name = r.p.text(x.Pos(), x.End())
			if s.Tok == token.ASSIGN {
				open += name
				name = fmt.Sprintf("vlabV%d", r.e.next())
				open += " = " + name + "; "
			}
		}
		params[i] = name + " " + typ
	}
	p, me := r.p, r.around[len(r.around)-1]
	start := s.Pos()
	l := r.labels[s]
	if l != nil {
		start = l.Pos()
	}
	if list, _ := r.callbacks(); len(list) == 1 { // the outermost of its function
		k := r.e.next()
		me.flag, me.list = fmt.Sprintf("vlabF%d", k), fmt.Sprintf("vlabD%d", k)
	}
	if me.flag != "" { // what the callbacks share is declared before; endRangeFunc knows what that is
		me.at = len(r.edits)
		r.edits.Insert(p.offset(start), "")
	}
	if l != nil {
		r.edits.Replace(p.offset(l.Pos()), p.offset(l.Colon)+1, "")
	}
	r.edits.Replace(p.offset(s.Pos()), p.offset(s.X.Pos()), "")
	r.edits.Replace(p.offset(s.X.End()), p.offset(s.Body.Lbrace), "(func("+strings.Join(params, ", ")+") bool ")
	r.edits.Insert(p.offset(s.Body.Lbrace)+1, stopCheck+open)
}

// endRangeFunc ends the callback and sends on what has left it.
func (r *rewriter) endRangeFunc(s *ast.RangeStmt) {
	me := r.around[len(r.around)-1]
	if !me.callback {
		return
	}
	p := r.p
	r.edits.Insert(p.offset(s.Body.Rbrace), "; return true ")
	list, _ := r.callbacks()
	root, outer := list[len(list)-1], (*surrounding)(nil)
	if len(list) > 1 {
		outer = list[1]
	}
	code := ")"
	for _, x := range me.exits {
		code += fmt.Sprintf("; if %s == %d { %s }", root.flag, x.code, r.sendOn(x, root, outer))
	}
	r.edits.Insert(p.offset(s.Body.Rbrace)+1, code)
	if me.flag != "" {
		r.edits[me.at].Text = shared(me)
	}
}

// shared declares the variables of a function's callbacks.
func shared(root *surrounding) string {
	text := "var " + root.flag + " int; _ = " + root.flag + "; "
	for _, v := range root.values {
		text += v + "; "
	}
	if root.defers {
		text += "var " + root.list + " []func(); defer func() { vlabRT.Run(" + root.list + ") }(); "
	}
	return text
}

// sendOn writes where a way out leads behind the call that it has left.
func (r *rewriter) sendOn(x exit, root, outer *surrounding) string {
	if outer != nil && outer != x.to && (x.to == nil || r.encloses(x.to, outer)) {
		return "return false" // out of the next callback too
	}
	reset := root.flag + " = 0; "
	switch {
	case x.to == nil && x.bare:
		return "return"
	case x.to == nil:
		names := make([]string, len(root.values))
		for i, v := range root.values {
			names[i] = strings.Fields(v)[1]
		}
		return "return " + strings.Join(names, ", ")
	case x.to.callback && x.tok == token.CONTINUE:
		return reset + "return true"
	case x.to.callback:
		return reset + "return false"
	}
	return reset + x.tok.String() + " " + x.to.label
}

// encloses reports whether a surrounds b.
func (r *rewriter) encloses(a, b *surrounding) bool {
	return a.node.Pos() <= b.node.Pos() && b.node.End() <= a.node.End() && a != b
}

// branchOut writes a break or continue that leaves a round of a callback.
func (r *rewriter) branchOut(b *ast.BranchStmt) {
	if b.Tok == token.GOTO && r.listed[b] { // it may go round and round
		r.edits.Insert(r.p.offset(b.Pos()), stopCheck)
	}
	if b.Tok != token.BREAK && b.Tok != token.CONTINUE {
		return
	}
	var passed []*surrounding
	for i := len(r.around) - 1; i >= 0 && r.around[i].results == nil; i-- {
		s := r.around[i]
		if r.isTarget(b, s) {
			r.leaveTo(b, s, passed)
			return
		}
		if s.callback {
			passed = append(passed, s)
		}
	}
}

// isTarget reports whether a break or continue means s.
func (r *rewriter) isTarget(b *ast.BranchStmt, s *surrounding) bool {
	if b.Label != nil {
		return s.label == b.Label.Name
	}
	switch s.node.(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return true
	}
	return b.Tok == token.BREAK
}

func (r *rewriter) leaveTo(b *ast.BranchStmt, to *surrounding, passed []*surrounding) {
	if len(passed) == 0 {
		if to.callback {
			text := "return true"
			if b.Tok == token.BREAK {
				text = "return false"
			}
			r.edits.Replace(r.p.offset(b.Pos()), r.p.offset(b.End()), text)
		}
		return
	}
	list, _ := r.callbacks()
	root, code := list[len(list)-1], r.e.next()
	for _, s := range passed {
		s.exits = append(s.exits, exit{code: code, to: to, tok: b.Tok})
	}
	r.edits.Replace(r.p.offset(b.Pos()), r.p.offset(b.End()), fmt.Sprintf("{ %s = %d; return false }", root.flag, code))
}

// returnOut writes a return within a callback.
func (r *rewriter) returnOut(s *ast.ReturnStmt) {
	list, function := r.callbacks()
	if len(list) == 0 || function == nil {
		return
	}
	root, code := list[len(list)-1], r.e.next()
	for _, c := range list {
		c.exits = append(c.exits, exit{code: code, tok: token.RETURN, bare: len(s.Results) == 0})
	}
	p := r.p
	set := fmt.Sprintf("%s = %d; return false }", root.flag, code)
	if len(s.Results) == 0 {
		r.edits.Replace(p.offset(s.Pos()), p.offset(s.End()), "{ "+set)
		return
	}
	if len(root.values) == 0 {
		root.values = r.resultVars(function.results)
	}
	names := make([]string, len(root.values))
	for i, v := range root.values {
		names[i] = strings.Fields(v)[1]
	}
	r.edits.Replace(p.offset(s.Pos()), p.offset(s.Results[0].Pos()), "{ "+strings.Join(names, ", ")+" = ")
	r.edits.Insert(p.offset(s.End()), "; "+set)
}

// resultVars declares variables for the results of a function.
func (r *rewriter) resultVars(f *ast.FuncType) []string {
	var list []string
	if f.Results == nil {
		return nil
	}
	for _, field := range f.Results.List {
		typ, ok := r.types.write(r.p.info.Types[field.Type].Type)
		if !ok {
			continue
		}
		for range max(1, len(field.Names)) {
			list = append(list, fmt.Sprintf("var vlabQ%d %s", r.e.next(), typ))
		}
	}
	return list
}

// deferredIn returns the list that takes what is deferred within a callback, ""
// outside of one.
func (r *rewriter) deferredIn() string {
	list, function := r.callbacks()
	if len(list) == 0 || function == nil {
		return ""
	}
	root := list[len(list)-1]
	root.defers = true
	return root.list
}
