package engine

import (
	"go/scanner"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vlab/repl/session/internal/wire"
)

// completeCommand completes a line that is a command: its name, or a file among what
// it is given.
func completeCommand(code string, pos int) (start int, matches []wire.Match, ok bool) {
	begin := strings.LastIndexByte(code[:pos], '\n') + 1
	line := code[begin:pos]
	text := strings.TrimLeft(line, " \t")
	signs := len(text) - len(strings.TrimLeft(text, "%"))
	switch {
	case strings.HasPrefix(text, "!"):
	case signs == 0 || signs > 2:
		return 0, nil, false
	case !strings.ContainsAny(text, " \t"):
		for _, name := range slices.Sorted(maps.Keys(commands())) {
			if strings.HasPrefix(name, text[signs:]) {
				matches = append(matches, wire.Match{Text: text[:signs] + name, Kind: "command", Doc: commands()[name].help})
			}
		}
		return pos - len(text), matches, true
	}
	word := line[strings.LastIndexAny(line, " \t!")+1:]
	start, matches = files(word, pos)
	return start, matches, true
}

// inText reports whether pos is within a text in quotes, which begins at start.
func inText(code string, pos int) (start int, ok bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(token.Position, string) {}, 0)
	for {
		at, tok, lit := s.Scan()
		if tok == token.EOF {
			return 0, false
		}
		begin := file.Offset(at)
		if tok != token.STRING || begin >= pos {
			continue
		}
		end := begin + len(lit)
		if closed := len(lit) > 1 && lit[len(lit)-1] == lit[0]; pos < end || pos == end && !closed {
			return begin + 1, true
		}
	}
}

// files returns the files whose names begin as path does, folders with a slash, and
// where the last part of path begins when it ends at pos.
func files(path string, pos int) (start int, matches []wire.Match) {
	dir, prefix := filepath.Split(path)
	list, err := os.ReadDir(home(filepath.Join(".", dir)))
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, "~") {
		list, err = os.ReadDir(home(dir))
	}
	if err != nil {
		return pos, nil
	}
	for _, f := range list {
		name := f.Name()
		if !strings.HasPrefix(name, prefix) || prefix == "" && strings.HasPrefix(name, ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(home(dir), name)); err == nil && info.IsDir() {
			name += "/"
		}
		matches = append(matches, wire.Match{Text: name, Kind: "file"})
	}
	return pos - len(prefix), matches
}
