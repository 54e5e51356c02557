package table

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"

	"vlab/repl/session/symbols/comments"
)

// Docs returns what a package says of its exported names, from its source.
func Docs(ctx context.Context, importPath string) (comments.Package, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}{{range .GoFiles}}\n{{.}}{{end}}{{range .CgoFiles}}\n{{.}}{{end}}", importPath).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", importPath, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	fset := token.NewFileSet()
	files := make([]*ast.File, 0, len(lines)-1)
	for _, name := range lines[1:] {
		f, err := parser.ParseFile(fset, filepath.Join(lines[0], name), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", importPath, err)
		}
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, importPath)
	if err != nil {
		return nil, fmt.Errorf("read the comments of %s: %w", importPath, err)
	}
	docs := comments.Package{"": {Text: pkg.Doc}}
	functions := func(prefix string, list []*doc.Func) {
		for _, f := range list {
			docs[prefix+f.Name] = comments.Comment{Text: f.Doc, Params: params(f.Decl.Type)}
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, name := range v.Names {
				docs[name] = comments.Comment{Text: v.Doc}
			}
		}
	}
	functions("", pkg.Funcs)
	values(append(pkg.Consts, pkg.Vars...))
	for _, t := range pkg.Types {
		docs[t.Name] = comments.Comment{Text: t.Doc}
		functions("", t.Funcs)
		functions(t.Name+".", t.Methods)
		values(append(t.Consts, t.Vars...))
		members(docs, t)
	}
	for name, c := range docs {
		c.Text = strings.TrimSpace(c.Text)
		docs[name] = c
		if c.Text == "" && c.Params == nil {
			delete(docs, name)
		}
	}
	return docs, nil
}

// params returns the names of a function's parameters; none where they have no names.
func params(f *ast.FuncType) []string {
	var names []string
	for _, p := range f.Params.List {
		for _, id := range p.Names {
			names = append(names, id.Name)
		}
	}
	return names
}

// members adds the comments of a structure's fields and of an interface's methods.
func members(docs comments.Package, t *doc.Type) {
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		var list []*ast.Field
		switch x := s.Type.(type) {
		case *ast.StructType:
			list = x.Fields.List
		case *ast.InterfaceType:
			list = x.Methods.List
		}
		for _, f := range list {
			c := comments.Comment{Text: cmp.Or(f.Doc.Text(), f.Comment.Text())}
			if fun, ok := f.Type.(*ast.FuncType); ok && len(f.Names) == 1 {
				c.Params = params(fun)
			}
			for _, id := range f.Names {
				if id.IsExported() {
					docs[t.Name+"."+id.Name] = c
				}
			}
		}
	}
}
