package engine

import (
	"go/scanner"
	"go/token"
	"go/types"
	"strings"

	"vlab/repl/session/internal/wire"
	"vlab/repl/session/symbols/comments"
)

// Signature describes the function among whose arguments byte offset pos of code is;
// nil where it is among none that is known.
func (e *Engine) Signature(code string, pos int) *wire.Signature {
	pos = min(max(pos, 0), len(code))
	c, ok := callAround(code, pos)
	if !ok {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	table := e.namesBefore(code, c.start)
	obj := e.objectOf(table, c.fun)
	t := e.typeOf(table, c.fun)
	name, said := c.fun, comments.Comment{}
	if obj != nil {
		t, name, said = obj.Type(), obj.Name(), e.commentOf(table, c.fun, obj)
	}
	sig, ok := under[*types.Signature](t)
	if !ok || isTypeName(obj) {
		return nil
	}
	if len(said.Params) == sig.Params().Len() {
		sig = named(sig, said.Params)
	}
	text, start, end := signatureText(name, sig, c.arg)
	return &wire.Signature{Text: text, Start: start, End: end, Doc: firstSentence(said.Text)}
}

func isTypeName(obj types.Object) bool {
	_, ok := obj.(*types.TypeName)
	return ok
}

// signatureText writes a function's name, parameters and results, and where in it the
// parameter for an argument stands.
func signatureText(name string, sig *types.Signature, arg int) (text string, start, end int) {
	var b strings.Builder
	b.WriteString(name + "(")
	n := sig.Params().Len()
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		p := sig.Params().At(i)
		at := b.Len()
		if p.Name() != "" {
			b.WriteString(p.Name() + " ")
		}
		t := p.Type()
		if s, ok := t.(*types.Slice); ok && sig.Variadic() && i == n-1 {
			b.WriteString("...")
			t = s.Elem()
		}
		b.WriteString(types.TypeString(t, shortPackage))
		if i == min(arg, n-1) && (i == arg || sig.Variadic()) {
			start, end = at, b.Len()
		}
	}
	b.WriteString(")")
	results := types.TypeString(sig.Results(), shortPackage)
	if sig.Results().Len() == 1 && sig.Results().At(0).Name() == "" {
		results = types.TypeString(sig.Results().At(0).Type(), shortPackage)
	}
	if sig.Results().Len() > 0 {
		b.WriteString(" " + results)
	}
	return b.String(), start, end
}

// argument is a place among the arguments of a call.
type argument struct {
	fun   string // the function as it is written
	start int    // where it begins
	arg   int    // which argument, from 0
}

// bracket is an open bracket.
type bracket struct {
	tok    token.Token
	at     int
	commas int
	stmts  bool // it holds statements
}

// callAround returns the call among whose arguments pos is, the innermost one.
func callAround(code string, pos int) (argument, bool) {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, pos)
	var s scanner.Scanner
	s.Init(file, []byte(code[:pos]), func(token.Position, string) {}, 0)
	var open []bracket
	for {
		at, tok, lit := s.Scan()
		n := len(open) - 1
		switch tok {
		case token.EOF:
			return innermost(code, open)
		case token.LPAREN, token.LBRACK, token.LBRACE:
			open = append(open, bracket{tok: tok, at: file.Offset(at)})
		case token.RPAREN, token.RBRACK, token.RBRACE:
			if n >= 0 {
				open = open[:n]
			}
		case token.COMMA:
			if n >= 0 {
				open[n].commas++
			}
		case token.SEMICOLON:
			if n >= 0 && (lit == ";" || file.Offset(at) < pos) {
				open[n].stmts = true
			}
		}
	}
}

// innermost returns the call of the last open bracket that is one; those of composite
// literals and indexes within an argument are passed over.
func innermost(code string, open []bracket) (argument, bool) {
	for i := len(open) - 1; i >= 0 && !open[i].stmts; i-- {
		if open[i].tok != token.LPAREN {
			continue
		}
		fun := operand(code[:open[i].at])
		if fun == "" || token.IsKeyword(fun) {
			continue
		}
		return argument{fun: fun, start: open[i].at - len(fun), arg: open[i].commas}, true
	}
	return argument{}, false
}
