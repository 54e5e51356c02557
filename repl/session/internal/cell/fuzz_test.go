package cell_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/corpus"
)

// FuzzSegments looks for cells that the splitter, the search for commands or the test
// of completeness fall over, and for statements of Go that it cuts wrongly.
func FuzzSegments(f *testing.F) {
	sources, err := corpus.Sources(filepath.Join("..", "..", "testdata", "cells"))
	if err != nil {
		f.Fatal(err)
	}
	for _, src := range sources {
		f.Add(src)
	}
	f.Add("%time f()\n!ls -l\nx := `\n%who`\n?x")
	f.Fuzz(func(t *testing.T, src string) {
		at := 0
		for _, s := range cell.Segments(src, func(name string) bool { return name == "x" }) {
			if s.Start < at || s.End < s.Start || s.End > len(src) {
				t.Fatalf("segment from %d to %d behind %d of %d", s.Start, s.End, at, len(src))
			}
			at = s.End
			cell.Masked(src, s.Start, s.End)
		}
		cell.IsComplete(src)
		pieces := cell.Split(src)
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {"+src+"\n}", parser.SkipObjectResolution)
		for _, p := range pieces {
			if p.Start < 0 || p.End < p.Start || p.End > len(src) {
				t.Fatalf("piece from %d to %d of %d", p.Start, p.End, len(src))
			}
			// With more than one declaration the text has left the function around it.
			if err == nil && len(file.Decls) == 1 && !parses(src[p.Start:p.End]) {
				t.Errorf("%q is Go, and its piece %q isn't", src, src[p.Start:p.End])
			}
		}
	})
}

func parses(text string) bool {
	for _, around := range []string{"package p; func _() {" + text + "\n}", "package p;" + text} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", around, parser.SkipObjectResolution); err == nil {
			return true
		}
	}
	return false
}
