package engine

import (
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"vlab/repl/session/display"
	"vlab/repl/session/symbols"
	"vlab/repl/session/symbols/comments"
)

// Inspect describes the name at byte offset pos of code; found is false where
// nothing is known of it. Values of variables are told where no cell runs, which
// could be changing them.
func (e *Engine) Inspect(code string, pos int) (text string, found bool) {
	idle := e.busy.TryLock()
	if idle {
		defer e.busy.Unlock()
	}
	return e.inspect(code, pos, idle)
}

// inspect is Inspect, with a variable's value where values says so. It is written
// when the lock is free again: methods of cells' types, which it may call, take it.
func (e *Engine) inspect(code string, pos int, values bool) (text string, found bool) {
	text, variable, found := e.described(code, pos, values)
	if variable.IsValid() && variable.CanInterface() {
		text = below(text, e.summary(variable.Interface()))
	}
	return text, found
}

// described describes what stands at pos; the value is a variable's.
func (e *Engine) described(code string, pos int, values bool) (text string, value reflect.Value, found bool) {
	pos = min(max(pos, 0), len(code))
	end := pos
	for end < len(code) {
		if !isIdentRune(rune(code[end])) {
			break
		}
		end++
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	expr := operand(code[:end])
	if expr == "" {
		// Among a call's arguments the function is meant.
		c, ok := callAround(code, pos)
		if !ok {
			return "", value, false
		}
		expr = c.fun
	}
	table := e.namesBefore(code, identStart(code, end)-len(expr))
	if path, ok := table.imports[expr]; ok {
		var names []string
		for _, m := range e.members(table, expr) {
			names = append(names, m.Text)
		}
		return below("package "+expr+" ("+path+")", e.comment(path, "").Text) + "\n\n" + strings.Join(names, " "), value, true
	}
	obj := e.objectOf(table, expr)
	if obj == nil {
		return "", value, false
	}
	s := table.get(expr)
	if s == nil || s.obj != obj {
		c := e.commentOf(table, expr, obj)
		return below(describe(obj, c.Params), c.Text), value, true
	}
	if _, ok := obj.(*types.Var); ok && values {
		value = e.marks()[s.internal]
	}
	return below(describe(obj, nil), e.sourceOf(s)), value, true
}

// below puts text below a head, with a line between; no text leaves it alone.
func below(head, text string) string {
	if text == "" {
		return head
	}
	return head + "\n\n" + text
}

// comment returns what a package says of a name.
func (e *Engine) comment(importPath, name string) comments.Comment {
	if e.opts.Comment != nil {
		if c := e.opts.Comment(importPath, name); c.Text != "" || c.Params != nil {
			return c
		}
	}
	return symbols.Comment(importPath, name)
}

// commentOf returns what is said of a package's object, of which expr speaks.
func (e *Engine) commentOf(table *names, expr string, obj types.Object) comments.Comment {
	if obj.Pkg() == nil || obj.Pkg().Path() == "main" {
		return comments.Comment{}
	}
	if obj.Parent() != obj.Pkg().Scope() { // a method or a field
		return e.memberComment(e.typeOf(table, expr[:max(strings.LastIndexByte(expr, '.'), 0)]), obj)
	}
	return e.comment(obj.Pkg().Path(), obj.Name())
}

// memberComment returns what is said of a field or a method of a type, or of what that
// points to.
func (e *Engine) memberComment(t types.Type, obj types.Object) comments.Comment {
	if obj.Pkg() == nil || obj.Pkg().Path() == "main" {
		return comments.Comment{}
	}
	if p, ok := under[*types.Pointer](t); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return comments.Comment{}
	}
	return e.comment(obj.Pkg().Path(), n.Obj().Name()+"."+obj.Name())
}

// sourceOf returns the source of a function or a type of cells.
func (e *Engine) sourceOf(s *symbol) string {
	src := e.sources[s.name]
	if _, variable := s.obj.(*types.Var); variable || src == nil {
		return ""
	}
	return strings.Join(append([]string{src.text}, src.methods...), "\n")
}

// objectOf returns the object that a name or a selector means.
func (e *Engine) objectOf(table *names, expr string) types.Object {
	if s := table.get(expr); s != nil {
		return s.obj
	}
	if obj := types.Universe.Lookup(expr); obj != nil {
		return obj
	}
	dot := strings.LastIndexByte(expr, '.')
	if dot < 0 {
		return nil
	}
	base, name := expr[:dot], expr[dot+1:]
	if path, ok := table.imports[base]; ok {
		pkg, err := e.mirror.Import(path)
		if err != nil {
			return nil
		}
		return pkg.Scope().Lookup(name)
	}
	t := e.typeOf(table, base)
	if t == nil {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, types.NewPackage("main", "main"), name)
	return obj
}

// describe writes an object's declaration, with names for a function's parameters
// where they are known, and below a type its methods.
func describe(obj types.Object, params []string) string {
	if f, ok := obj.(*types.Func); ok && len(params) == f.Signature().Params().Len() {
		obj = types.NewFunc(f.Pos(), f.Pkg(), f.Name(), named(f.Signature(), params))
	}
	text := types.ObjectString(obj, shortPackage)
	name, ok := obj.(*types.TypeName)
	if !ok {
		return text
	}
	var methods []string
	set := types.NewMethodSet(types.NewPointer(name.Type()))
	for i := range set.Len() {
		if f := set.At(i).Obj(); ast.IsExported(f.Name()) {
			methods = append(methods, types.ObjectString(f, shortPackage))
		}
	}
	slices.Sort(methods)
	return strings.Join(append([]string{text}, methods...), "\n")
}

// named returns a signature whose parameters have names.
func named(sig *types.Signature, names []string) *types.Signature {
	params := make([]*types.Var, len(names))
	for i, name := range names {
		p := sig.Params().At(i)
		params[i] = types.NewParam(p.Pos(), p.Pkg(), name, p.Type())
	}
	return types.NewSignatureType(sig.Recv(), nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())
}

// Forms returns an inspection's text as mime data.
func Forms(text string) map[string]any { return map[string]any{display.MIMETypeText: text} }
