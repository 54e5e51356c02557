package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const checkout = "../.."

// TestReadmeTree checks the README's tree of folders: what it names exists, and
// every folder with Go code is named.
func TestReadmeTree(t *testing.T) {
	named := treePaths(readme(t))
	if len(named) == 0 {
		t.Fatal("README.md has no code block with a line that starts with albef/")
	}
	for _, name := range named {
		if _, err := os.Stat(filepath.Join(checkout, name)); err != nil {
			t.Errorf("README.md's tree names %s: %v", name, err)
		}
	}
	for _, dir := range goFolders(t) {
		if !slices.Contains(named, dir) {
			t.Errorf("README.md's tree leaves out %s", dir)
		}
	}
}

// TestReadmeCommands checks that each make target and each vlab command that
// the README shows exists.
func TestReadmeCommands(t *testing.T) {
	code := strings.Join(codeOf(readme(t)), "\n")
	makefile, err := os.ReadFile(filepath.Join(checkout, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found(`\bmake ([a-z][a-z-]*)`, code) {
		if !slices.Contains(found(`(?m)^([a-z][a-z-]*):`, string(makefile)), name) {
			t.Errorf("README.md shows make %s, which the Makefile has not", name)
		}
	}
	for _, name := range found(`(?:^|[\s/`+"`"+`])vlab ([a-z][a-z-]*)`, code) {
		if name != "help" && !slices.ContainsFunc(commands(), func(c command) bool { return c.name == name }) {
			t.Errorf("README.md shows vlab %s, which is no command", name)
		}
	}
}

// TestReadmeRead checks the reading itself on a small README.
func TestReadmeRead(t *testing.T) {
	const text = "We make sure.\n\n    cmd/vlab/   the binary\n    albef/      the model\n      a.go b.go  two files\n      torch/    tensors\n" +
		"        c.cpp   what lacks\n    viz/\n\nThen `make demo`:\n\n```\nmake test && bin/vlab repl\n```\n"
	if got, want := treePaths(text), []string{"cmd/vlab", "albef", "albef/a.go", "albef/b.go", "albef/torch", "albef/torch/c.cpp", "viz"}; !slices.Equal(got, want) {
		t.Errorf("tree: got %q, want %q", got, want)
	}
	code := strings.Join(codeOf(text), "\n")
	if got, want := found(`\bmake ([a-z][a-z-]*)`, code), []string{"test", "demo"}; !slices.Equal(got, want) {
		t.Errorf("targets: got %q, want %q", got, want)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// codeOf returns a markdown text's code: its blocks, fenced or indented by
// four, each without its indentation, and then its inline pieces.
func codeOf(text string) (code []string) {
	var block, prose []string
	fenced := false
	end := func() {
		if len(block) > 0 {
			code = append(code, strings.Join(block, "\n"))
		}
		block = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		inner, indented := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			fenced = !fenced
		case fenced:
			block = append(block, line)
		case indented:
			block = append(block, inner)
		default:
			end()
			prose = append(prose, line)
		}
	}
	end()
	return append(code, found("`([^`]+)`", strings.Join(prose, "\n"))...)
}

// treePaths returns the paths that the README's tree names. A line holds names,
// then two spaces and what they are for; deeper lines are within the folder above.
func treePaths(text string) (paths []string) {
	type folder struct {
		indent int
		path   string
	}
	for _, block := range codeOf(text) {
		if !strings.Contains("\n"+block, "\nalbef/") {
			continue
		}
		var above []folder
		for line := range strings.Lines(block) {
			body := strings.TrimLeft(strings.TrimRight(line, "\n"), " │├└─")
			indent := len([]rune(strings.TrimRight(line, "\n"))) - len([]rune(body))
			names, _, _ := strings.Cut(body, "  ")
			for len(above) > 0 && above[len(above)-1].indent >= indent {
				above = above[:len(above)-1]
			}
			parent := ""
			if len(above) > 0 {
				parent = above[len(above)-1].path
			}
			for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == ',' }) {
				paths = append(paths, path.Join(parent, name))
				if strings.HasSuffix(name, "/") {
					above = append(above, folder{indent, path.Join(parent, name)})
				}
			}
		}
	}
	return paths
}

// goFolders returns the folders of the checkout that hold Go files, without
// those below internal and testdata.
func goFolders(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(checkout, func(name string, d fs.DirEntry, err error) error {
		base := d.Name()
		if err == nil && d.IsDir() && name != checkout && (strings.HasPrefix(base, ".") || base == "testdata" || base == "internal") {
			return fs.SkipDir
		}
		if dir, relErr := filepath.Rel(checkout, filepath.Dir(name)); relErr == nil && strings.HasSuffix(base, ".go") && !slices.Contains(dirs, dir) {
			dirs = append(dirs, filepath.ToSlash(dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// found returns the first group of each match, each once.
func found(pattern, text string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(all, m[1]) {
			all = append(all, m[1])
		}
	}
	return all
}
