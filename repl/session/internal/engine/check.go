package engine

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/mirror"
)

// part is some pieces of a cell that were checked together.
type part struct {
	src  string // the cell's text
	fset *token.FileSet
	file *ast.File
	info *types.Info
	base int    // offset in the file of the cell's first byte
	code string // what was parsed of the cell
	path string // of the package, for a template

	receivers map[*ast.FuncDecl]ast.Expr // of methods, whose receiver became a parameter
}

// offset returns the place in the cell of a position.
func (p *part) offset(pos token.Pos) int { return p.fset.PositionFor(pos, false).Offset - p.base }

// text returns the cell's text from one position to another.
func (p *part) text(from, to token.Pos) string { return p.src[p.offset(from):p.offset(to)] }

// checker checks parts of one cell against names.
type checker struct {
	src      string
	names    *names
	importer types.Importer

	musts       bool              // takeErrors has made calls of mustFunc
	goErrors    bool              // results that are errors are as in Go
	constraints []*types.TypeName // named ones of generic receivers, under names of ours
}

// parse parses text between head and tail. The text lies at start in the cell.
func (c *checker) parse(head, text, tail string, start int) (*part, error) {
	head = "package main\n" + c.names.importLines(text) + head
	p := &part{src: c.src, fset: token.NewFileSet(), base: len(head) - start, code: text}
	file, err := parser.ParseFile(p.fset, "cell", head+text+tail, parser.SkipObjectResolution)
	if err != nil {
		return nil, syntaxFault(err, c.src, p.base, start+len(strings.TrimRight(text, " \t\r\n")))
	}
	p.file = file
	return p, nil
}

// check runs go/types over a part and returns the errors that count.
func (c *checker) check(p *part, without map[string]bool, bodies bool) []types.Error {
	p.info = mirror.NewInfo()
	var hard []types.Error
	conf := types.Config{
		Importer:         c.importer,
		IgnoreFuncBodies: !bodies,
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); ok && !isSoft(e) {
				hard = append(hard, e)
			}
		},
	}
	pkg := c.names.scope(p.code, without)
	for _, obj := range c.constraints {
		pkg.Scope().Insert(obj)
	}
	if c.musts {
		pkg.Scope().Insert(mustFunc())
	}
	types.NewChecker(&conf, p.fset, pkg, p.info).Files([]*ast.File{p.file}) //nolint:errcheck // collected by conf.Error
	return hard
}

// fault turns errors of go/types into one fault at the first.
func (c *checker) fault(p *part, errs []types.Error) *Fault {
	msg := errs[0].Msg
	for _, e := range errs[1:] {
		if !strings.HasPrefix(e.Msg, "\t") {
			break
		}
		msg += "; " + strings.TrimSpace(e.Msg)
	}
	f := faultAt(msg, c.src, p.offset(errs[0].Pos))
	if m := inPlace.FindStringSubmatch(msg); m != nil {
		f.Traceback = append(f.Traceback, "hint: name its value first, v := "+m[1]+": an error then stops the cell")
	}
	return f
}

// inPlace matches a call that gives a value and an error where one value is wanted.
var inPlace = regexp.MustCompile(`^multiple-value (.+) \(value of type \([^,]+, error\)\) in single-value context`)

// statement parses and checks one piece as the body of a function.
func (c *checker) statement(piece cell.Piece) (*part, error) {
	p, err := c.parse("func _() {\n", c.src[piece.Start:piece.End], "\n}\n", piece.Start)
	if err != nil {
		return nil, err
	}
	errs := c.check(p, nil, true)
	// What an assignment gives decides what a later one may lack.
	for len(errs) > 0 && !c.goErrors && (c.dropErrors(p) || c.takeErrors(p)) {
		errs = c.check(p, nil, true)
	}
	if len(errs) > 0 {
		return nil, c.fault(p, errs)
	}
	return p, nil
}

// body returns the statements of a part made by statement.
func (p *part) body() []ast.Stmt {
	for _, d := range p.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			return f.Body.List
		}
	}
	return nil
}

// masked returns the cell's text with all but the pieces of some kinds blanked
// out, so that offsets stay.
func masked(src string, pieces []cell.Piece, kinds ...cell.Kind) string {
	b := []byte(src)
	for i, ch := range b {
		if ch != '\n' {
			b[i] = ' '
		}
	}
	for _, p := range pieces {
		for _, k := range kinds {
			if p.Kind == k {
				copy(b[p.Start:p.End], src[p.Start:p.End])
			}
		}
	}
	return string(b)
}

// declarations checks types, constants and the signatures of functions, and adds
// them to the names.
func (c *checker) declarations(pieces []cell.Piece) (*part, []*ast.Ident, error) {
	text := masked(c.src, pieces, cell.Type, cell.Const, cell.Func)
	p, err := c.parse("", text, "\n", 0)
	if err != nil {
		return nil, nil, err
	}
	idents := declared(p.file)
	without := map[string]bool{}
	for _, id := range idents {
		without[id.Name] = true
	}
	bracketTypes(p.file, without)
	errs := c.check(p, without, false)
	if len(errs) > 0 {
		return nil, nil, c.fault(p, errs)
	}
	return p, idents, nil
}

// bracketTypes puts brackets around an earlier cell's type where one is declared to be
// it: go/types looks for cycles among the names of the package's scope, and takes them
// all for names that the file declares.
func bracketTypes(f *ast.File, declares map[string]bool) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if id, ok := spec.Type.(*ast.Ident); ok && !declares[id.Name] {
				spec.Type = &ast.ParenExpr{Lparen: id.Pos(), X: id, Rparen: id.End() - 1}
			}
		}
	}
}

// declared returns the names that a file's declarations define at package level.
func declared(f *ast.File) []*ast.Ident {
	var idents []*ast.Ident
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "init" {
				idents = append(idents, d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					idents = append(idents, s.Name)
				case *ast.ValueSpec:
					idents = append(idents, s.Names...)
				}
			}
		}
	}
	return idents
}

// bodies checks the bodies of functions, once all that they may speak of is
// known. Methods are checked as functions whose first parameter is the receiver,
// because their types are declared already.
func (c *checker) bodies(pieces []cell.Piece) (*part, error) {
	p, err := c.parse("", masked(c.src, pieces, cell.Func), "\n", 0)
	if err != nil {
		return nil, err
	}
	p.receivers = map[*ast.FuncDecl]ast.Expr{}
	for _, d := range p.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name == "init" && f.Recv == nil {
			continue
		}
		f.Name = &ast.Ident{NamePos: f.Name.NamePos, Name: "_"}
		if f.Recv != nil && len(f.Recv.List) == 1 {
			p.receivers[f] = f.Recv.List[0].Type
			c.receiverFirst(f)
		}
	}
	if errs := c.check(p, nil, true); len(errs) > 0 {
		return nil, c.fault(p, errs)
	}
	return p, nil
}

// receiverFirst makes a method's receiver its first parameter, and the type
// parameters of a generic receiver its own.
func (c *checker) receiverFirst(f *ast.FuncDecl) {
	list := append([]*ast.Field{}, f.Recv.List...)
	if len(list) == 1 && len(list[0].Names) == 0 && anyNamed(f.Type.Params) {
		list[0] = &ast.Field{Names: []*ast.Ident{ast.NewIdent("_")}, Type: list[0].Type}
	} else if len(list) == 1 && len(list[0].Names) > 0 && !anyNamed(f.Type.Params) {
		for _, field := range f.Type.Params.List {
			field.Names = []*ast.Ident{ast.NewIdent("_")}
		}
	}
	params := *f.Type.Params
	params.List = append(list, params.List...)
	typ := *f.Type
	typ.Params = &params
	typ.TypeParams = c.receiverTypeParams(f.Recv)
	f.Type, f.Recv = &typ, nil
}

func anyNamed(l *ast.FieldList) bool { return len(l.List) > 0 && len(l.List[0].Names) > 0 }

// receiverTypeParams declares the parameters of a generic receiver with the
// constraints of its type.
func (c *checker) receiverTypeParams(recv *ast.FieldList) *ast.FieldList {
	if len(recv.List) == 0 {
		return nil
	}
	base, params := receiverParts(recv.List[0].Type)
	if base == nil || c.names.get(base.Name) == nil {
		return nil
	}
	named, ok := c.names.get(base.Name).obj.Type().(*types.Named)
	if !ok || named.TypeParams().Len() != len(params) {
		return nil
	}
	list := &ast.FieldList{}
	own := map[string]string{}
	for i, id := range params {
		own[named.TypeParams().At(i).Obj().Name()] = id.Name
	}
	for i, id := range params {
		constraint := c.constraint(named.TypeParams().At(i).Constraint(), own)
		if constraint == nil {
			return nil
		}
		list.List = append(list.List, &ast.Field{Names: []*ast.Ident{id}, Type: constraint})
	}
	return list
}

// constraint returns an expression for a constraint, or for a type in one, nil where it
// has none; named are the receiver's names of the type's parameters.
func (c *checker) constraint(t types.Type, named map[string]string) ast.Expr {
	if p, ok := t.(*types.TypeParam); ok {
		return ast.NewIdent(named[p.Obj().Name()])
	}
	n, isNamed := t.(*types.Named)
	if !hasParam(t, map[types.Type]bool{}) || isNamed {
		of := t
		if isNamed {
			of = n.Origin()
		}
		obj := types.NewTypeName(token.NoPos, types.NewPackage("main", "main"), fmt.Sprintf("vlabC%d", len(c.constraints)), of)
		c.constraints = append(c.constraints, obj)
		x := ast.Expr(ast.NewIdent(obj.Name()))
		if !isNamed || n.TypeArgs().Len() == 0 {
			return x
		}
		list := &ast.IndexListExpr{X: x}
		for a := range n.TypeArgs().Types() {
			arg := c.constraint(a, named)
			if arg == nil {
				return nil
			}
			list.Indices = append(list.Indices, arg)
		}
		return list
	}
	x, err := parser.ParseExpr(types.TypeString(t, func(p *types.Package) string { return strings.TrimPrefix(p.Name(), "main") }))
	if err != nil {
		return nil
	}
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && named[id.Name] != "" {
			id.Name = named[id.Name]
		}
		return true
	})
	return x
}
