package engine

import (
	"context"
	"fmt"
	"go/types"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/mirror"
	"vlab/repl/session/internal/wire"
	"vlab/repl/session/symbols"
	"vlab/repl/session/symbols/comments"
	"vlab/repl/session/widgets"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
	"github.com/traefik/yaegi/stdlib/syscall"
	"github.com/traefik/yaegi/stdlib/unrestricted"
	"github.com/traefik/yaegi/stdlib/unsafe"
)

// Options configures [New].
type Options struct {
	// Exports are packages beside the standard library and display.
	Exports interp.Exports
	// Generics are sources of packages' generic functions and types, by import path,
	// which tables can't hold.
	Generics map[string]string
	// Prelude are imports made before the first cell, as `path` or `name path`.
	Prelude []string
	// Wrap is applied to each cell's context; nil means no change.
	Wrap func(context.Context) context.Context
	// Values renders values ahead of the session's own rules; nil, or a nil
	// result, leaves it to them.
	Values func(any) map[string]any
	// Comment returns what one of Exports says of a name of its, or of a method or
	// field as Type.Name; nil, or an empty comment, for none.
	Comment func(importPath, name string) comments.Comment
	// Summary describes a value on one line for %whos; nil, or "", leaves it to its text.
	Summary func(any) string
	// Widgets makes the widgets of cells; it must not be nil.
	Widgets *widgets.Hub
	// Sink takes what cells show; it must not be nil.
	Sink display.Sink
	// Input asks the person for a line; it must not be nil.
	Input func(ctx context.Context, prompt string, password bool) (string, error)
}

// place is where a function stands, for the report of a panic.
type place struct {
	cell  int
	name  string
	start int
	top   bool // it runs a statement of the cell itself
}

// Engine holds an interpreter and the names of its session. Eval must not be
// called twice at a time; Complete and Inspect may be called beside it.
type Engine struct {
	opts   Options
	in     *interp.Interpreter
	mirror *mirror.Importer
	stderr *tracer
	// The interpreter's own variables: what loops look at, and a cell's ctx.
	stop *bool
	ctx  *context.Context

	mu      sync.Mutex // guards what follows and the importer
	names   *names
	used    map[string]bool // internal names ever given to the interpreter
	counter int
	loaded  map[string]string // import path to the interpreter's name for it
	types   map[reflect.Type]string
	places  []place
	cells   map[int]string             // the texts of cells, with the companions added to them
	own     map[int]int                // how much of each is the cell's own
	sources map[string]*source         // of types and functions, by name
	usedBy  map[string]map[string]bool // names to the functions whose sources speak of them
	objects map[types.Object]*symbol   // all that there ever were

	shaped     *ownTypes
	forward    map[string]forward // of functions by name and signature
	generics   map[types.Object]*generic
	instances  map[instanceKey]string
	inLiterals map[types.Object]bool // variables that function literals speak of
	mirrored   map[reflectedKey]reflect.Type
	casts      map[string]*cast // by the interpreter's text of the interface
	asked      []instance       // by the cell at hand, and not yet written
	later      []func() string  // write what else the cell at hand has asked for
	fresh      made             // with the cell at hand

	busy  sync.Mutex // held while a cell runs
	runMu sync.Mutex
	run   *running

	layoutOnce sync.Once
	layout     holderLayout // of what the interpreter keeps interfaces' values in

	changed map[string]bool // names that were made or taken since Changes

	goErrors bool       // a result that is an error stops no cell
	inputs   []wire.Ran // cells that were run
}

// New returns an engine whose interpreter has started.
func New(o Options) (*Engine, error) {
	e := &Engine{
		opts: o, names: newNames(), used: map[string]bool{}, loaded: map[string]string{}, types: map[reflect.Type]string{}, cells: map[int]string{}, own: map[int]int{}, sources: map[string]*source{},
		objects: map[types.Object]*symbol{}, changed: map[string]bool{}, usedBy: map[string]map[string]bool{}, shaped: newOwnTypes(), forward: map[string]forward{}, generics: map[types.Object]*generic{}, instances: map[instanceKey]string{}, casts: map[string]*cast{}, inLiterals: map[types.Object]bool{}, mirrored: map[reflectedKey]reflect.Type{},
		stderr: &tracer{out: os.Stderr}, run: idle(),
	}
	tables := []interp.Exports{
		stdlib.Symbols, symbols.Newer(),
		{"iter/iter": {}},
		syscall.Symbols, unrestricted.Symbols,
		e.overrides(), e.reflectTable(), o.Exports, symbols.Display(display.NewScreen(o.Sink), e.ask), symbols.Widgets(o.Widgets), e.runtimeTable(),
	}
	if err := checkLayout(); err != nil {
		return nil, err
	}
	e.mirror = mirror.New(tables...)
	for path, source := range o.Generics {
		e.mirror.AddTemplate(path, source)
	}
	e.in = interp.New(interp.Options{Stderr: e.stderr, Stdin: &asker{e: e}, Unrestricted: true})
	for _, t := range append(tables, unsafe.Symbols) {
		if err := e.in.Use(t); err != nil {
			return nil, fmt.Errorf("load symbols: %w", err)
		}
	}
	if err := e.prelude(); err != nil {
		return nil, fmt.Errorf("prepare session: %w", err)
	}
	return e, nil
}

// prelude makes the first imports and names.
func (e *Engine) prelude() error {
	for _, spec := range append([]string{"fmt", "time", "math", "os", "strings", "sort", "vlab/repl/session/display", "vlab/repl/session/widgets"}, e.opts.Prelude...) {
		alias, path := "", strings.Trim(spec, `"`)
		if name, rest, ok := strings.Cut(spec, " "); ok {
			alias, path = name, strings.Trim(strings.TrimSpace(rest), `"`)
		}
		pkg, err := e.mirror.Import(path)
		if err != nil {
			return err
		}
		e.names.addImport(localName(alias, path, pkg), path)
	}
	_, err := e.in.Eval(`package main
import "context"
import vlabRT "` + runtimePath + `"
import "vlab/repl/session/display"
var vlabStop bool
var vlabTop int
var ctx context.Context
var Display = display.Display
func init() { vlabRT.Bind(&vlabStop, &ctx) }`)
	if err != nil {
		return err
	}
	if err := e.predeclare("ctx", "context", "Context"); err != nil {
		return err
	}
	return e.predeclare("Display", "vlab/repl/session/display", "Display")
}

// predeclare adds a hidden variable with the type of a package's symbol.
func (e *Engine) predeclare(name, path, symbolName string) error {
	pkg, err := e.mirror.Import(path)
	if err != nil {
		return err
	}
	obj := pkg.Scope().Lookup(symbolName)
	if obj == nil {
		return fmt.Errorf("no symbol %s in %s", symbolName, path)
	}
	s := &symbol{name: name, internal: name, obj: newVar(name, obj.Type()), hidden: true}
	e.names.add(s)
	e.objects[s.obj] = s
	e.used[name] = true
	return nil
}

// packageName returns the interpreter's name of a package, which it imports where
// it has not yet. The interpreter's imports last and cannot be changed, so each
// path gets one name of ours.
func (e *Engine) packageName(path string) string {
	if name, ok := e.loaded[path]; ok {
		return name
	}
	name := fmt.Sprintf("vlabP%d", e.next())
	e.loaded[path] = name
	if _, err := e.in.Eval("package main\nimport " + name + " " + strconv.Quote(path)); err != nil {
		panic(fmt.Errorf("import %s: %w", path, err)) // the importer reads the same tables
	}
	return name
}

// loadDots makes the imports with a dot known to the interpreter.
func (e *Engine) loadDots(paths []string) error {
	for _, p := range paths {
		if _, ok := e.loaded[". "+p]; ok {
			continue
		}
		if _, err := e.in.Eval("package main\nimport . " + strconv.Quote(p)); err != nil {
			return fmt.Errorf("import . %q: %w", p, err)
		}
		e.loaded[". "+p] = "."
	}
	return nil
}

// next numbers names that the rewriting makes up.
func (e *Engine) next() int {
	e.counter++
	return e.counter
}

// internalName returns the name that the interpreter is to use for a new object: the
// user's own where it is new to the interpreter, too.
func (e *Engine) internalName(name string) string {
	internal := name
	for e.used[internal] || internal == "main" || internal == "init" || strings.HasPrefix(internal, "vlab") {
		internal = fmt.Sprintf("%s_%d", strings.TrimPrefix(name, "vlab"), e.next())
	}
	e.used[internal] = true
	return internal
}

// Changes returns which variables there are new since the last call, and which there
// are no longer.
func (e *Engine) Changes() (made, gone []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name := range e.changed {
		s := e.names.get(name)
		if s == nil {
			gone = append(gone, name)
		} else if _, ok := s.obj.(*types.Var); ok && !s.hidden {
			made = append(made, name)
		} else {
			gone = append(gone, name)
		}
	}
	clear(e.changed)
	return made, gone
}

// Variables returns the names of the session's variables, sorted.
func (e *Engine) Variables() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.names.variables()
}

// ask asks the person for a line.
func (e *Engine) ask(prompt string, password bool) (string, error) {
	return e.opts.Input(e.current().ctx, prompt, password)
}

// asker is the standard input of cells: each read asks the person for a line.
type asker struct {
	e    *Engine
	rest []byte
}

// Read returns what is left of the last line, or asks for the next one.
func (a *asker) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		line, err := a.e.ask("", false)
		if err != nil {
			return 0, io.EOF
		}
		a.rest = []byte(line + "\n")
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}
