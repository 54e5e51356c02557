package table

import (
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
)

// Docs returns the doc comments of a package's exported names from its source, by
// name, and of methods and fields by Type.Name.
func Docs(ctx context.Context, importPath string) (map[string]string, error) {
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
	docs := map[string]string{"": pkg.Doc}
	functions := func(prefix string, list []*doc.Func) {
		for _, f := range list {
			docs[prefix+f.Name] = f.Doc
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, name := range v.Names {
				docs[name] = v.Doc
			}
		}
	}
	functions("", pkg.Funcs)
	values(append(pkg.Consts, pkg.Vars...))
	for _, t := range pkg.Types {
		docs[t.Name] = t.Doc
		functions("", t.Funcs)
		functions(t.Name+".", t.Methods)
		values(append(t.Consts, t.Vars...))
		fields(docs, t)
	}
	for name, text := range docs {
		if text = strings.TrimSpace(text); text == "" {
			delete(docs, name)
		} else {
			docs[name] = text
		}
	}
	return docs, nil
}

// fields adds the comments of a structure's fields.
func fields(docs map[string]string, t *doc.Type) {
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		structure, ok := s.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range structure.Fields.List {
			text := f.Doc.Text()
			if text == "" {
				text = f.Comment.Text()
			}
			for _, id := range f.Names {
				if id.IsExported() {
					docs[t.Name+"."+id.Name] = text
				}
			}
		}
	}
}
