package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
)

// The interpreter's form of an interface can't be a map's key: two of the same value are
// not equal. A map with such keys has keys of any, each the bare value, in a box where
// its type needs one; a range makes interfaces of them again.

// keptBare reports whether a map's keys of type t are kept as bare values.
func keptBare(t types.Type) bool {
	if t == nil {
		return false
	}
	i, ok := under[*types.Interface](t)
	return ok && i.NumMethods() > 0
}

// mapKey writes the keys' type of a map.
func (r *rewriter) mapKey(m *ast.MapType) {
	if keptBare(r.bound.apply(r.p.info.Types[m.Key].Type)) {
		r.edits.Replace(r.p.offset(m.Key.Pos()), r.p.offset(m.Key.End()), "interface{}")
	}
}

// intoKey writes a value that becomes a key, or is looked up, in a map with keys of type t.
func (r *rewriter) intoKey(t types.Type, x ast.Expr) {
	if t = r.bound.apply(t); isAny(t) {
		r.into(t, x)
	} else if keptBare(t) {
		r.intoBare(x)
	}
}

// intoBare writes a value as one of any that equals others of its type and value.
func (r *rewriter) intoBare(x ast.Expr) {
	tv := r.p.info.Types[x]
	if tv.IsNil() {
		return
	}
	if open, end := r.bareWrapping(r.bound.apply(tv.Type)); open != "" {
		r.edits.Insert(r.p.offset(x.Pos()), open)
		r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), end)
	}
}

// bareWrapping is what stands around a value of type of for that.
func (r *rewriter) bareWrapping(of types.Type) (open, end string) {
	text, ok := r.types.write(of)
	switch {
	case !ok:
		return "", ""
	case r.wantsBox(of):
		return fmt.Sprintf("vlabRT.Box(%d, ", r.e.shapeOf(of, text)), ")"
	case keptBare(of):
		return "vlabRT.Key([]" + text + "{", "})"
	}
	return "vlabRT.Key(", ")"
}

// overBareKeys writes a range over a map whose keys are kept bare, and returns what its
// body begins with.
func (r *rewriter) overBareKeys(s *ast.RangeStmt, t types.Type) string {
	m, ok := under[*types.Map](t)
	if !ok || !keptBare(m.Key()) || s.Key == nil || isBlank(s.Key) || s.Tok == token.ASSIGN && s.Value != nil {
		return ""
	}
	asks, _, ok := r.castTo(m.Key(), types.Universe.Lookup("any").Type())
	if !ok {
		return ""
	}
	name, key := r.p.text(s.Key.Pos(), s.Key.End()), r.made("vlabK")
	if s.Tok == token.ASSIGN {
		r.edits.Replace(r.p.offset(s.TokPos), r.p.offset(s.TokPos)+len(s.Tok.String()), ":=")
	}
	r.edits.Replace(r.p.offset(s.Key.Pos()), r.p.offset(s.Key.End()), key)
	return name + ", _ " + s.Tok.String() + " " + asks + "(" + key + "); "
}

// key returns a value as a map with bare keys has it: what an interface holds.
func (e *Engine) key(v any) any {
	s := e.heldIn(v)
	if !s.v.IsValid() || !s.v.CanInterface() {
		return nil
	}
	n, ok := types.Unalias(s.t).(*types.Named)
	if s.t == nil || !ok || s.v.Kind() == reflect.Struct {
		return s.v.Interface()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if text, ok := (&typeWriter{e: e, symbols: e.objects}).known(n); ok {
		return boxed{e, e.shapeOf(s.t, text), s.v.Interface()}
	}
	return s.v.Interface()
}
