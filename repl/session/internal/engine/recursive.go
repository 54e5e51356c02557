package engine

import (
	"go/ast"
	"go/types"
)

// A type of functions that speaks of itself, as the state functions of a lexer do, has
// no compiled form that the interpreter could make. It is an any to it, which a call
// asserts to the function's type.

// isRecursiveFunc reports whether a declared type is one of functions that is made of
// itself, other than by a structure.
func isRecursiveFunc(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" || n.NumMethods() > 0 || n.TypeParams().Len() > 0 {
		return false
	}
	sig, ok := under[*types.Signature](n)
	return ok && speaksOfFunc(sig, n, map[types.Type]bool{})
}

func speaksOfFunc(t types.Type, n *types.Named, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if t == n {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	if m, ok := t.(*types.Named); ok {
		t = m.Underlying()
	}
	switch t := t.(type) {
	case *types.Signature:
		return speaksOfFunc(t.Params(), n, seen) || speaksOfFunc(t.Results(), n, seen)
	case *types.Tuple:
		for v := range t.Variables() {
			if speaksOfFunc(v.Type(), n, seen) {
				return true
			}
		}
	case *types.Map:
		return speaksOfFunc(t.Key(), n, seen) || speaksOfFunc(t.Elem(), n, seen)
	case interface{ Elem() types.Type }:
		return speaksOfFunc(t.Elem(), n, seen)
	}
	return false
}

// recursiveFunc writes the declaration of such a type.
func (r *rewriter) recursiveFunc(spec *ast.TypeSpec) bool {
	obj := r.p.info.Defs[spec.Name]
	if obj == nil || spec.Assign.IsValid() || spec.TypeParams != nil || !isRecursiveFunc(obj.Type()) {
		return false
	}
	r.edits.Replace(r.p.offset(spec.Type.Pos()), r.p.offset(spec.Type.End()), "= interface{}")
	return true
}

// calledRecursive writes a call of a function of such a type.
func (r *rewriter) calledRecursive(call *ast.CallExpr) {
	t := r.bound.apply(r.p.info.Types[call.Fun].Type)
	if r.p.info.Types[call.Fun].IsType() || !isRecursiveFunc(t) {
		return
	}
	if text, ok := r.types.write(t.Underlying()); ok {
		r.edits.Insert(r.p.offset(call.Fun.Pos()), "(")
		r.edits.Close(r.p.offset(call.Fun.Pos()), r.p.offset(call.Fun.End()), ").("+text+")")
	}
}

// recursiveWrapping is what stands around a function that becomes one of such a type.
func recursiveWrapping(of types.Type) (open, end string) {
	if _, ok := under[*types.Signature](of); ok && !isRecursiveFunc(of) {
		return "vlabRT.Func(", ")"
	}
	return "", ""
}
