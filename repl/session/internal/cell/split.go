package cell

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strings"
)

// Kind says what a piece of a cell is.
type Kind int

// The kinds of pieces.
const (
	Stmt Kind = iota
	Import
	Type
	Const
	Var
	Func
)

// Piece is one import, declaration or statement of a cell: the bytes from Start
// to End, without the semicolon that ends it.
type Piece struct {
	Kind       Kind
	Start, End int
}

// lexeme is one token with its place in the text.
type lexeme struct {
	tok    token.Token
	lit    string
	offset int
}

// Split returns the pieces of a cell in their order. It never fails: text that
// is not Go ends up in a piece whose parse reports the error.
func Split(src string) []Piece {
	toks := scan(src)
	var pieces []Piece
	for i := 0; i < len(toks); {
		if toks[i].tok == token.SEMICOLON {
			i++
			continue
		}
		end := pieceEnd(src, toks, i)
		stop := len(src)
		if end < len(toks) {
			stop = toks[end].offset
		}
		start := toks[i].offset
		stop = start + len(strings.TrimRight(src[start:stop], " \t\r\n"))
		pieces = append(pieces, Piece{Kind: kindOf(toks[i:end]), Start: start, End: stop})
		i = end + 1
	}
	return pieces
}

// scan returns the tokens of src with the semicolons that Go inserts, without
// comments. Errors are left to the parser.
func scan(src string) []lexeme {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, []byte(src), func(token.Position, string) {}, 0)
	var toks []lexeme
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return toks
		}
		toks = append(toks, lexeme{tok, lit, file.Offset(pos)})
	}
}

// pieceEnd returns the index of the semicolon that ends the piece which starts at
// token i, or the number of tokens.
func pieceEnd(src string, toks []lexeme, i int) int {
	depth := 0
	header := hasHeader(toks[i:])
	first := -1 // the first line end at depth 0, where a broken piece is cut
	for j := i; j < len(toks); j++ {
		switch toks[j].tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth = max(depth-1, 0)
		case token.SEMICOLON:
			if depth > 0 {
				continue
			}
			if !header || parses(src[toks[i].offset:toks[j].offset]) {
				return j
			}
			if first < 0 && toks[j].lit == "\n" {
				first = j
			}
		}
	}
	if first >= 0 && !parses(src[toks[i].offset:]) {
		return first
	}
	return len(toks)
}

// hasHeader reports whether a statement may have semicolons of its own before
// its block, as `for` has.
func hasHeader(toks []lexeme) bool {
	for len(toks) > 2 && toks[0].tok == token.IDENT && toks[1].tok == token.COLON {
		toks = toks[2:]
	}
	if len(toks) == 0 {
		return false
	}
	switch toks[0].tok {
	case token.FOR, token.IF, token.SWITCH:
		return true
	}
	return false
}

// parses reports whether text is a whole statement list.
func parses(text string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {"+text+"\n}", parser.SkipObjectResolution)
	return err == nil
}

// kindOf tells a piece by its first tokens. A func without a name is a literal
// and so a statement.
func kindOf(toks []lexeme) Kind {
	switch toks[0].tok {
	case token.IMPORT:
		return Import
	case token.TYPE:
		return Type
	case token.CONST:
		return Const
	case token.VAR:
		return Var
	case token.FUNC:
		if isFuncDecl(toks[1:]) {
			return Func
		}
	}
	return Stmt
}

// isFuncDecl reports whether the tokens after `func` name a function or, behind a
// receiver, a method.
func isFuncDecl(toks []lexeme) bool {
	if len(toks) == 0 {
		return false
	}
	if toks[0].tok == token.IDENT {
		return true
	}
	depth := 0
	for i, t := range toks {
		switch t.tok {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			if depth--; depth == 0 {
				return i+1 < len(toks) && toks[i+1].tok == token.IDENT &&
					i+2 < len(toks) && toks[i+2].tok == token.LPAREN
			}
		}
	}
	return false
}

// Imports returns the specs of an import piece of src.
func Imports(src string, p Piece) ([]*ast.ImportSpec, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p;"+src[p.Start:p.End], parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return f.Imports, nil
}
