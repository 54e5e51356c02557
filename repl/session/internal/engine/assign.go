package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
)

// mixed reports whether a list of values has constants, composite literals, receives or,
// among others, calls. The interpreter assigns such lists wrongly: of `a, b := 0, x` in
// a loop, the second round does not set a.
func (r *rewriter) mixed(values []ast.Expr) bool {
	for _, v := range values {
		receive, _ := ast.Unparen(v).(*ast.UnaryExpr)
		if _, literal := ast.Unparen(v).(*ast.CompositeLit); literal || r.fixed(v) || receive != nil && receive.Op == token.ARROW {
			return true
		}
	}
	return r.callsAmong(values)
}

// callsAmong reports whether a call is among several values that are not fixed.
func (r *rewriter) callsAmong(values []ast.Expr) bool {
	calls, open := false, 0
	for _, v := range values {
		if !r.fixed(v) {
			open++
			_, call := ast.Unparen(v).(*ast.CallExpr)
			calls = calls || call
		}
	}
	return calls && open > 1
}

// fixed reports whether an expression has no effects and the same value at any time.
func (r *rewriter) fixed(x ast.Expr) bool {
	tv := r.p.info.Types[x]
	return tv.Value != nil || tv.IsNil()
}

// oneByOne writes an assignment of several values as one for each: first all values
// in their order, then the targets.
func (r *rewriter) oneByOne(values []ast.Expr, texts, targets []string, ops ...string) string {
	before, after := "", ""
	for i, v := range values {
		text, op := texts[i], ops[min(i, len(ops)-1)]
		if targets[i] == "_" {
			op = "="
		}
		if !r.fixed(v) {
			name := fmt.Sprintf("vlabT%d", r.e.next())
			before += name + " := " + text + "; "
			text = name
		}
		after += targets[i] + " " + op + " " + text + "; "
	}
	return before + after
}

// assignEach writes an assignment in a function one by one where it has to be.
// Targets that are no names come first: their parts are to have the values before.
func (r *rewriter) assignEach(s *ast.AssignStmt) {
	r.assignCopy(s)
	if !r.listed[s] || len(s.Lhs) < 2 || len(s.Lhs) != len(s.Rhs) || s.Tok != token.DEFINE && s.Tok != token.ASSIGN || !r.mixed(s.Rhs) {
		return
	}
	var values []ast.Expr
	var texts, targets, ops []string
	for _, names := range []bool{false, true} {
		for i, x := range s.Lhs {
			id, isName := x.(*ast.Ident)
			if isName != names {
				continue
			}
			op := "="
			if isName && s.Tok == token.DEFINE && r.p.info.Defs[id] != nil {
				op = ":="
			}
			values, ops = append(values, s.Rhs[i]), append(ops, op)
			texts, targets = append(texts, r.apply(s.Rhs[i].Pos(), s.Rhs[i].End())), append(targets, r.apply(x.Pos(), x.End()))
		}
	}
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.End()), r.oneByOne(values, texts, targets, ops...))
}

// assignCopy writes the assignment of a receive to what is no variable, which the
// interpreter loses, and of a structure's literal to a variable, which it would give a
// new place, in two steps.
func (r *rewriter) assignCopy(s *ast.AssignStmt) {
	if !r.listed[s] || len(s.Lhs) != 1 || len(s.Rhs) != 1 || s.Tok != token.ASSIGN || isBlank(s.Lhs[0]) {
		return
	}
	_, name := ast.Unparen(s.Lhs[0]).(*ast.Ident)
	_, literal := ast.Unparen(s.Rhs[0]).(*ast.CompositeLit)
	_, isStruct := under[*types.Struct](r.bound.apply(r.p.info.Types[s.Lhs[0]].Type))
	moves, loses := literal && isStruct && name, isReceive(s.Rhs[0]) && !name
	if !moves && !loses {
		return
	}
	taken := r.made("vlabT")
	r.edits.Replace(r.p.offset(s.Pos()), r.p.offset(s.End()),
		taken+" := "+r.apply(s.Rhs[0].Pos(), s.Rhs[0].End())+"; "+r.apply(s.Lhs[0].Pos(), s.Lhs[0].End())+" = "+taken)
}
