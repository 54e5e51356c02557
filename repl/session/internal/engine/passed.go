package engine

import (
	"go/ast"
	"go/types"
	"strings"
)

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
		} else {
			r.field(x)
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

// field writes a field that stands as an element without a key as a conversion to its
// own type: the interpreter can't compile some of them by themselves.
func (r *rewriter) field(x ast.Expr) {
	sel, ok := ast.Unparen(x).(*ast.SelectorExpr)
	if !ok || r.p.info.Selections[sel] == nil || r.p.info.Selections[sel].Kind() != types.FieldVal {
		return
	}
	t := r.bound.apply(r.p.info.Types[x].Type)
	text, ok := r.types.write(t)
	if !ok || types.IsInterface(t) {
		return
	}
	r.edits.Insert(r.p.offset(x.Pos()), "("+text+")(")
	r.edits.Insert(r.p.offset(x.End()), ")")
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
