package engine

import (
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"vlab/repl/session/display"
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
		// Behind an opening bracket the function before it is meant.
		expr = operand(strings.TrimRight(code[:end], "( "))
	}
	if expr == "" {
		return "", value, false
	}
	table := e.namesBefore(code, identStart(code, end)-len(expr))
	if path, ok := table.imports[expr]; ok {
		return below("package "+expr+" ("+path+")", e.doc(path, "")) + "\n\n" + strings.Join(e.members(table, expr), " "), value, true
	}
	obj := e.objectOf(table, expr)
	if obj == nil {
		return "", value, false
	}
	s := table.get(expr)
	if s == nil || s.obj != obj {
		return below(describe(obj), e.docOf(table, expr, obj)), value, true
	}
	if _, ok := obj.(*types.Var); ok && values {
		value = e.marks()[s.internal]
	}
	return below(describe(obj), e.sourceOf(s)), value, true
}

// below puts text below a head, with a line between; no text leaves it alone.
func below(head, text string) string {
	if text == "" {
		return head
	}
	return head + "\n\n" + text
}

// doc returns a doc comment.
func (e *Engine) doc(importPath, name string) string {
	if e.opts.Doc == nil {
		return ""
	}
	return e.opts.Doc(importPath, name)
}

// docOf returns the doc comment of a package's object, of which expr speaks.
func (e *Engine) docOf(table *names, expr string, obj types.Object) string {
	if obj.Pkg() == nil || obj.Pkg().Path() == "main" {
		return ""
	}
	name := obj.Name()
	if obj.Parent() != obj.Pkg().Scope() { // a method or a field
		t := e.typeOf(table, expr[:max(strings.LastIndexByte(expr, '.'), 0)])
		if p, ok := under[*types.Pointer](t); ok {
			t = p.Elem()
		}
		n, ok := types.Unalias(t).(*types.Named)
		if !ok {
			return ""
		}
		name = n.Obj().Name() + "." + name
	}
	return e.doc(obj.Pkg().Path(), name)
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

// describe writes an object's declaration, and below a type its methods.
func describe(obj types.Object) string {
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

// Forms returns an inspection's text as mime data.
func Forms(text string) map[string]any { return map[string]any{display.MIMETypeText: text} }
