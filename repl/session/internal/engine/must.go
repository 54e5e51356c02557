package engine

import (
	"go/ast"
	"go/token"
	"go/types"
	"sync"

	"golang.org/x/tools/go/ast/astutil"
)

// mustName is the function that takes a call's value, and stops the cell with its
// error. It is there for the check alone: the rewriting puts its own code in its place.
const mustName = "vlabMust"

// mustFunc is its object: func[T any](T, error) T.
var mustFunc = sync.OnceValue(func() types.Object { //nolint:gochecknoglobals // made once
	pkg := types.NewPackage("main", "main")
	t := types.NewTypeParam(types.NewTypeName(token.NoPos, pkg, "T", nil), types.Universe.Lookup("any").Type())
	param := func(t types.Type) *types.Var { return types.NewParam(token.NoPos, pkg, "", t) }
	sig := types.NewSignatureType(nil, nil, []*types.TypeParam{t},
		types.NewTuple(param(t), param(types.Universe.Lookup("error").Type())), types.NewTuple(param(t)), false)
	return types.NewFunc(token.NoPos, pkg, mustName, sig)
})

// takeErrors looks for calls that give a value and an error where a value is wanted, as
// an argument or before a dot, and takes the value. It reports whether it has found
// any; an error stops the cell.
func (c *checker) takeErrors(p *part) bool {
	found := false
	for _, s := range p.body() {
		astutil.Apply(s, func(at *astutil.Cursor) bool {
			call, ok := at.Node().(*ast.CallExpr)
			if !ok || isMust(call) {
				return true
			}
			results := resultsOf(p.info, call)
			if results.Len() != 2 || !isError(results.At(1).Type()) || !wantsOne(p.info, at.Parent(), call) {
				return true
			}
			at.Replace(&ast.CallExpr{
				Fun: &ast.Ident{NamePos: call.Pos(), Name: mustName}, Lparen: call.Pos(), Args: []ast.Expr{call}, Rparen: call.End() - 1,
			})
			found = true
			return true
		}, nil)
	}
	c.musts = c.musts || found
	return found
}

// isMust reports whether a call is one that takeErrors has made.
func isMust(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == mustName
}

// wantsOne reports whether what stands around a call wants one value of it.
func wantsOne(info *types.Info, around ast.Node, call *ast.CallExpr) bool {
	switch n := around.(type) {
	case *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt, *ast.ParenExpr, *ast.BlockStmt:
		return false
	case *ast.AssignStmt:
		return len(n.Rhs) > 1
	case *ast.ValueSpec:
		return len(n.Values) > 1
	case *ast.ReturnStmt:
		return len(n.Results) > 1
	case *ast.CallExpr:
		if len(n.Args) != 1 || n.Fun == call {
			return !isMust(n)
		}
		sig, ok := under[*types.Signature](info.Types[n.Fun].Type)
		return !isMust(n) && (!ok || info.Types[n.Fun].IsType() || sig.Params().Len() == 1 && !sig.Variadic())
	}
	return true
}

// must writes a call of takeErrors.
func (r *rewriter) must(call *ast.CallExpr) bool {
	if !isMust(call) {
		return false
	}
	if typ, ok := r.types.write(r.bound.apply(r.p.info.Types[call].Type)); ok {
		r.edits.Insert(r.p.offset(call.Pos()), "func() "+typ+" { vlabV, vlabE := ")
		r.edits.Close(r.p.offset(call.Pos()), r.p.offset(call.End()), "; vlabRT.Check(vlabE); return vlabV }()")
	}
	return true
}
