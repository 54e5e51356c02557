package engine

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"slices"

	"vlab/repl/session/internal/cell"
)

// A method that a cell gives a type of an earlier cell is added to the type, or takes the
// place of its method of that name, so that all values that there are have it. Generic
// types are made anew instead, see [Engine.companions].

// extension is a method that a type got after its declaration.
type extension struct {
	of     *types.Named
	name   string // the interpreter's of the type
	method *types.Func
	before *types.Func // what it takes the place of, nil for none
}

// same reports whether what was compiled with the method before can call the new one.
func (x extension) same() bool {
	return x.before != nil && types.Identical(x.before.Signature(), x.method.Signature()) &&
		types.Identical(x.before.Signature().Recv().Type(), x.method.Signature().Recv().Type())
}

// extends returns the type of an earlier cell that a method is added to, nil for other
// declarations; defined are the names that the cell declares.
func (e *Engine) extends(f *ast.File, defined map[string]bool) *types.Named {
	base := receiverBase(f)
	s := e.names.get(base)
	if base == "" || defined[base] || s == nil {
		return nil
	}
	n, ok := types.Unalias(s.obj.Type()).(*types.Named)
	if _, isType := s.obj.(*types.TypeName); !ok || !isType || n.TypeParams().Len() > 0 || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" {
		return nil
	}
	if types.IsInterface(n) {
		return nil
	}
	name := methodName(f)
	if st, ok := under[*types.Struct](n); ok {
		for field := range st.Fields() {
			if field.Name() == name {
				return nil
			}
		}
	}
	return n
}

// methodName returns the name of a file's method.
func methodName(f *ast.File) string {
	for _, d := range f.Decls {
		if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil {
			return m.Name.Name
		}
	}
	return ""
}

// splitExtensions returns the pieces of a cell that add methods to earlier cells' types,
// and the others.
func (e *Engine) splitExtensions(src string, pieces []cell.Piece) (extensions, others []cell.Piece) {
	defined := map[string]bool{}
	files := make([]*ast.File, len(pieces))
	for i, p := range pieces {
		if p.Kind != cell.Type && p.Kind != cell.Func {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+src[p.Start:p.End], parser.SkipObjectResolution)
		if err != nil {
			continue // the check will say what is wrong
		}
		files[i] = f
		for _, id := range declared(f) {
			defined[id.Name] = true
		}
	}
	for i, p := range pieces {
		if files[i] != nil && p.Kind == cell.Func && e.extends(files[i], defined) != nil {
			extensions = append(extensions, p)
			continue
		}
		others = append(others, p)
	}
	return extensions, others
}

// extend checks the signatures of methods and adds them to their types.
func (e *Engine) extend(c *checker, pieces []cell.Piece) error {
	if len(pieces) == 0 {
		return nil
	}
	p, err := c.parse("", masked(c.src, pieces, cell.Func), "\n", 0)
	if err != nil {
		return err
	}
	type method struct {
		decl *ast.FuncDecl
		name string
		of   *types.Named
	}
	var list []method
	for _, d := range p.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		of := e.extends(&ast.File{Decls: []ast.Decl{f}}, nil)
		list = append(list, method{f, f.Name.Name, of})
		f.Name = &ast.Ident{NamePos: f.Name.NamePos, Name: "_"}
		c.receiverFirst(f)
	}
	if errs := c.check(p, nil, false); len(errs) > 0 {
		return c.fault(p, errs)
	}
	for _, m := range list {
		f, ok := p.info.Defs[m.decl.Name].(*types.Func)
		if !ok || m.of == nil {
			return faultAt("method "+m.name+" can't be declared", c.src, p.offset(m.decl.Pos()))
		}
		if slices.ContainsFunc(e.fresh.methods, func(x extension) bool { return x.of == m.of && x.method.Name() == m.name }) {
			return faultAt(fmt.Sprintf("method %s.%s already declared", m.of.Obj().Name(), m.name), c.src, p.offset(m.decl.Name.Pos()))
		}
		params := slices.Collect(f.Signature().Params().Variables())
		sig := types.NewSignatureType(params[0], nil, nil, types.NewTuple(params[1:]...), f.Signature().Results(), f.Signature().Variadic())
		added := types.NewFunc(token.NoPos, m.of.Obj().Pkg(), m.name, sig)
		x := extension{of: m.of, name: e.objects[m.of.Obj()].internal, method: added}
		x.add()
		e.fresh.methods = append(e.fresh.methods, x)
	}
	return nil
}

// add gives the type the method.
func (x *extension) add() {
	list := *methodsOf(x.of)
	i := slices.IndexFunc(list, func(m *types.Func) bool { return m.Name() == x.method.Name() })
	if i < 0 {
		x.of.AddMethod(x.method)
		return
	}
	x.before, list[i] = list[i], x.method
}

// takeBack makes the type what it was.
func (x extension) takeBack() {
	list := methodsOf(x.of)
	i := slices.Index(*list, x.method)
	switch {
	case i < 0:
	case x.before != nil:
		(*list)[i] = x.before
	default:
		*list = slices.Delete(*list, i, i+1)
	}
}

// methodsOf returns where go/types keeps a type's methods.
func methodsOf(n *types.Named) *[]*types.Func {
	f := reflect.ValueOf(n).Elem().FieldByName("methods")
	return (*[]*types.Func)(f.Addr().UnsafePointer()) // as checkLayout has found it
}

// retell writes what tells the session of the methods that types have got.
func (e *Engine) retell() string {
	text := ""
	for name, d := range e.shaped.byName {
		if named, ok := types.Unalias(d.typ).(*types.Named); ok && slices.ContainsFunc(e.fresh.methods, func(x extension) bool { return has(named, x.method) }) {
			text += e.outOfCasts(name) + e.told(name, named)
		}
	}
	return text
}

// has reports whether a type, or a pointer to it, has a method, its own or by what it
// embeds.
func has(n *types.Named, m *types.Func) bool {
	if types.IsInterface(n) {
		return false
	}
	sel := types.NewMethodSet(types.NewPointer(n)).Lookup(m.Pkg(), m.Name())
	return sel != nil && sel.Obj() == m
}

// compiledMethods returns the lists in which the interpreter has the methods of a type:
// its own and, once there is one, that of the pointer to it.
func (e *Engine) compiledMethods(name string) []reflect.Value {
	var lists []reflect.Value
	for it := reflect.ValueOf(e.in).Elem().FieldByName("scopes").MapRange(); it.Next(); {
		sym := it.Value().Elem().FieldByName("sym").MapIndex(reflect.ValueOf(name))
		if !sym.IsValid() || sym.IsNil() || sym.Elem().FieldByName("typ").IsNil() {
			continue
		}
		typ := sym.Elem().FieldByName("typ").Elem()
		lists = append(lists, writable(typ.FieldByName("method")))
		if ptr := typ.FieldByName("ptr"); !ptr.IsNil() {
			lists = append(lists, writable(ptr.Elem().FieldByName("method")))
		}
	}
	return lists
}

// writable returns a field of the interpreter's as one that can be set.
func writable(f reflect.Value) reflect.Value {
	return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem() // as checkLayout has found it
}

// settleMethods lets what was compiled with a method call the one that took its place.
// The interpreter finds the first of a name: the new one's content goes there, or, where
// earlier calls don't fit it, the old one leaves the list.
func (e *Engine) settleMethods(list []extension) {
	for _, x := range list {
		for _, methods := range e.compiledMethods(x.name) {
			found := placesOf(methods, x.method.Name())
			if len(found) < 2 {
				continue
			}
			first, last := found[0], found[len(found)-1]
			gone := first
			if x.before == nil || x.same() { // before stands what promoted has written
				whole(methods.Index(first)).Set(whole(methods.Index(last)))
				gone = last
			}
			without(methods, gone)
		}
	}
}

// dropMethods takes methods back that a cell which has failed left with the interpreter.
func (e *Engine) dropMethods(list []extension) {
	for _, x := range list {
		for _, methods := range e.compiledMethods(x.name) {
			found := placesOf(methods, x.method.Name())
			if len(found) > 1 || len(found) == 1 && x.before == nil {
				without(methods, found[len(found)-1])
			}
		}
	}
}

// placesOf returns where a list of the interpreter's has the methods of a name.
func placesOf(methods reflect.Value, name string) []int {
	var found []int
	for i := range methods.Len() {
		if methods.Index(i).Elem().FieldByName("ident").String() == name {
			found = append(found, i)
		}
	}
	return found
}

// without takes the i-th method out of a list.
func without(methods reflect.Value, i int) {
	methods.Set(reflect.AppendSlice(methods.Slice(0, i), methods.Slice(i+1, methods.Len())))
}

// whole returns what a pointer of the interpreter's points to, as it can be set.
func whole(p reflect.Value) reflect.Value {
	return reflect.NewAt(p.Type().Elem(), p.UnsafePointer()).Elem()
}
