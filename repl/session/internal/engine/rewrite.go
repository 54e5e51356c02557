package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"vlab/repl/session/internal/cell"
)

// rewriter turns the checked text of a part into what the interpreter runs, by
// edits that add no line.
type rewriter struct {
	e     *Engine
	p     *part
	num   int // the cell's number
	top   bool
	syms  map[types.Object]*symbol
	types *typeWriter
	edits cell.Edits
	out   *chunk
	at    []int // the functions around the node being visited

	bound    binding           // of an instance's type parameters
	quiet    bool              // statements don't note where they are
	converts map[ast.Expr]bool // types that a value is converted to

	inits   []string // functions init, under the names they were given
	hiddens map[*ast.RangeStmt]hiddenRange
	callees map[ast.Expr]bool // selectors that are called
	calls   []spawn
	now     map[*ast.CallExpr]bool // deferred calls whose arguments are copied
	kepts   map[*ast.FuncLit][]keptVar

	deferred map[ast.Node]bool // function literals that the cell defers at its top
	listed   map[ast.Stmt]bool // statements of a list, which may become several
	around   []*surrounding    // functions, loops and choices around the node being visited
	labels   map[ast.Stmt]*ast.LabeledStmt
}

// spawn is a go or defer statement whose call is moved into a function.
type spawn struct {
	stmt ast.Stmt
	call *ast.CallExpr
	open string // what comes before the call in that function
	head string // what takes the function
	tail string
	loop bool // it stands in a loop
}

// chunk collects what a text for the interpreter needs beside the code.
type chunk struct {
	decls []string
}

func (e *Engine) newRewriter(p *part, num int, top bool) *rewriter {
	return &rewriter{
		e: e, p: p, num: num, top: top, syms: e.objects, out: &chunk{},
		types: &typeWriter{e: e, symbols: e.objects}, converts: map[ast.Expr]bool{}, callees: map[ast.Expr]bool{}, hiddens: map[*ast.RangeStmt]hiddenRange{},
		kepts: map[*ast.FuncLit][]keptVar{}, listed: map[ast.Stmt]bool{}, deferred: map[ast.Node]bool{}, now: map[*ast.CallExpr]bool{}, labels: map[ast.Stmt]*ast.LabeledStmt{},
	}
}

// function registers a function of the cell, whose statements will note their
// offsets, and returns its number.
func (r *rewriter) function(name string, start int) int {
	k := len(r.e.places)
	r.e.places = append(r.e.places, place{cell: r.num, name: name, start: start})
	r.out.decls = append(r.out.decls, fmt.Sprintf("var vlabAt%d int", k))
	return k
}

// runner registers the function that runs a statement of the cell itself. All of them
// share a variable: the interpreter keeps the syntax around each that there is.
func (r *rewriter) runner(start int) int {
	r.e.places = append(r.e.places, place{cell: r.num, start: start, top: true})
	return len(r.e.places) - 1
}

// mark writes the note that function k is at an offset.
func (e *Engine) mark(k, offset int) string { return fmt.Sprintf("%s = %d; ", e.markName(k), offset+1) }

// markName is the interpreter's variable for such notes.
func (e *Engine) markName(k int) string {
	if e.places[k].top {
		return "vlabTop"
	}
	return fmt.Sprintf("vlabAt%d", k)
}

// lineStride is how far apart the line numbers of two functions are.
const lineStride = 10_000

// maxFunctions bounds the functions whose lines can be told, by the largest line
// number that go/scanner takes.
const maxFunctions = 1<<30/lineStride - 1

// lineMark makes the interpreter report positions of the text behind it as those of
// a function: its number times lineStride, and the cell's own line. The file's
// name must stay, since the interpreter looks imports up by it.
func (r *rewriter) lineMark(k, offset int) string {
	line, col := cell.Position(r.p.src, offset)
	return fmt.Sprintf("/*line :%d:%d*/", min(k, maxFunctions)*lineStride+min(line, lineStride-1), col)
}

// rewrite adds the edits for a node and all below it; outer is the number of the
// function that it stands in, -1 for none.
func (r *rewriter) rewrite(root ast.Node, outer int) {
	r.at = append(r.at[:0], outer)
	var open []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			r.leave(open[len(open)-1])
			r.unsurround(open[len(open)-1])
			open = open[:len(open)-1]
			return true
		}
		open = append(open, n)
		r.surround(n)
		r.enter(n)
		return true
	})
	for i := len(r.calls) - 1; i >= 0; i-- {
		r.moveCall(r.calls[i])
	}
	r.calls = nil
}

func (r *rewriter) enter(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Body != nil {
			if n.Recv != nil || r.p.receivers[n] != nil {
				r.nameParameters(n.Recv)
				r.nameParameters(n.Type.Params)
			}
			r.openFunction(n.Name.Name, n.Body)
			r.edits.Insert(r.p.offset(n.Body.Lbrace)+1, r.zeroResults(n))
		}
	case *ast.FuncLit:
		r.nameParameters(n.Type.Params)
		r.openFactory(n)
		r.openFunction("func literal", n.Body)
	case *ast.BlockStmt:
		r.marks(n.List)
	case *ast.CaseClause:
		r.marks(n.Body)
	case *ast.CommClause:
		r.marks(n.Body)
	case *ast.ForStmt:
		r.forLoop(n)
	case *ast.RangeStmt:
		r.rangeLoop(n)
	case *ast.GoStmt:
		r.goStmt(n)
	case *ast.DeferStmt:
		if r.atTop() {
			if lit, ok := n.Call.Fun.(*ast.FuncLit); ok {
				r.deferred[lit] = true
			}
			r.calls = append(r.calls, spawn{stmt: n, call: n.Call, head: "vlabRT.Defer(", tail: ")", loop: r.inLoop()})
		} else if list := r.deferredIn(); list != "" {
			r.calls = append(r.calls, spawn{stmt: n, call: n.Call, head: list + " = append(" + list + ", ", tail: ")", loop: true})
		} else if loop := r.outerLoop(); loop != nil {
			r.keepOfRound(n.Call.Fun, loopBody(loop.node))
			loop.deferred = append(loop.deferred, n)
		} else if r.ofValue(n.Call) {
			r.calls = append(r.calls, spawn{stmt: n, call: n.Call, head: "defer vlabRT.Call(", tail: ")", loop: true})
		} else {
			r.now[n.Call] = true
		}
	case *ast.ReturnStmt:
		if r.atTop() {
			r.edits.Replace(r.p.offset(n.Pos()), r.p.offset(n.End()), "vlabRT.Return()")
		} else {
			r.intoReturned(n)
			r.returnOut(n)
		}
	case *ast.BranchStmt:
		r.branchOut(n)
	case *ast.LabeledStmt:
		r.labels[n.Stmt] = n
	case *ast.AssignStmt:
		r.intoAssigned(n)
		r.spareError(n)
	case *ast.ValueSpec:
		r.intoSpec(n)
	case *ast.GenDecl:
		r.localTypes(n)
		r.localConstants(n)
	case *ast.TypeSpec:
		if !r.recursiveFunc(n) {
			r.distinguish(n)
		}
	case *ast.SendStmt:
		r.intoSent(n)
	case *ast.TypeAssertExpr:
		r.assertion(n)
	case *ast.BinaryExpr:
		r.comparison(n)
		r.shiftedConstant(n)
	case *ast.CallExpr:
		if r.must(n) {
			return
		}
		r.callees[ast.Unparen(n.Fun)] = true
		if r.p.info.Types[n.Fun].IsType() {
			r.converts[n.Fun] = true
		}
		r.builtin(n)
		r.shape(n)
		r.reflection(n)
		r.calledRecursive(n)
		r.calledField(n)
		r.passed(n)
		if r.now[n] {
			r.deferNow(n)
		}
	case *ast.CompositeLit:
		r.passed(n)
	case *ast.IndexExpr:
		r.instantiation(n, n.X)
		if m, ok := under[*types.Map](r.bound.apply(r.p.info.Types[n.X].Type)); ok {
			r.intoKey(m.Key(), n.Index)
		}
	case *ast.MapType:
		r.mapKey(n)
	case *ast.SwitchStmt:
		if n.Init != nil && (n.Tag != nil || fallsIntoDefault(n)) {
			r.listed[n.Init] = true // switchOver takes it out
		}
		r.intoCases(n)
	case *ast.IfStmt:
		if r.hoistsInit(n.Init) {
			r.listed[n.Init] = true
		}
		r.ifVars(n)
	case *ast.IndexListExpr:
		r.instantiation(n, n.X)
	case *ast.SelectorExpr:
		if !r.instantiation(n, n) {
			r.methodExpr(n)
			r.methodValue(n)
			r.printerValue(n)
		}
	case *ast.Ident:
		if n.Name != mustName && !r.instantiation(n, n) {
			r.ident(n)
		}
	}
}

func (r *rewriter) leave(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Body != nil {
			r.at = r.at[:len(r.at)-1]
		}
	case *ast.ForStmt:
		r.loopDefers()
	case *ast.RangeStmt:
		r.endRangeFunc(n)
		r.overChannels(n)
		r.loopDefers()
	case *ast.AssignStmt:
		r.assignEach(n)
		r.intoSeveral(n)
	case *ast.ReturnStmt:
		r.returnAtOnce(n)
	case *ast.TypeSwitchStmt:
		r.typeSwitch(n)
	case *ast.SwitchStmt:
		r.switchOver(n)
	case *ast.IfStmt:
		r.ifInit(n)
	case *ast.SelectStmt:
		r.selection(n)
	case *ast.FuncLit:
		r.at = r.at[:len(r.at)-1]
		r.closeFactory(n)
		if k := r.inner(); k >= 0 {
			end := r.p.offset(n.End())
			r.edits.Insert(end, r.lineMark(k, end))
		}
	}
}

// inner returns the number of the function around the node being visited.
func (r *rewriter) inner() int { return r.at[len(r.at)-1] }

// atTop reports whether the node stands in a statement of the cell itself.
func (r *rewriter) atTop() bool { return r.top && len(r.at) == 1 }

// stopCheck ends the cell when it has been interrupted.
const stopCheck = "if vlabStop { vlabRT.Halt() }; "

// nameParameters names parameters, or a receiver, that are left without: in a literal or
// a method the interpreter takes them for something else.
func (r *rewriter) nameParameters(list *ast.FieldList) {
	if list == nil {
		return
	}
	for _, f := range list.List {
		if len(f.Names) == 0 || !f.Names[0].Pos().IsValid() { // the check has named it
			r.edits.Insert(r.p.offset(f.Type.Pos()), "_ ")
		}
	}
}

func (r *rewriter) openFunction(name string, body *ast.BlockStmt) {
	start := r.p.offset(body.Lbrace) + 1
	if r.quiet {
		name = ""
	}
	k := r.function(name, start)
	r.at = append(r.at, k)
	r.edits.Insert(start, r.lineMark(k, start)+" "+stopCheck)
}

// marks lets statements that can panic note where they are.
func (r *rewriter) marks(list []ast.Stmt) {
	for _, s := range list {
		r.listed[s] = true
	}
	k := r.inner()
	if k < 0 || r.quiet {
		return
	}
	for _, s := range list {
		switch s.(type) {
		case *ast.CaseClause, *ast.CommClause:
			continue // what a switch's block holds is no statement
		}
		at := r.p.offset(s.Pos())
		if at >= 0 && at <= len(r.p.src) && risky(s) {
			r.edits.Insert(at, r.e.mark(k, at))
		}
	}
}

// risky reports whether a statement, without the blocks within it, can panic.
func risky(s ast.Stmt) bool {
	found := false
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncLit:
			return false
		case *ast.CallExpr, *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.SelectorExpr,
			*ast.TypeAssertExpr, *ast.SendStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.BinaryExpr:
			found = found || mayPanic(n.Op)
		case *ast.AssignStmt:
			found = found || mayPanic(n.Tok)
		}
		return !found
	})
	return found
}

func mayPanic(op token.Token) bool {
	switch op {
	case token.QUO, token.REM, token.SHL, token.SHR, token.EQL, token.NEQ,
		token.QUO_ASSIGN, token.REM_ASSIGN, token.SHL_ASSIGN, token.SHR_ASSIGN:
		return true
	}
	return false
}

// ident writes the interpreter's name for a name of the session, and in an instance
// what a type parameter stands for.
func (r *rewriter) ident(id *ast.Ident) {
	obj := r.p.info.Uses[id]
	if obj == nil {
		obj = r.p.info.Defs[id]
	}
	text := ""
	if s := r.syms[obj]; s != nil && s.internal != id.Name {
		text = s.internal
	}
	if v, ok := obj.(*types.Var); ok && r.syms[v] != nil && r.inLiteral() {
		r.e.inLiterals[v] = true
	}
	if f, ok := obj.(*types.Var); ok && f.Embedded() && r.p.info.Uses[id] == obj {
		text = r.types.fieldName(f)
	}
	if pkg, ok := obj.(*types.PkgName); ok {
		text = r.e.packageName(pkg.Imported().Path())
	}
	if r.p.path != "" && obj != nil && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() && obj.Pkg().Path() == r.p.path {
		text = r.e.packageName(r.p.path) + "." + id.Name // what the template's package has compiled
	}
	if name, ok := obj.(*types.TypeName); ok && len(r.bound) > 0 {
		if param, ok := name.Type().(*types.TypeParam); ok && r.bound[param] != nil {
			if of, ok := r.types.write(param); ok {
				text = r.asOperand(id, of)
			}
		}
	}
	if text != "" {
		r.edits.Replace(r.p.offset(id.Pos()), r.p.offset(id.End()), text)
	}
}

// inLiteral reports whether the node being visited stands in a function literal.
func (r *rewriter) inLiteral() bool {
	return slices.ContainsFunc(r.around, func(s *surrounding) bool {
		_, lit := s.node.(*ast.FuncLit)
		return lit
	})
}

// made makes up a name.
func (r *rewriter) made(prefix string) string { return fmt.Sprintf("%s%d", prefix, r.e.next()) }

// methodExpr writes a method of an own type, as T.M, as a function.
func (r *rewriter) methodExpr(x *ast.SelectorExpr) {
	sel := r.p.info.Selections[x]
	if sel == nil || sel.Kind() != types.MethodExpr || !r.isOwn(r.bound.apply(sel.Recv())) && !types.IsInterface(sel.Recv()) {
		return
	}
	sig, ok := under[*types.Signature](r.bound.apply(sel.Type()))
	if !ok {
		return
	}
	params, args, ok1 := r.types.arguments(sig)
	results, ok2 := r.types.results(sig)
	if !ok1 || !ok2 {
		return
	}
	receiver, args, _ := strings.Cut(args, ", ")
	do := ""
	if sig.Results().Len() > 0 {
		do = "return "
	}
	r.edits.Replace(r.p.offset(x.Pos()), r.p.offset(x.End()), fmt.Sprintf("func(%s)%s { %s%s.%s(%s) }",
		params, results, do, strings.TrimSuffix(receiver, "..."), x.Sel.Name, args))
}

// spareError names the error that dropErrors has added to an assignment within a
// statement, and stops the cell with it.
func (r *rewriter) spareError(s *ast.AssignStmt) {
	last := len(s.Lhs) - 1
	if last < 1 || !r.p.added(s.Lhs[last]) || len(r.at) == 0 || r.inner() < 0 {
		return
	}
	name := fmt.Sprintf("%s%d", spare, r.e.next())
	if s.Tok == token.ASSIGN {
		r.edits.Insert(r.p.offset(s.Pos()), "var "+name+" error; ")
	}
	r.edits.Insert(r.p.offset(s.Lhs[last-1].End()), ", "+name)
	r.edits.Insert(r.p.offset(s.End()), "; vlabRT.Check("+name+")")
}

// caught passes the panic of a goroutine on to the cell.
const caught = "vlabG := vlabRT.Began(); defer func() { vlabRT.Ended(vlabG, recover()) }(); "

func (r *rewriter) goStmt(s *ast.GoStmt) {
	loop := r.inLoop()
	if lit, ok := s.Call.Fun.(*ast.FuncLit); ok && !loop {
		r.edits.Insert(r.p.offset(lit.Body.Lbrace)+1, caught)
		return
	}
	r.calls = append(r.calls, spawn{stmt: s, call: s.Call, open: caught, head: "go ", tail: "()", loop: loop})
}

// moveCall moves a call into a function literal; its arguments are evaluated where
// it stood.
func (r *rewriter) moveCall(s spawn) {
	p := r.p
	if s.loop {
		if text, ok := r.fresh(s); ok {
			if s.head == "go " { // what go calls must be there before the next round
				s.head, s.tail = "func(vlabF func()) { go vlabF() }(", ")"
			}
			r.edits.Replace(p.offset(s.stmt.Pos()), p.offset(s.stmt.End()), s.head+text+s.tail)
			return
		}
	}
	if lit, ok := s.call.Fun.(*ast.FuncLit); ok && len(s.call.Args) == 0 {
		text := r.edits.Apply(p.src, p.offset(lit.Pos()), p.offset(s.call.End()))
		r.edits.Replace(p.offset(s.stmt.Pos()), p.offset(s.stmt.End()), s.head+"func() { "+s.open+text+" }"+s.tail)
		return
	}
	var before, args string
	for i, a := range s.call.Args {
		text := r.edits.Apply(p.src, p.offset(a.Pos()), p.offset(a.End()))
		if tv := p.info.Types[a]; tv.Value == nil && !tv.IsNil() && tv.IsValue() {
			if _, many := tv.Type.(*types.Tuple); many {
				return
			}
			name := fmt.Sprintf("vlabArg%d", r.e.next())
			before += name + " := " + text + "; "
			text = name
		}
		if i > 0 {
			args += ", "
		}
		args += text
	}
	if s.call.Ellipsis.IsValid() {
		args += "..."
	}
	fun := r.edits.Apply(p.src, p.offset(s.call.Fun.Pos()), p.offset(s.call.Fun.End()))
	r.edits.Replace(p.offset(s.stmt.Pos()), p.offset(s.stmt.End()),
		before+s.head+"func() { "+s.open+fun+"("+args+") }"+s.tail)
}
