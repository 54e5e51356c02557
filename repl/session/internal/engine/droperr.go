package engine

import (
	"go/ast"
	"go/token"
	"go/types"
)

// spare is the name of the variable that takes an error which the cell does not
// name; the rewriting gives it a number.
const spare = "vlabErr"

// dropErrors looks for assignments that lack one variable for a last result of
// type error, as `x := f()`, and adds a blank one. It reports whether it has found
// any; the rewriting later stops the cell with the error.
func (c *checker) dropErrors(p *part) bool {
	found := false
	for _, s := range p.body() {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if lacksError(p.info, len(n.Lhs), n.Rhs) && (n.Tok == token.DEFINE || n.Tok == token.ASSIGN) {
					n.Lhs = append(n.Lhs, blankAt(n.TokPos))
					found = true
				}
			case *ast.ValueSpec:
				if n.Type == nil && lacksError(p.info, len(n.Names), n.Values) {
					n.Names = append(n.Names, blankAt(n.Values[0].Pos()-1))
					found = true
				}
			}
			return true
		})
	}
	return found
}

// blankAt returns the blank name that stands for a spare error.
func blankAt(pos token.Pos) *ast.Ident { return &ast.Ident{NamePos: pos, Name: "_"} }

// lacksError reports whether one call gives n results and then an error.
func lacksError(info *types.Info, n int, values []ast.Expr) bool {
	if len(values) != 1 {
		return false
	}
	call, ok := ast.Unparen(values[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	results := resultsOf(info, call)
	return results.Len() == n+1 && isError(results.At(n).Type())
}

// resultsOf returns the results of a call by the type of its function, since a call
// in a wrong place has no type of its own.
func resultsOf(info *types.Info, call *ast.CallExpr) *types.Tuple {
	tv, ok := info.Types[call.Fun]
	if !ok || tv.Type == nil {
		return nil
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok {
		return nil
	}
	return sig.Results()
}

// isError reports whether a type is error itself.
func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// added reports whether a blank name was added by dropErrors rather than written
// by the user: it then lies where no underscore stands.
func (p *part) added(id ast.Expr) bool {
	x, ok := id.(*ast.Ident)
	if !ok || x.Name != "_" {
		return false
	}
	at := p.offset(x.Pos())
	return at < 0 || at >= len(p.src) || p.src[at] != '_'
}
