package engine

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
)

// builtin replaces the builtin functions that the interpreter lacks.
func (r *rewriter) builtin(call *ast.CallExpr) {
	id, ok := call.Fun.(*ast.Ident)
	if !ok {
		return
	}
	b, ok := r.p.info.Uses[id].(*types.Builtin)
	if !ok {
		return
	}
	switch b.Name() {
	case "clear":
		r.edits.Replace(r.p.offset(id.Pos()), r.p.offset(id.End()), "vlabRT.Clear")
	case "min", "max":
		r.extreme(call, id, b.Name())
	case "real", "imag":
		if v := r.p.info.Types[call].Value; v != nil {
			f, _ := constant.Float64Val(v)
			r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(call.End()), fmt.Sprintf("(%#v)", f))
		}
	case "new":
		r.newOf(call)
	case "make":
		r.makeOf(call)
	case "delete":
		if m, ok := under[*types.Map](r.bound.apply(r.p.info.Types[call.Args[0]].Type)); ok {
			r.intoKey(m.Key(), call.Args[1])
		}
	case "recover":
		r.recovered(call)
	}
}

// recovered writes a recover: in a function that the cell defers at its top it takes
// the cell's panic, and elsewhere the value is what Go would give.
func (r *rewriter) recovered(call *ast.CallExpr) {
	if n := len(r.around); n > 0 && r.deferred[r.around[n-1].node] {
		r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(call.End()), "vlabRT.Recover()")
		return
	}
	r.edits.Insert(r.p.offset(call.Pos()), "vlabRT.Recovered(")
	r.edits.Close(r.p.offset(call.Pos()), r.p.offset(call.End()), ")")
}

// makeOf writes a channel of one direction as one of both.
func (r *rewriter) makeOf(call *ast.CallExpr) {
	c, ok := under[*types.Chan](r.bound.apply(r.p.info.Types[call].Type))
	if !ok || c.Dir() == types.SendRecv {
		return
	}
	if typ, ok := r.types.write(types.NewChan(types.SendRecv, c.Elem())); ok {
		r.edits.Replace(r.p.offset(call.Args[0].Pos()), r.p.offset(call.Args[0].End()), typ)
	}
}

// newOf writes new of a value.
func (r *rewriter) newOf(call *ast.CallExpr) {
	x := call.Args[0]
	tv := r.p.info.Types[x]
	if tv.IsType() {
		return
	}
	t, ok := r.types.write(types.Default(r.bound.apply(tv.Type)))
	if !ok {
		return
	}
	r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(x.Pos()), "func() *"+t+" { var v "+t+" = ")
	r.edits.Replace(r.p.offset(x.End()), r.p.offset(call.End()), "; return &v }()")
}

// extreme writes min and max as a constant, or as a call of a function for the
// type at hand.
func (r *rewriter) extreme(call *ast.CallExpr, id *ast.Ident, name string) {
	tv := r.p.info.Types[call]
	tv.Type = r.bound.apply(tv.Type)
	if tv.Value != nil {
		text := tv.Value.ExactString()
		if tv.Value.Kind() == constant.Float {
			text = "(" + text + ".0)" // a quotient of whole numbers otherwise
			if f, exact := constant.Float64Val(tv.Value); exact || f != 0 {
				text = fmt.Sprintf("%#v", f)
			}
		}
		r.edits.Replace(r.p.offset(call.Pos()), r.p.offset(call.End()), text)
		return
	}
	typ, ok := r.types.write(types.Default(tv.Type))
	if !ok {
		return
	}
	less := "<"
	if name == "max" {
		less = ">"
	}
	fn := fmt.Sprintf("vlab_%s%d", name, r.e.next())
	r.out.decls = append(r.out.decls, fmt.Sprintf(
		"func %s(x %s, r ...%s) %s { for _, y := range r { if y %s x || y != y { x = y } }; return x }", fn, typ, typ, typ, less))
	r.edits.Replace(r.p.offset(id.Pos()), r.p.offset(id.End()), fn)
}
