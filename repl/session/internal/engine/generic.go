package engine

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// generic is the declaration of a generic function or type, of a cell or of a
// template. The interpreter never sees it: each list of type arguments makes an
// instance, a declaration of its own with the arguments in the parameters' places.
type generic struct {
	text
	fn      *ast.FuncDecl // of a function
	spec    *ast.TypeSpec // of a type
	params  []*types.TypeParam
	methods []genericMethod
}

// text is where a declaration was checked, and the cell that it is of; 0 for a
// template.
type text struct {
	p   *part
	num int
}

// genericMethod is a method of a generic type; it has names of its own for the
// type's parameters.
type genericMethod struct {
	text
	decl     *ast.FuncDecl
	receiver ast.Expr
	params   []*types.TypeParam
}

// instance is a generic function or type with type arguments.
type instance struct {
	of   types.Object
	args []types.Type
	name string // for the interpreter
}

// instanceKey tells instances apart, their arguments as the interpreter reads them.
type instanceKey struct {
	of   types.Object
	args string
}

// instanceOf returns the interpreter's name of an instance, which is made with the
// cell at hand where there is none; ok is false where it can't be.
func (w *typeWriter) instanceOf(of types.Object, args []types.Type) (name string, ok bool) {
	texts := make([]string, len(args))
	for i, a := range args {
		if texts[i], ok = w.write(a); !ok {
			return "", false
		}
	}
	e := w.e
	if of.Pkg() == nil || of.Pkg().Path() != "main" && e.genericOf(of) == nil {
		return "", false
	}
	key := instanceKey{of, strings.Join(texts, ", ")}
	if name, ok := e.instances[key]; ok {
		return name, true
	}
	name = e.internalName(of.Name() + "_")
	e.instances[key] = name
	e.asked = append(e.asked, instance{of, args, name})
	e.fresh.instances = append(e.fresh.instances, key)
	return name, true
}

// made is what a cell has made beside its names.
type made struct {
	instances []instanceKey
	types     []string // the interpreter's names
	casts     []string
	froms     []castFrom
	methods   []extension
}

// forget takes back what the interpreter has not got.
func (e *Engine) forget(m made) {
	for _, k := range m.instances {
		delete(e.instances, k)
	}
	for _, name := range m.types {
		delete(e.shaped.byName, name)
	}
	for _, f := range m.froms {
		delete(f.of.froms, f.from)
	}
	for _, text := range m.casts {
		delete(e.casts, text)
	}
	for _, x := range m.methods {
		x.takeBack()
	}
}

// genericOf returns the declaration of a generic object, nil where there is none.
func (e *Engine) genericOf(of types.Object) *generic {
	if g := e.generics[of]; g != nil || of.Pkg() == nil {
		return g
	}
	t := e.mirror.Template(of.Pkg().Path())
	if t == nil {
		return nil
	}
	in := text{p: &part{src: t.Src, fset: t.Fset, file: t.File, info: t.Info, path: of.Pkg().Path()}}
	var methods []*ast.FuncDecl
	for _, d := range t.File.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				methods = append(methods, d)
				continue
			}
			e.addGeneric(in, d.Name, d, nil)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if spec, ok := s.(*ast.TypeSpec); ok {
					e.addGeneric(in, spec.Name, nil, spec)
				}
			}
		}
	}
	for _, d := range methods {
		base, _ := receiverParts(d.Recv.List[0].Type)
		if base != nil {
			e.addGenericMethod(in, d, d.Recv.List[0].Type, in.p.info.Uses[base])
		}
	}
	return e.generics[of]
}

// addGeneric notes a declaration of a generic function or type under its object.
func (e *Engine) addGeneric(in text, id *ast.Ident, fn *ast.FuncDecl, spec *ast.TypeSpec) {
	g := &generic{text: in, fn: fn, spec: spec}
	list := (*ast.FieldList)(nil)
	if fn != nil {
		list = fn.Type.TypeParams
	} else {
		list = spec.TypeParams
	}
	if list != nil {
		for _, f := range list.List {
			g.params = append(g.params, in.p.typeParams(f.Names)...)
		}
	}
	if obj := in.p.info.Defs[id]; obj != nil {
		e.generics[obj] = g
	}
}

// addGenericMethod adds a method to its type.
func (e *Engine) addGenericMethod(in text, d *ast.FuncDecl, receiver ast.Expr, of types.Object) {
	g := e.generics[of]
	if g == nil {
		return
	}
	_, names := receiverParts(receiver)
	g.methods = append(g.methods, genericMethod{text: in, decl: d, receiver: receiver, params: in.p.typeParams(names)})
}

// typeParams returns the parameters that identifiers declare, nil for a blank one.
func (p *part) typeParams(names []*ast.Ident) []*types.TypeParam {
	list := make([]*types.TypeParam, len(names))
	for i, id := range names {
		if obj := p.info.Defs[id]; obj != nil {
			list[i], _ = obj.Type().(*types.TypeParam)
		}
	}
	return list
}

// receiverParts returns the type's name and the parameters' in a generic receiver,
// nil for another receiver.
func receiverParts(t ast.Expr) (base *ast.Ident, params []*ast.Ident) {
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
			continue
		case *ast.ParenExpr:
			t = x.X
			continue
		}
		break
	}
	var args []ast.Expr
	switch x := t.(type) {
	case *ast.IndexExpr:
		t, args = x.X, []ast.Expr{x.Index}
	case *ast.IndexListExpr:
		t, args = x.X, x.Indices
	default:
		return nil, nil
	}
	base, _ = t.(*ast.Ident)
	for _, a := range args {
		if id, ok := a.(*ast.Ident); ok {
			params = append(params, id)
		}
	}
	return base, params
}

// declareGenerics notes the generic functions, types and methods that a cell
// declares; decls and bodies are its two parts.
func (e *Engine) declareGenerics(num int, decls, bodies *part, n *names) {
	for _, d := range decls.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			if spec, ok := s.(*ast.TypeSpec); ok && spec.TypeParams != nil {
				e.addGeneric(text{decls, num}, spec.Name, nil, spec)
			}
		}
	}
	in := text{bodies, num}
	for _, d := range bodies.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if receiver := bodies.receivers[f]; receiver != nil {
			if base, _ := receiverParts(receiver); base != nil && n.get(base.Name) != nil {
				e.addGenericMethod(in, f, receiver, n.get(base.Name).obj)
			}
			continue
		}
		if f.Type.TypeParams == nil {
			continue
		}
		if s := n.get(identAt(bodies.src[bodies.offset(f.Name.NamePos):])); s != nil {
			g := &generic{text: in, fn: f}
			for _, field := range f.Type.TypeParams.List {
				g.params = append(g.params, bodies.typeParams(field.Names)...)
			}
			e.generics[s.obj] = g
		}
	}
}

// isGeneric reports whether a function of a cell is written as instances only.
func (p *part) isGeneric(f *ast.FuncDecl) bool {
	if receiver := p.receivers[f]; receiver != nil {
		base, _ := receiverParts(receiver)
		return base != nil
	}
	return f.Type.TypeParams != nil
}

// writeInstances returns the declarations of all instances that were asked for, of
// those that they ask for in turn, and what else waits for the cell's declarations.
func (e *Engine) writeInstances(out *chunk) string {
	var b strings.Builder
	for len(e.asked)+len(e.later) > 0 {
		if len(e.asked) == 0 {
			write := e.later[0]
			e.later = e.later[1:]
			b.WriteString(write())
			continue
		}
		i := e.asked[0]
		e.asked = e.asked[1:]
		b.WriteString(e.writeInstance(i, out))
	}
	return b.String()
}

func (e *Engine) writeInstance(i instance, out *chunk) string {
	g := e.genericOf(i.of)
	if g == nil {
		return ""
	}
	if g.fn != nil {
		r := e.instanceRewriter(g.text, bind(g.params, i.args), out)
		if list := g.fn.Type.TypeParams; list != nil {
			r.edits.Replace(r.p.offset(list.Opening), r.p.offset(list.Closing)+1, "")
		}
		return r.declaration(g.fn, i.name, i.of.Name())
	}
	r := e.instanceRewriter(g.text, bind(g.params, i.args), out)
	r.rewrite(g.spec.Type, -1)
	text := "type " + i.name + " " + r.apply(g.spec.Type.Pos(), g.spec.Type.End()) + "\n"
	for _, m := range g.methods {
		r := e.instanceRewriter(m.text, bind(m.params, i.args), out)
		star := ""
		if _, ok := m.receiver.(*ast.StarExpr); ok {
			star = "*"
		}
		r.edits.Replace(r.p.offset(m.receiver.Pos()), r.p.offset(m.receiver.End()), star+i.name)
		text += r.declaration(m.decl, "", i.of.Name())
	}
	if named, err := types.Instantiate(nil, i.of.Type(), i.args, false); err == nil && i.of.Pkg().Path() == "main" {
		text += e.tell(i.name, named)
	}
	return text
}

// instanceRewriter returns a rewriter for an instance. What a template does at
// which of its lines tells a user nothing.
func (e *Engine) instanceRewriter(in text, b binding, out *chunk) *rewriter {
	r := e.newRewriter(in.p, in.num, false)
	r.out, r.bound, r.types.bound, r.quiet = out, b, b, in.num == 0
	return r
}

// declaration writes a function or, with no name, a method.
func (r *rewriter) declaration(f *ast.FuncDecl, name, shown string) string {
	if name != "" {
		at := r.p.offset(f.Name.NamePos)
		r.edits.Replace(at, at+len(identAt(r.p.src[at:])), name)
	}
	r.rewrite(f, -1)
	if !r.quiet && f.Body != nil {
		r.e.places[r.placeOf(f)].name = shown
	}
	return r.apply(f.Pos(), f.End()) + "\n"
}

// instantiation writes an instance in the place of whole, whose generic name is x;
// it reports false where x names nothing generic.
func (r *rewriter) instantiation(whole, x ast.Expr) bool {
	var id *ast.Ident
	switch x := x.(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	default:
		return false
	}
	inst, ok := r.p.info.Instances[id]
	if !ok {
		return false
	}
	text := ""
	switch obj := r.p.info.Uses[id].(type) {
	case *types.Func:
		text, ok = r.types.instanceOf(obj, r.bound.list(inst.TypeArgs))
	case *types.TypeName:
		text, ok = r.types.write(r.bound.apply(inst.Type))
	default:
		return false
	}
	if !ok {
		return false
	}
	r.edits.Replace(r.p.offset(whole.Pos()), r.p.offset(whole.End()), r.asOperand(whole, text))
	return true
}

// asOperand puts a type that a value is converted to in brackets where it needs them.
func (r *rewriter) asOperand(x ast.Expr, text string) string {
	if r.converts[x] && strings.ContainsAny(text, "*([< ") {
		return "(" + text + ")"
	}
	return text
}
