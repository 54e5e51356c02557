package engine

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"slices"
)

// A value of a declared type that is no structure is, to the interpreter and in an any,
// one of the type underneath: type Colour int an int. It goes into an any in a box,
// which knows the type.

// boxed is a box. Two are equal where types and values are.
type boxed struct {
	e *Engine
	k int // the type's shape
	v any
}

// box puts a value of shape k in one.
func (e *Engine) box(k int, v any) any { return boxed{e, k, v} }

// unbox returns what is in a box, and anything else as it is.
func unbox(v any) any {
	if b, ok := v.(boxed); ok {
		return b.v
	}
	return v
}

func (b boxed) shaped() shapedValue {
	return shapedValue{b.e, reflect.ValueOf(b.v), b.e.shapeAt(b.k)}
}

// Format implements fmt.Formatter.
func (b boxed) Format(state fmt.State, verb rune) { b.shaped().Format(state, verb) }

// MarshalJSON implements json.Marshaler.
func (b boxed) MarshalJSON() ([]byte, error) { return json.Marshal(b.shaped()) }

// wantsBox reports whether a value of type t goes into an any in a box: one of a type of
// cells that is no structure, or of a type without a name that is made of such.
func (r *rewriter) wantsBox(t types.Type) bool {
	if t == nil || isRecursiveFunc(t) {
		return false
	}
	if r.isOwn(t) {
		return !isMarked(t)
	}
	_, basic := types.Unalias(t).(*types.Basic)
	_, named := types.Unalias(t).(*types.Named)
	return !basic && !named && !types.IsInterface(t) && mentionsUnmarked(t, map[types.Type]bool{})
}

// mentionsUnmarked reports whether a type is made of one of cells that is no structure.
func mentionsUnmarked(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	within := func(vars *types.Tuple) bool {
		for v := range vars.Variables() {
			if mentionsUnmarked(v.Type(), seen) {
				return true
			}
		}
		return false
	}
	switch t := t.(type) {
	case *types.Named:
		return t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == "main" && !types.IsInterface(t) && !isMarked(t) && !isRecursiveFunc(t)
	case *types.Map:
		return mentionsUnmarked(t.Key(), seen) || mentionsUnmarked(t.Elem(), seen)
	case interface{ Elem() types.Type }:
		return mentionsUnmarked(t.Elem(), seen)
	case *types.Struct:
		for f := range t.Fields() {
			if mentionsUnmarked(f.Type(), seen) {
				return true
			}
		}
	case *types.Signature:
		return within(t.Params()) || within(t.Results())
	}
	return false
}

// isMarked reports whether compiled code can tell an own type from others by what it is
// compiled to, as it can a structure and a pointer to one.
func isMarked(t types.Type) bool {
	if p, ok := under[*types.Pointer](t); ok {
		t = p.Elem()
	}
	_, ok := under[*types.Struct](t)
	return ok
}

// keepsBoxes reports whether a package's function hands on what it is given as an any:
// others look into it.
func (r *rewriter) keepsBoxes(fun ast.Expr) bool {
	sel, ok := ast.Unparen(fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := r.p.info.Uses[sel.Sel].(*types.Func)
	return ok && f.Pkg() != nil && slices.Contains(boxKeepers(), f.Pkg().Path())
}

// boxKeepers are packages that only keep what they are given.
func boxKeepers() []string {
	return []string{"container/heap", "container/list", "container/ring", "context", "sync", "sync/atomic"}
}

// unboxed writes what a package's function looks into: an any, and for templates what
// holds some.
func (r *rewriter) unboxed(call *ast.CallExpr, x ast.Expr) {
	tv := r.p.info.Types[x]
	if tv.IsNil() {
		return
	}
	open := "vlabRT.Unbox("
	if r.called(call, "text/template", "Execute") || r.called(call, "html/template", "Execute") {
		open = "vlabRT.UnboxAll("
	} else if !isAny(r.bound.apply(tv.Type)) {
		return
	}
	r.edits.Insert(r.p.offset(x.Pos()), open)
	r.edits.Close(r.p.offset(x.Pos()), r.p.offset(x.End()), ")")
}

// unboxAll returns a copy of a value whose lists and maps of any, at any depth, hold no
// boxes.
func unboxAll(v any) any {
	switch t := unbox(v).(type) {
	case []any:
		list := make([]any, len(t))
		for i, x := range t {
			list[i] = unboxAll(x)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(t))
		for k, x := range t {
			m[k] = unboxAll(x)
		}
		return m
	default:
		return t
	}
}

// takenFrom returns the names of two functions that take a value of type t, of cells, out
// of an interface of type from: one reports whether it is there, the other panics where it
// isn't. A value without a box, as compiled code may have it that has looked into one, is
// good for the second.
func (r *rewriter) takenFrom(t, from types.Type) (asks, must string, ok bool) {
	text, ok1 := r.types.write(t)
	source, ok2 := r.types.write(from)
	if !ok1 || !ok2 {
		return "", "", false
	}
	given := "v"
	if !isAny(from) {
		given = "[]" + source + "{v}"
	}
	asks = r.made("vlabAs")
	r.out.decls = append(r.out.decls, fmt.Sprintf(
		"func %[1]s(v %[2]s) (%[3]s, bool) { var none %[3]s; if v == nil { return none, false }; k := vlabRT.Kind(%[4]s); "+
			"if k == \"\" { x, ok := vlabRT.Loose(%[4]s, %[7]t).(%[3]s); return x, ok }; if k != %[5]q { return none, false }; x, ok := vlabRT.Bare(%[4]s).(%[3]s); return x, ok }\n"+
			"func %[1]sMust(v %[2]s) %[3]s { k := vlabRT.Kind(%[4]s); if k != \"\" && k != %[5]q { vlabRT.NotType(%[4]s, %[6]q) }; return vlabRT.Bare(%[4]s).(%[3]s) }",
		asks, source, text, given, text, typeName(t), isAny(from) && r.wantsBox(t)))
	return asks, asks + "Must", true
}

// loose returns a value of no known type of cells, for an assertion to one: an any that
// wants boxes has had it from elsewhere.
func (e *Engine) loose(v any, wantsBox bool) any {
	if wantsBox {
		return nil
	}
	return e.bare(v)
}

// notType panics as an assertion to a type does.
func (e *Engine) notType(v any, name string) {
	s := e.heldIn(v)
	panic(runtimeError("interface conversion: interface {} is " + typeName(s.t) + ", not " + name))
}

// intoCases writes a switch over an interface's value: what it compares.
func (r *rewriter) intoCases(s *ast.SwitchStmt) {
	if s.Tag == nil || !types.IsInterface(r.bound.apply(r.p.info.Types[s.Tag].Type)) {
		return
	}
	r.intoBare(s.Tag)
	for _, c := range s.Body.List {
		if c, ok := c.(*ast.CaseClause); ok {
			for _, x := range c.List {
				r.intoBare(x)
			}
		}
	}
}
