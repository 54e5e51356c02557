package engine

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"
)

// The functions of package errors, for chains with errors of types that cells have
// declared: the interpreter hands them over with their Error method alone.

// plainError returns what compiled code was handed as an error or as another
// interface of a package's; nil for what isn't a cell's.
func (e *Engine) plainError(v any) any {
	if s, ok := shapedIn(v); ok {
		return s.v.Interface()
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Struct && r.NumField() > 0 && r.Type().Field(0).Name == "IValue" {
		if inner, _ := (shapedValue{e, r.Field(0), nil}).concrete(); inner.IsValid() && inner.CanInterface() {
			return inner.Interface()
		}
	}
	return nil
}

// ownError returns an error of a type of cells with its type.
func (e *Engine) ownError(err error) (shapedValue, bool) {
	if s, ok := shapedIn(err); ok {
		return s, true
	}
	own := e.plainError(err)
	if own == nil {
		return shapedValue{}, false
	}
	v := reflect.ValueOf(own)
	return shapedValue{e, v, e.typeFor(v.Type())}, true
}

// asAnError makes an error of a value of shape k, which has an Error method.
func (e *Engine) asAnError(k int, v any) error {
	t := e.shapeAt(k)
	return shapedError{shapedValue{e, reflect.ValueOf(v), t}}
}

// plain is plainError, and the value itself for what isn't a cell's.
func (e *Engine) plain(v any) any {
	if own := e.plainError(v); own != nil {
		return own
	}
	return v
}

// same is the comparison of what interfaces hold.
func (e *Engine) same(a, b any) bool {
	if x, ok := a.(boxed); ok {
		y, ok := b.(boxed)
		return ok && x == y
	}
	if _, ok := b.(boxed); ok {
		return false
	}
	a, b = e.plain(a), e.plain(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a == b
}

// unwrap is errors.Unwrap.
func (e *Engine) unwrap(err error) error {
	if own, ok := e.ownError(err); ok {
		out, ok := own.call("Unwrap")
		if !ok || !out[0].IsValid() {
			return nil
		}
		next, _ := out[0].Interface().(error)
		return next
	}
	return errors.Unwrap(err)
}

// joined returns the errors that one of several wraps, nil for another.
func (e *Engine) joined(err error) []error {
	if own, ok := e.ownError(err); ok {
		if out, ok := own.call(unwrapAll); ok {
			list, _ := out[0].Interface().([]error)
			return list
		}
	}
	if u, ok := err.(interface{ Unwrap() []error }); ok {
		return u.Unwrap()
	}
	return nil
}

// unwrapAll is the name under which an Unwrap that gives several errors is kept.
const unwrapAll = "Unwrap all"

// isError is errors.Is.
func (e *Engine) isError(err, target error) bool {
	if err == nil || target == nil {
		return err == nil && target == nil
	}
	_, isOwn := e.ownError(target)
	key := e.key(target)
	canEqual := isOwn && reflect.ValueOf(key).Comparable()
	for err != nil {
		if errors.Is(err, target) || canEqual && e.plainError(err) != nil && e.key(err) == key {
			return true
		}
		if e.saysIs(err, target) {
			return true
		}
		if list := e.joined(err); list != nil {
			return slices.ContainsFunc(list, func(err error) bool { return e.isError(err, target) })
		}
		err = e.unwrap(err)
	}
	return false
}

// saysIs asks an error of a type of cells for its Is method.
func (e *Engine) saysIs(err, target error) bool {
	own, ok := e.ownError(err)
	if !ok {
		return false
	}
	f, arg := own.method("Is")
	return f.IsValid() && f.Call([]reflect.Value{arg, reflect.ValueOf(&target).Elem()})[0].Bool()
}

// asError is errors.As.
func (e *Engine) asError(err error, target any) bool {
	to := reflect.ValueOf(target)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		panic("errors: target must be a non-nil pointer")
	}
	t := to.Elem().Type()
	compiled := t.Kind() == reflect.Interface || t.Implements(reflect.TypeFor[error]())
	for err != nil {
		if own := e.plainError(err); own != nil && reflect.TypeOf(own).AssignableTo(t) && t.Kind() != reflect.Interface {
			to.Elem().Set(reflect.ValueOf(own))
			return true
		}
		if compiled && errors.As(err, target) || e.saysAs(err, target) {
			return true
		}
		if list := e.joined(err); list != nil {
			return slices.ContainsFunc(list, func(err error) bool { return e.asError(err, target) })
		}
		err = e.unwrap(err)
	}
	return false
}

// saysAs asks an error of a type of cells for its As method.
func (e *Engine) saysAs(err error, target any) bool {
	own, ok := e.ownError(err)
	if !ok {
		return false
	}
	f, arg := own.method("As")
	return f.IsValid() && f.Call([]reflect.Value{arg, reflect.ValueOf(&target).Elem()})[0].Bool()
}

// asInterface writes errors.As with a pointer to an interface that needs a cast.
func (r *rewriter) asInterface(call *ast.CallExpr) bool {
	p, ok := under[*types.Pointer](r.bound.apply(r.p.info.Types[call.Args[1]].Type))
	fails := types.Universe.Lookup("error").Type()
	if !ok || !r.castable(p.Elem(), fails) {
		return false
	}
	text, ok1 := r.types.write(p.Elem())
	asks, _, ok2 := r.castTo(p.Elem(), fails)
	if !ok1 || !ok2 {
		return false
	}
	r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(call.Args[0].Pos()), fmt.Sprintf(
		"func(vlabE error, vlabP *%s) bool { return vlabRT.AsOf(vlabE, func(e error) bool { x, ok := %s(e); if ok { *vlabP = x }; return ok }) }(", text, asks))
	return true
}

// asOf is errors.As with what takes an error of a chain.
func (e *Engine) asOf(err error, take func(error) bool) bool {
	for err != nil {
		if take(err) {
			return true
		}
		if list := e.joined(err); list != nil {
			return slices.ContainsFunc(list, func(err error) bool { return e.asOf(err, take) })
		}
		err = e.unwrap(err)
	}
	return false
}

// assertion writes an assertion to a type of cells, and to an interface that needs a cast.
func (r *rewriter) assertion(x *ast.TypeAssertExpr) {
	if x.Type == nil {
		return // a type switch has its own way
	}
	of := r.bound.apply(r.p.info.Types[x.X].Type)
	_, ok := under[*types.Interface](of)
	if !ok {
		return
	}
	to := r.bound.apply(r.p.info.Types[x.Type].Type)
	var asks, name string
	switch {
	case r.castable(to, of):
		asks, name, ok = r.castTo(to, of)
	case r.isOwn(to) || r.wantsBox(to):
		asks, name, ok = r.takenFrom(to, of)
	default:
		return
	}
	if !ok {
		return
	}
	if _, both := r.p.info.Types[x].Type.(*types.Tuple); both {
		name = asks
	}
	r.edits.Insert(r.p.offset(x.X.Pos()), name+"(")
	r.edits.Replace(r.p.offset(x.X.End()), r.p.offset(x.End()), ")")
}

// holdsBare reports whether a structure or an array has interfaces with methods within.
func (r *rewriter) holdsBare(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if keptBare(f.Type()) || r.holdsBare(f.Type()) {
				return true
			}
		}
	case *types.Array:
		return keptBare(u.Elem()) || r.holdsBare(u.Elem())
	}
	return false
}

// compareParts writes a comparison of such, which the interpreter finds never equal.
func (r *rewriter) compareParts(x *ast.BinaryExpr, t types.Type) {
	text, ok := r.types.write(t)
	if !ok {
		return
	}
	not := ""
	if x.Op == token.NEQ {
		not = "!"
	}
	r.edits.Insert(r.p.offset(x.X.Pos()), fmt.Sprintf("%svlabRT.SameParts(%d, ", not, r.e.shapeOf(t, text)))
	r.edits.Replace(r.p.offset(x.X.End()), r.p.offset(x.Y.Pos()), ", ")
	r.edits.Close(r.p.offset(x.X.Pos()), r.p.offset(x.Y.End()), ")")
}

// sameParts compares two values of shape k.
func (e *Engine) sameParts(k int, a, b any) bool {
	t := e.shapeAt(k)
	return e.sameValues(reflect.ValueOf(a), reflect.ValueOf(b), t)
}

func (e *Engine) sameValues(a, b reflect.Value, t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i := range u.NumFields() {
			if !e.sameValues(a.Field(i), b.Field(i), u.Field(i).Type()) {
				return false
			}
		}
		return true
	case *types.Array:
		for i := range a.Len() {
			if !e.sameValues(a.Index(i), b.Index(i), u.Elem()) {
				return false
			}
		}
		return true
	case *types.Interface:
		return e.same(e.key(a.Interface()), e.key(b.Interface()))
	}
	return a.Interface() == b.Interface()
}

// comparison writes that of two values one of which is an interface's, and of two
// structures one of which has no name.
func (r *rewriter) comparison(x *ast.BinaryExpr) {
	if x.Op != token.EQL && x.Op != token.NEQ {
		return
	}
	a, b := r.p.info.Types[x.X], r.p.info.Types[x.Y]
	if a.Type != nil && b.Type != nil && r.unlike(r.bound.apply(a.Type), r.bound.apply(b.Type)) {
		r.into(a.Type, x.Y)
		return
	}
	ta, tb := r.bound.apply(a.Type), r.bound.apply(b.Type)
	if r.holdsBare(ta) && r.holdsBare(tb) {
		r.compareParts(x, ta)
		return
	}
	if a.IsNil() || b.IsNil() || ta == nil || tb == nil || !types.IsInterface(ta) && !types.IsInterface(tb) {
		return
	}
	not := ""
	if x.Op == token.NEQ {
		not = "!"
	}
	r.edits.Insert(r.p.offset(x.X.Pos()), not+"vlabRT.Same(")
	r.edits.Replace(r.p.offset(x.X.End()), r.p.offset(x.Y.Pos()), ", ")
	r.edits.Close(r.p.offset(x.X.Pos()), r.p.offset(x.Y.End()), ")")
	if !isError(ta) && !isError(tb) {
		r.intoBare(x.X)
		r.intoBare(x.Y)
	}
}
