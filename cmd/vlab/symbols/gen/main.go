// Command gen writes the interpreter's tables of the packages that cells use, and
// their doc comments: run it by go generate in the folder above.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"

	"vlab/repl/session/symbols/comments"
	"vlab/repl/session/symbols/table"
)

func main() {
	for _, path := range packages() {
		code, err := generate(context.Background(), path)
		if err == nil {
			err = os.WriteFile(fileOf(path), code, 0o644)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "write the table of %s: %v\n", path, err)
			os.Exit(1)
		}
	}
	docs, err := generateDocs(context.Background())
	if err == nil {
		err = os.WriteFile(docsName, docs, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "write "+docsName+":", err)
		os.Exit(1)
	}
}

// docsName is the file with the packages' doc comments.
const docsName = "docs.json"

// generateDocs returns it.
func generateDocs(ctx context.Context) ([]byte, error) {
	all := map[string]comments.Package{}
	for _, path := range append(packages(), "vlab/repl/session/display", "vlab/repl/session/widgets") {
		d, err := table.Docs(ctx, path)
		if err != nil {
			return nil, err
		}
		// What cells call as functions of a package are methods of these.
		for name, c := range d {
			for _, of := range []string{"Screen.", "Hub."} {
				if short, ok := strings.CutPrefix(name, of); ok {
					d[short] = c
				}
			}
		}
		all[path] = d
	}
	return json.MarshalIndent(all, "", "\t")
}

// packages lists the import paths that get a table.
func packages() []string { return []string{"vlab/albef/lab", "vlab/viz"} }

// fileOf returns the name of the file with a package's table.
func fileOf(importPath string) string { return path.Base(importPath) + "_table.go" }

// generate returns the code of a package's table.
func generate(ctx context.Context, importPath string) ([]byte, error) {
	pkgs, err := table.Load(ctx, importPath)
	if err != nil {
		return nil, err
	}
	f := table.NewFile("symbols", "go generate in vlab/cmd/vlab/symbols", false)
	f.Add(pkgs[0], func(string) bool { return true })
	return f.Source()
}
