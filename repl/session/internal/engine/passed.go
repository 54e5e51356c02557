package engine

import (
	"go/ast"
	"go/types"
	gopath "path"
	"strings"

	"github.com/traefik/yaegi/stdlib"
)

// passed writes the conversions to interfaces in calls and composite literals, see
// [rewriter.into].
func (r *rewriter) passed(n ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		fun := r.p.info.Types[n.Fun]
		if fun.IsType() && len(n.Args) == 1 {
			r.into(fun.Type, n.Args[0])
			return
		}
		sig, ok := under[*types.Signature](r.bound.apply(fun.Type))
		if id, ok := n.Fun.(*ast.Ident); ok && fun.IsBuiltin() && id.Name == "append" {
			r.appended(n)
			return
		}
		if id, ok := n.Fun.(*ast.Ident); ok && fun.IsBuiltin() && id.Name == "panic" && len(n.Args) == 1 {
			if t := r.bound.apply(r.p.info.Types[n.Args[0]].Type); r.isOwn(t) && (types.NewMethodSet(t).Len() > 0 || r.wantsBox(t)) {
				open, end := r.brackets(t)
				r.edits.Insert(r.p.offset(n.Args[0].Pos()), open)
				r.edits.Close(r.p.offset(n.Args[0].Pos()), r.p.offset(n.Args[0].End()), end)
			}
			return
		}
		if !ok || fun.IsBuiltin() {
			return
		}
		r.spreadNil(n, sig)
		if len(n.Args) == 1 {
			r.passSeveral(n, sig)
		}
		_, prints := r.wantsShape(n)
		looks := r.isCompiled(n.Fun) && !r.keepsBoxes(n.Fun)
		for i, a := range n.Args {
			switch t := parameter(sig, i, n.Ellipsis.IsValid()); {
			case t == nil, isAny(t) && prints:
			case isAny(t) && looks:
				if !r.printed(n, a) {
					r.unboxed(n, a) // it gets the value itself
				}
			default:
				r.into(t, a)
			}
		}
	case *ast.CompositeLit:
		r.elements(n)
	}
}

// printed writes a value with methods that packages print by, for one that is neither of
// the standard library nor the session's.
func (r *rewriter) printed(call *ast.CallExpr, x ast.Expr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	t := r.bound.apply(r.p.info.Types[x].Type)
	if !ok || t == nil {
		return false
	}
	path := r.p.info.Uses[sel.Sel].Pkg().Path()
	_, std := stdlib.Symbols[path+"/"+gopath.Base(path)]
	of := t
	if list, ok := under[*types.Slice](t); ok && !r.isOwn(t) {
		of = list.Elem()
	}
	if std || strings.HasPrefix(path, "vlab/") || !r.isOwn(of) || types.NewMethodSet(of).Len() == 0 {
		return false
	}
	open, end := r.brackets(t)
	r.edits.Insert(r.p.offset(x.Pos()), open)
	r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), end)
	return open != ""
}

// spreadNil writes f(nil...) with a slice of the parameter's type.
func (r *rewriter) spreadNil(n *ast.CallExpr, sig *types.Signature) {
	last := len(n.Args) - 1
	if !n.Ellipsis.IsValid() || last < 0 || !r.p.info.Types[n.Args[last]].IsNil() {
		return
	}
	if typ, ok := r.types.write(r.bound.apply(sig.Params().At(sig.Params().Len() - 1).Type())); ok {
		r.edits.Replace(r.p.offset(n.Args[last].Pos()), r.p.offset(n.Args[last].End()), typ+"(nil)")
	}
}

// appended converts what is appended to a slice of interfaces.
func (r *rewriter) appended(n *ast.CallExpr) {
	s, ok := under[*types.Slice](r.bound.apply(r.p.info.Types[n].Type))
	if !ok {
		return
	}
	if n.Ellipsis.IsValid() {
		if of, _ := r.types.write(r.bound.apply(r.p.info.Types[n].Type)); of == "[]interface{}" && len(n.Args) == 2 && !r.p.info.Types[n.Args[1]].IsNil() {
			// The interpreter takes the slice for one value of some.
			r.edits.Replace(r.p.offset(n.Fun.Pos()), r.p.offset(n.Fun.End()), "vlabRT.Append")
			r.edits.Replace(r.p.offset(n.Ellipsis), r.p.offset(n.Ellipsis)+len("..."), "")
		}
		return
	}
	for _, a := range n.Args[1:] {
		r.into(s.Elem(), a)
	}
}

// isCompiled reports whether an expression is a function or a method of a package's.
func (r *rewriter) isCompiled(fun ast.Expr) bool {
	sel, ok := ast.Unparen(fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() != "main" && f.Pkg().Path() != r.p.path
}

// isAny reports whether a type is an interface without methods.
func isAny(t types.Type) bool {
	i, ok := under[*types.Interface](t)
	return ok && i.NumMethods() == 0
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
			r.into(u.Elem(), value)
		case *types.Array:
			r.into(u.Elem(), value)
		case *types.Map:
			r.into(u.Elem(), value)
			if key != nil {
				r.intoKey(u.Key(), key)
			}
		case *types.Struct:
			if id, ok := key.(*ast.Ident); ok {
				for f := range u.Fields() {
					if f.Name() == id.Name {
						r.into(f.Type(), value)
					}
				}
			} else if key == nil && i < u.NumFields() {
				r.into(u.Field(i).Type(), value)
			}
		}
		if key == nil {
			r.field(x)
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
	r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), ")")
}

// isOurs reports whether a named type is of cells.
func (r *rewriter) isOurs(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main"
}
