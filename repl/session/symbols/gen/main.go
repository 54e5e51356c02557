// Command gen writes the table of what the standard library has beyond the tables
// that the interpreter comes with, which are of an older Go: run it by go generate in
// the folder above. Beside it stand the doc comments of the standard library.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"go/types"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"vlab/repl/session/symbols/table"

	"github.com/traefik/yaegi/stdlib"
)

// The generated files.
const (
	fileName = "std_table.go"
	docsName = "std_docs.zip"
)

func main() {
	for _, f := range []struct {
		name string
		make func(context.Context) ([]byte, error)
	}{{fileName, generate}, {docsName, generateDocs}} {
		content, err := f.make(context.Background())
		if err == nil {
			err = os.WriteFile(f.name, content, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "write "+f.name+":", err)
			os.Exit(1)
		}
	}
}

// generateDocs returns a zip file with a file of JSON for each package; its comment is
// the version of Go that they are of.
func generateDocs(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, p := range packages() {
		docs, err := table.Docs(ctx, p)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(docs)
		if err != nil {
			return nil, err
		}
		w, err := z.Create(p + ".json")
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.SetComment(runtime.Version())
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// newer lists packages that the interpreter has no table of.
func newer() []string {
	return []string{
		"crypto/hkdf", "crypto/mlkem", "crypto/pbkdf2", "crypto/sha3", "math/rand/v2", "structs", "testing/synctest",
		"go/version", "iter", "unique", "weak",
	}
}

// packages lists what is looked through.
func packages() []string {
	list := newer()
	for key := range stdlib.Symbols {
		p := path.Dir(key)
		if p == "." || strings.HasPrefix(p, "github.com/") || slices.Contains(list, p) {
			continue
		}
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

// generate returns the code of the table.
func generate(ctx context.Context) ([]byte, error) {
	pkgs, err := table.Load(ctx, packages()...)
	if err != nil {
		return nil, err
	}
	f := table.NewFile("symbols", "go generate in vlab/repl/session/symbols", true)
	var all strings.Builder
	for _, pkg := range pkgs {
		has := stdlib.Symbols[pkg.Path()+"/"+pkg.Name()]
		n := f.Add(pkg, func(name string) bool {
			_, known := has[name]
			return !known && !mentionsInternal(pkg.Scope().Lookup(name))
		})
		if n > 0 {
			fmt.Fprintf(&all, "\t\t%q: %sTable(),\n", pkg.Path()+"/"+pkg.Name(), f.Name(pkg))
		}
	}
	f.Import("github.com/traefik/yaegi/interp", "interp")
	f.Append("// Newer returns what the standard library has beyond the interpreter's own tables.\nfunc Newer() interp.Exports {\n\treturn interp.Exports{\n" + all.String() + "\t}\n}\n")
	return f.Source()
}

// mentionsInternal reports whether an interface speaks of types that only the
// standard library can name.
func mentionsInternal(obj types.Object) bool {
	i, ok := obj.Type().Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for m := range i.Methods() {
		if strings.Contains(types.TypeString(m.Type(), nil), "internal/") || !m.Exported() {
			return true
		}
	}
	return false
}
