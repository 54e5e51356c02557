package engine

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/wire"
)

// plan is a cell that has passed the check: its text with companions, the steps to
// run, and the names as they are when all have run.
type plan struct {
	num   int
	src   string
	steps []step
	names *names
	fresh made // by the first step
}

// Eval runs cell number num. It returns its value, nil for none, and a *Fault for
// what is the user's to mend.
func (e *Engine) Eval(ctx context.Context, num int, src string) (*display.Data, error) {
	e.busy.Lock()
	defer e.busy.Unlock()
	run := e.begin(ctx)
	defer e.end(run)
	value, err := e.evalAll(run, num, src)
	var fault *Fault
	if errors.As(err, &fault) {
		e.mu.Lock()
		fault.Value = e.shaped.withNames(fault.Value)
		e.mu.Unlock()
	}
	e.inputs = append(e.inputs, wire.Ran{Count: num, Cell: src, OK: err == nil})
	return value, err
}

// evalAll runs a cell's Go and its commands.
func (e *Engine) evalAll(run *running, num int, src string) (*display.Data, error) {
	list := cell.Segments(src, e.knows)
	if len(list) == 1 && list[0].Name == "" && list[0].End-list[0].Start == len(src) {
		return e.evalCode(run, num, src)
	}
	return e.evalSegments(run, num, src, list)
}

// knows reports whether a name is one of the session's or Go's own.
func (e *Engine) knows(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.names.get(name) != nil || e.names.imports[name] != "" || types.Universe.Lookup(name) != nil
}

// evalCode runs Go.
func (e *Engine) evalCode(run *running, num int, src string) (*display.Data, error) {
	p, err := e.prepared(num, src)
	if err != nil {
		return nil, err
	}
	err = e.runSteps(run, p)
	wasPanic := run.panicking != nil
	derr := e.runDeferred(run)
	if wasPanic && run.panicking == nil {
		err = nil // a deferred function has recovered it
		run.value = nil
	}
	if err == nil {
		err = derr
	}
	if err != nil {
		return nil, err
	}
	return run.value.data(e.opts.Values), nil
}

// prepared is prepare, whose own faults must not cost the session.
func (e *Engine) prepared(num int, src string) (p *plan, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, &Fault{Name: compileFault, Value: fmt.Sprintf("this session can't run it: preparing the cell has failed: %v", r), Line: 1, Col: 1}
		}
	}()
	return e.prepare(num, src)
}

// prepare checks a cell together with its companions, or without them where they
// no longer fit, as when a function has changed its parameters. A type's methods need
// theirs.
func (e *Engine) prepare(num int, src string) (*plan, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.own[num] = len(src)
	e.freshContext()
	texts, callers, again := e.companions(src, cell.Split(src))
	if len(texts)+len(callers) > 0 {
		if p, err := e.tried(num, withCompanions(src, texts, callers), again); err == nil {
			return p, nil
		}
	}
	if len(again) > 0 {
		p, err := e.tried(num, withCompanions(src, texts), again)
		return p, e.ownFault(err, num, again)
	}
	return e.plan(num, src, nil)
}

// withCompanions returns a cell's text with others behind it.
func withCompanions(src string, texts ...[]string) string {
	return src + "\n" + strings.Join(slices.Concat(texts...), "\n")
}

// ownFault makes an error in a cell with companions one of the cell: its place is there,
// and where a method isn't found, why that may be is said.
func (e *Engine) ownFault(err error, num int, again []string) error {
	var f *Fault
	if !errors.As(err, &f) {
		return err
	}
	if strings.Contains(f.Value, "undefined (type ") {
		f.Traceback = append(f.Traceback, fmt.Sprintf("hint: what was made before the method was, keeps its type without it, where something refers to it or %s is made of itself; make it again",
			strings.Join(again, " or ")))
	}
	if last := strings.Count(e.cells[num][:e.own[num]], "\n") + 1; f.Line > last {
		f.Line, f.Col = last, 1
	}
	return f
}

// tried is plan, whose panic is an error: companions are a try.
func (e *Engine) tried(num int, src string, again []string) (p *plan, err error) {
	defer func() {
		if r := recover(); r != nil {
			e.forget(e.fresh)
			p, err = nil, &Fault{Name: compileFault, Value: fmt.Sprintf("this session can't run it with what depends on it: %v", r), Line: 1, Col: 1}
		}
	}()
	return e.plan(num, src, again)
}

// plan checks a whole cell and turns it into steps; again names earlier types that it
// declares anew. The session's names are not touched.
func (e *Engine) plan(num int, src string, again []string) (_ *plan, err error) {
	e.cells[num] = src
	e.asked, e.later, e.fresh = nil, nil, made{}
	defer func() {
		if err != nil {
			e.forget(e.fresh)
		}
	}()
	c := &checker{src: src, names: e.names.over(), importer: e.mirror, goErrors: e.goErrors}
	pieces := e.unchanged(src, cell.Split(src), e.own[num])
	if err := e.imports(c, pieces); err != nil {
		return nil, err
	}
	if err := e.loadDots(c.names.dots); err != nil {
		return nil, &Fault{Name: compileFault, Value: err.Error()}
	}
	extensions, others := e.splitExtensions(src, pieces)
	decls, idents, err := c.declarations(others)
	if err != nil {
		return nil, err
	}
	e.addDeclared(c, decls, idents)
	if err := e.extend(c, extensions); err != nil {
		return nil, err
	}
	moves := e.moves(c, again)
	statements, err := e.statements(num, c, pieces)
	if err != nil {
		return nil, err
	}
	bodies, err := e.bodies(c, pieces, decls, idents)
	if err != nil {
		return nil, err
	}
	e.declareGenerics(num, decls, bodies, c.names)
	p := &plan{num: num, src: src, names: c.names}
	var variables []string
	for _, s := range statements {
		variables = append(variables, s.declares...)
	}
	for _, m := range moves {
		variables = append(variables, m.code(&typeWriter{e: e, symbols: e.objects}))
	}
	if len(variables) > 0 || len(decls.file.Decls) > len(decls.file.Imports) || len(e.asked)+len(e.later)+len(extensions) > 0 {
		p.steps = append(p.steps, e.emitDeclarations(num, decls, bodies, idents, c.names, variables))
		for _, m := range moves {
			p.steps[0].makes = append(p.steps[0].makes, m.to)
		}
	}
	p.steps = append(p.steps, withInits(p.steps, statements)...)
	p.fresh = e.fresh
	return p, nil
}

// bodies checks functions' bodies, in which a name that the cell gives a type and a
// variable is the type's.
func (e *Engine) bodies(c *checker, pieces []cell.Piece, decls *part, idents []*ast.Ident) (*part, error) {
	after := c.names
	defer func() { c.names = after }()
	c.names = after.over()
	for _, id := range idents {
		if s := e.objects[decls.info.Defs[id]]; s != nil && after.get(id.Name) != s {
			c.names.add(s)
		}
	}
	return c.bodies(pieces)
}

// withInits returns the steps of statements with the calls of the functions init, which
// the declarations' step has, behind the variables that come first.
func withInits(declarations, statements []step) []step {
	if len(declarations) == 0 || len(declarations[0].inits) == 0 {
		return statements
	}
	at := slices.IndexFunc(statements, func(s step) bool { return s.piece.Kind != cell.Var })
	if at < 0 {
		at = len(statements)
	}
	text := "package main\nfunc init() { " + strings.Join(declarations[0].inits, "(); ") + "() }"
	return slices.Insert(slices.Clone(statements), at, step{text: text})
}

// freshContext lets ctx be the running cell's context again, whatever an earlier
// cell has made of the name.
func (e *Engine) freshContext() {
	if s := e.names.get("ctx"); s == nil || !s.hidden {
		if err := e.predeclare("ctx", "context", "Context"); err != nil {
			panic(err) // the table had it when the engine started
		}
	}
}

// imports adds the cell's imports to the names.
func (e *Engine) imports(c *checker, pieces []cell.Piece) error {
	for _, p := range pieces {
		if p.Kind != cell.Import {
			continue
		}
		specs, err := cell.Imports(c.src, p)
		if err != nil {
			return syntaxFault(err, c.src, len("package p;")-p.Start, p.End)
		}
		for _, s := range specs {
			path := s.Path.Value[1 : len(s.Path.Value)-1]
			alias := ""
			if s.Name != nil {
				alias = s.Name.Name
			}
			pkg, err := e.mirror.Import(path)
			if err != nil {
				f := faultAt(err.Error(), c.src, p.Start)
				return f
			}
			if alias != "_" {
				c.names.addImport(localName(alias, path, pkg), path)
			}
		}
	}
	return nil
}

// addDeclared puts the objects of declarations into the checker's names.
func (e *Engine) addDeclared(c *checker, p *part, idents []*ast.Ident) {
	for _, id := range idents {
		obj := p.info.Defs[id]
		if obj == nil || id.Name == "_" {
			continue
		}
		s := &symbol{name: id.Name, internal: e.internalName(id.Name), obj: obj}
		c.names.add(s)
		e.objects[obj] = s
	}
}

// statements checks variables and statements in their order, each with the
// variables before it in the names.
func (e *Engine) statements(num int, c *checker, pieces []cell.Piece) ([]step, error) {
	last := -1
	for i, p := range pieces {
		if p.Kind == cell.Stmt || p.Kind == cell.Var {
			last = i
		}
	}
	var steps []step
	for i, piece := range pieces {
		if piece.Kind != cell.Stmt && piece.Kind != cell.Var {
			continue
		}
		p, err := c.statement(piece)
		if err != nil {
			return nil, err
		}
		if err := branchOutside(p); err != nil {
			return nil, err
		}
		s, err := e.emitStatement(num, p, piece, c.names, i == last)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// branchOutside refuses a break or continue that leaves no loop; go/types leaves
// that to the compiler's later stages.
func branchOutside(p *part) error {
	for _, s := range p.body() {
		if b, ok := s.(*ast.BranchStmt); ok && b.Label == nil && b.Tok != token.GOTO {
			return faultAt(b.Tok.String()+" is not in a loop", p.src, p.offset(b.Pos()))
		}
	}
	return nil
}

// runSteps runs the steps of a cell and makes each one's symbols the session's.
func (e *Engine) runSteps(run *running, p *plan) error {
	e.mu.Lock()
	e.names.imports, e.names.dots = p.names.imports, p.names.dots
	for _, name := range p.names.taken() {
		delete(e.names.symbols, name) // by an import
		e.changed[name] = true
	}
	e.mu.Unlock()
	for i, s := range p.steps {
		run.value = nil
		if s.values != nil {
			run.value = &shown{values: s.values}
		}
		err := e.runText(run, s.text)
		if err == nil && i == len(p.steps)-1 {
			run.await()
			err = e.settle(run, nil)
		}
		if errors.Is(err, errLeft) {
			return nil
		}
		if err != nil {
			if i == 0 {
				e.mu.Lock()
				e.dropMethods(p.fresh.methods)
				e.forget(p.fresh)
				e.mu.Unlock()
			}
			return e.explain(err, p, s)
		}
		e.mu.Lock()
		for _, m := range s.makes {
			e.names.add(m)
			e.changed[m.name] = true
		}
		if i == 0 {
			e.settleMethods(p.fresh.methods)
			e.remember(p.src) // its declarations come first
			for _, fw := range s.forwards {
				e.forward[fw.key] = fw
			}
		}
		e.mu.Unlock()
	}
	return nil
}

// runDeferred runs what the cell has deferred, the last first.
func (e *Engine) runDeferred(run *running) (err error) {
	for len(run.deferred) > 0 {
		f := run.deferred[len(run.deferred)-1]
		run.deferred = run.deferred[:len(run.deferred)-1]
		if ferr := protect(f); ferr != nil && err == nil {
			err = &Fault{Name: panicFault, Value: describePanic(plainValue(ferr))}
		}
	}
	return err
}
