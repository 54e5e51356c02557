package cell

import (
	"errors"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// IsComplete tells whether code can be run as it is: "complete", "incomplete"
// with the indent for the next line, or "invalid".
func IsComplete(code string) (status, indent string) {
	parts := Segments(code, func(string) bool { return false })
	if n := len(parts); n > 0 && parts[n-1].Name != "" {
		last := parts[n-1]
		if last.Whole && wantsBody(last.Name) && !strings.HasSuffix(code, "\n\n") {
			return "incomplete", ""
		}
		return "complete", ""
	}
	if len(parts) > 1 || len(parts) == 1 && parts[0].End-parts[0].Start < len(code) {
		code = Masked(code, parts[len(parts)-1].Start, parts[len(parts)-1].End)
	}
	depth, open := openings(code)
	switch {
	case depth < 0:
		return "invalid", ""
	case open:
		return "incomplete", ""
	case depth > 0:
		return "incomplete", strings.Repeat("\t", depth)
	}
	for _, p := range Split(code) {
		err := parsePiece(code[p.Start:p.End], p.Kind)
		if err == nil {
			continue
		}
		if p.End == len(strings.TrimRight(code, " \t\r\n")) && needsMore(code[p.Start:p.End], p.Kind, err) {
			return "incomplete", ""
		}
		return "invalid", ""
	}
	return "complete", ""
}

// wantsBody reports whether a command takes what follows to the cell's end.
func wantsBody(name string) bool { return name == "bash" || name == "writefile" }

// openings returns how many brackets are open at the end of code, negative when
// one closes that never opened, and whether a raw string or a comment is open.
func openings(code string) (depth int, open bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(code))
	var s scanner.Scanner
	s.Init(file, []byte(code), func(_ token.Position, msg string) {
		open = open || msg == "raw string literal not terminated" || msg == "comment not terminated"
	}, 0)
	for {
		_, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return depth, open
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if depth--; depth < 0 {
				return depth, open
			}
		}
	}
}

// parsePiece parses the text of a piece in the surroundings that its kind wants.
func parsePiece(text string, kind Kind) error {
	src := "package p;" + text
	if kind == Stmt {
		src = "package p; func _() {" + text + "\n}"
	}
	_, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	return err
}

// needsMore reports whether the error of the last piece lies at its very end, as
// after a binary operator or a header without its block.
func needsMore(text string, kind Kind, err error) bool {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return false
	}
	head := len("package p;")
	if kind == Stmt {
		head = len("package p; func _() {")
	}
	return list[0].Pos.Offset >= head+len(text)
}
