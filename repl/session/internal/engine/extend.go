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

// A method that a cell gives a type of an earlier cell is added to the type, so that all
// values that there are have it. Where the type has a method of that name already it is
// made anew instead, see [Engine.companions].

// extension is a method that a type got after its declaration.
type extension struct {
	of     *types.Named
	method *types.Func
}

// extends returns the type of an earlier cell that a method is added to, nil for other
// declarations; defined are the names that the cell declares.
func (e *Engine) extends(f *ast.File, defined map[string]bool) *types.Named {
	base := receiverBase(f)
	s := e.names.get(base)
	if base == "" || defined[base] || s == nil {
		return nil
	}
	n, ok := s.obj.Type().(*types.Named)
	if _, isType := s.obj.(*types.TypeName); !ok || !isType || n.TypeParams().Len() > 0 || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" {
		return nil
	}
	if types.IsInterface(n) || n.Obj() != s.obj {
		return nil
	}
	name := methodName(f)
	for m := range n.Methods() {
		if m.Name() == name {
			return nil
		}
	}
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
		for old := range m.of.Methods() {
			if old.Name() == m.name {
				return faultAt(fmt.Sprintf("method %s.%s already declared", m.of.Obj().Name(), m.name), c.src, p.offset(m.decl.Name.Pos()))
			}
		}
		params := slices.Collect(f.Signature().Params().Variables())
		sig := types.NewSignatureType(params[0], nil, nil, types.NewTuple(params[1:]...), f.Signature().Results(), f.Signature().Variadic())
		added := types.NewFunc(token.NoPos, m.of.Obj().Pkg(), m.name, sig)
		m.of.AddMethod(added)
		e.fresh.methods = append(e.fresh.methods, extension{m.of, added})
	}
	return nil
}

// takeBack removes the method from its type again.
func (x extension) takeBack() {
	methods := methodsOf(x.of)
	*methods = slices.DeleteFunc(*methods, func(m *types.Func) bool { return m == x.method })
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
			text += e.told(name, named)
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
