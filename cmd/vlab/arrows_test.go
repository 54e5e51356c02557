package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the arrows: a package imports what stands below it, never what
// stands beside or above it. A folder stands for the packages in it that no
// longer path names. Within one folder imports are free.
var layers = [][]string{
	{"cmd", "notebooks", "albef/bench/growth"},
	{"repl", "kernel"},
	{"repl/session"},
	{"albef/lab", "albef/bench"},
	{"viz"},
	{"albef/task"},
	{"albef/train", "albef/data"},
	{"albef"},
	{"albef/torch", "albef/text", "albef/scenes", "albef/gallery"},
	{gotch},
}

const (
	module = "vlab"
	gotch  = "github.com/sugarme/gotch"
)

// pure lists the folders that need no cgo package but the standard library's.
var pure = []string{"viz", "albef/text", "albef/scenes", "albef/torch/weights", "repl", "kernel"}

// alone lists the folders that import nothing else of this module.
var alone = []string{"viz", "albef/text", "albef/scenes", "albef/gallery"}

// listed is what go list tells of a package.
type listed struct {
	ImportPath                         string
	Standard                           bool
	Imports, TestImports, XTestImports []string
	Deps, CgoFiles                     []string
}

func (p listed) own() bool { return within(p.ImportPath, module) }

// TestArrows holds the direction of imports between the packages.
func TestArrows(t *testing.T) {
	packages := goList(t)
	if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == module+"/albef" }) {
		t.Fatalf("go list names %d packages, and not %s/albef", len(packages), module)
	}
	for _, wrong := range wrongArrows(packages) {
		t.Error(wrong)
	}
}

// TestArrowsFound checks that each rule finds the package that breaks it.
func TestArrowsFound(t *testing.T) {
	tests := []struct {
		name string
		pkg  listed
		want string
	}{
		{
			"upwards",
			listed{ImportPath: "vlab/albef", Imports: []string{"vlab/albef/task"}},
			"vlab/albef imports vlab/albef/task: albef stands below albef/task",
		},
		{
			"beside",
			listed{ImportPath: "vlab/kernel", Imports: []string{"vlab/repl/script"}},
			"vlab/kernel imports vlab/repl/script: kernel and repl don't know each other",
		},
		{
			"gotch elsewhere",
			listed{ImportPath: "vlab/albef/train", Imports: []string{"github.com/sugarme/gotch/ts"}},
			"vlab/albef/train imports github.com/sugarme/gotch/ts: only albef/torch may",
		},
		{
			"gotch in a test",
			listed{ImportPath: "vlab/albef", XTestImports: []string{"github.com/sugarme/gotch"}},
			"vlab/albef imports github.com/sugarme/gotch: only albef/torch may",
		},
		{
			"not alone",
			listed{ImportPath: "vlab/viz", Imports: []string{"vlab/albef/text"}},
			"vlab/viz imports vlab/albef/text: viz imports nothing of ours",
		},
		{
			"own cgo",
			listed{ImportPath: "vlab/albef/text", CgoFiles: []string{"x.go"}},
			"vlab/albef/text needs cgo (vlab/albef/text): albef/text does without",
		},
		{
			"another's cgo",
			listed{ImportPath: "vlab/repl/session", Deps: []string{"example.org/c", "net"}},
			"vlab/repl/session needs cgo (example.org/c): repl does without",
		},
		{
			"no layer",
			listed{ImportPath: "vlab/tools"},
			"vlab/tools stands in no layer",
		},
		{
			"right",
			listed{ImportPath: "vlab/albef/lab", Imports: []string{"vlab/viz", "vlab/albef/torch", "fmt"}, TestImports: []string{"vlab/cmd/x"}},
			"",
		},
	}
	others := []listed{
		{ImportPath: "example.org/c", CgoFiles: []string{"c.go"}},
		{ImportPath: "net", Standard: true, CgoFiles: []string{"cgo.go"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(wrongArrows(append([]listed{tt.pkg}, others...)), "\n")
			if got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// wrongArrows tells what breaks the rules, a sentence each.
func wrongArrows(packages []listed) (wrong []string) {
	cgo := map[string]bool{}
	for _, p := range packages {
		cgo[p.ImportPath] = len(p.CgoFiles) > 0 && !p.Standard
	}
	for _, p := range packages {
		if !p.own() {
			continue
		}
		from, depth := layer(p.ImportPath)
		if depth < 0 {
			wrong = append(wrong, p.ImportPath+" stands in no layer")
		}
		for _, i := range p.Imports {
			if why := wrongImport(i, from, depth); why != "" {
				wrong = append(wrong, p.ImportPath+" imports "+i+": "+why)
			}
		}
		for _, i := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if within(i, gotch) && from != "albef/torch" {
				wrong = append(wrong, p.ImportPath+" imports "+i+": only albef/torch may")
			}
		}
		if folder := member(p.ImportPath, pure); folder != "" {
			for _, d := range append([]string{p.ImportPath}, p.Deps...) {
				if cgo[d] {
					wrong = append(wrong, p.ImportPath+" needs cgo ("+d+"): "+folder+" does without")
				}
			}
		}
	}
	return wrong
}

// wrongImport says why a package of the layer from, at depth, may not import path, or "".
func wrongImport(path, from string, depth int) string {
	to, below := layer(path)
	switch {
	case to == from || below < 0 || to == gotch:
		return ""
	case slices.Contains(alone, from):
		return from + " imports nothing of ours"
	case below == depth:
		return from + " and " + to + " don't know each other"
	case below < depth:
		return from + " stands below " + to
	}
	return ""
}

// layer returns the longest entry of layers that holds the package, and how
// deep it stands, or -1.
func layer(path string) (name string, depth int) {
	depth = -1
	for i, names := range layers {
		if n := member(path, names); len(n) > len(name) {
			name, depth = n, i
		}
	}
	return name, depth
}

// member returns the folder among names that holds the package, or "".
func member(path string, names []string) string {
	for _, n := range names {
		if within(path, n) || within(path, module+"/"+n) {
			return n
		}
	}
	return ""
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// goList returns the module's packages and all that they depend on.
func goList(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"-json=ImportPath,Standard,Imports,TestImports,XTestImports,Deps,CgoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}
