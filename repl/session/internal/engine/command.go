package engine

import (
	"cmp"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"vlab/repl/session/display"
	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/wire"
)

// command is what a line that begins with % does.
type command struct {
	args, help string
	run        func(e *Engine, run *running, c call) (*display.Data, error)
}

// call is a command with its place in a cell.
type call struct {
	cell.Segment
	num int
	src string
}

// PageKey is true in the transient data of a value that is for a pager.
const PageKey = "page"

// commands returns the commands by their names.
func commands() map[string]command {
	return map[string]command{
		"help":      {"", "this list", (*Engine).help},
		"who":       {"", "names of the session's variables", (*Engine).who},
		"whos":      {"", "variables with their types and values, functions and types", (*Engine).whos},
		"reset":     {"", "forgets all names", nil}, // the front's, as the next
		"replay":    {"", "runs the cells again that ran without an error, after a session was lost", nil},
		"time":      {"STATEMENT", "runs it and tells how long it took; %%time times the cell", (*Engine).timeOnce},
		"timeit":    {"STATEMENT", "runs it again and again, and tells what one run takes", (*Engine).timeOften},
		"errors":    {"[on|off]", "whether an error that a call returns last, and nobody takes, stops the cell", (*Engine).setErrors},
		"history":   {"[N]", "the cells that were run, the last N", (*Engine).history},
		"cd":        {"[DIR]", "changes the working directory", (*Engine).changeDir},
		"ls":        {"[PATH]", "lists files", (*Engine).listFiles},
		"env":       {"[NAME[=VALUE]]", "shows or sets the environment", (*Engine).environment},
		"save":      {"FILE", "writes the cells that ran without an error as a script of cells", (*Engine).saveCells},
		"load":      {"FILE", "runs the cells of a script", (*Engine).loadCells},
		"writefile": {"[-a] FILE", "writes the rest of the cell to a file; as %%writefile", (*Engine).writeFile},
		"bash":      {"", "runs the rest of the cell in bash; as %%bash", (*Engine).bash},
	}
}

// evalSegments runs a cell that has commands, part by part.
func (e *Engine) evalSegments(run *running, num int, src string, list []cell.Segment) (*display.Data, error) {
	var value *display.Data
	for _, s := range list {
		var err error
		value = nil
		if s.Name == "" {
			value, err = e.evalCode(run, num, cell.Masked(src, s.Start, s.End))
		} else {
			value, err = e.command(run, call{s, num, src})
		}
		if err != nil {
			return nil, err
		}
	}
	return value, nil
}

// command runs one command.
func (e *Engine) command(run *running, c call) (*display.Data, error) {
	switch c.Name {
	case "!":
		return nil, e.shell(run, c, "-c", c.Args)
	case "?":
		text, ok := e.inspect(c.Args, len(c.Args), true)
		if !ok {
			return nil, c.fault("nothing is known of " + c.Args)
		}
		d := plain(text)
		d.Transient = display.MIMEMap{PageKey: true}
		return d, nil
	}
	known := commands()
	do, ok := known[c.Name]
	if ok && do.run == nil {
		return nil, c.fault("%" + c.Name + " must be alone in its cell")
	}
	if !ok {
		f := c.fault("there is no command %" + c.Name)
		f.Traceback = append(f.Traceback, "hint: "+nearCommand(c.Name, known))
		return nil, f
	}
	return do.run(e, run, c)
}

// nearCommand names the command that was probably meant.
func nearCommand(name string, known map[string]command) string {
	for _, other := range slices.Sorted(maps.Keys(known)) {
		if strings.HasPrefix(other, name) || strings.HasPrefix(name, other) {
			return "%" + other + " is one; %help lists all"
		}
	}
	return "%help lists all"
}

func plain(text string) *display.Data {
	d := display.MakeData(display.MIMETypeText, text)
	return &d
}

// fault is an error at the command's line.
func (c call) fault(value string) *Fault {
	f := faultAt(value, c.src, c.Start)
	f.Name = errorFault
	return f
}

// help lists the commands.
func (e *Engine) help(*running, call) (*display.Data, error) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	all := commands()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(w, "%%%s %s\t%s\n", name, all[name].args, all[name].help)
	}
	fmt.Fprint(w, "!COMMAND\truns it in the shell\n?NAME, NAME?\twhat is known of a name\n")
	w.Flush()
	return plain(strings.TrimRight(b.String(), "\n")), nil
}

// who lists the names of variables.
func (e *Engine) who(*running, call) (*display.Data, error) {
	list := e.Variables()
	if len(list) == 0 {
		return plain("no variables yet"), nil
	}
	return plain(strings.Join(list, "  ")), nil
}

// valueWidth is how much of a value %whos shows, in characters.
const valueWidth = 60

// whos lists variables, functions and types.
func (e *Engine) whos(*running, call) (*display.Data, error) {
	e.mu.Lock()
	values := e.marks()
	var vars, others []*symbol
	for s := range e.names.all() {
		if _, ok := s.obj.(*types.Var); ok && !s.hidden {
			vars = append(vars, s)
		} else if !s.hidden {
			others = append(others, s)
		}
	}
	e.mu.Unlock()
	byName := func(a, b *symbol) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(vars, byName)
	slices.SortFunc(others, byName)
	if len(vars)+len(others) == 0 {
		return plain("no names yet"), nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range vars {
		text := ""
		if v, ok := values[s.internal]; ok && v.IsValid() && v.CanInterface() {
			text = e.summary(v.Interface())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, typeText(s.obj.Type()), text)
	}
	for _, s := range others {
		fmt.Fprintf(w, "%s\t%s\t\n", s.name, shortObject(s.obj))
	}
	w.Flush()
	return plain(strings.TrimRight(b.String(), "\n")), nil
}

// summary is a value on one short line.
func (e *Engine) summary(v any) string {
	text := ""
	if e.opts.Summary != nil {
		text = e.opts.Summary(v)
	}
	if text == "" {
		text = display.Text(v)
	}
	text, more, cut := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(text)
	if len(runes) > valueWidth {
		return string(runes[:valueWidth-1]) + "…"
	}
	if cut && more != "" {
		return text + " …"
	}
	return text
}

func typeText(t types.Type) string { return types.TypeString(t, shortPackage) }

func shortObject(obj types.Object) string {
	switch obj.(type) {
	case *types.Func:
		return typeText(obj.Type())
	case *types.TypeName:
		return "type " + typeText(obj.Type().Underlying())
	}
	return types.ObjectString(obj, shortPackage)
}

// shortPackage writes no package for the session's own names.
func shortPackage(p *types.Package) string {
	if p.Path() == "main" {
		return ""
	}
	return p.Name()
}

// code returns the Go that a command was given, at its place in the cell.
func (c call) code(wrap func(string) string) string {
	if c.Whole {
		return cell.Masked(c.src, len(c.src)-len(c.Body), len(c.src))
	}
	at := c.Start + strings.LastIndex(c.src[c.Start:c.End], c.Args)
	return cell.Masked(c.src[:at], 0, 0) + wrap(c.Args)
}

// Recall takes in what was run before the engine began.
func (e *Engine) Recall(list []wire.Ran) { e.inputs = append([]wire.Ran(nil), list...) }

// setErrors says whether errors that nobody takes stop cells.
func (e *Engine) setErrors(_ *running, c call) (*display.Data, error) {
	switch c.Args {
	case "on", "off":
		e.goErrors = c.Args == "off"
	case "":
	default:
		return nil, c.fault("%errors takes on or off, not " + strconv.Quote(c.Args))
	}
	if e.goErrors {
		return plain("errors are results as in Go"), nil
	}
	return plain("an error that nobody takes stops its cell"), nil
}

// history lists the cells that were run.
func (e *Engine) history(_ *running, c call) (*display.Data, error) {
	list := e.inputs
	if c.Args != "" {
		n, err := strconv.Atoi(c.Args)
		if err != nil || n < 1 {
			return nil, c.fault("%history takes how many cells to show, not " + strconv.Quote(c.Args))
		}
		list = list[max(0, len(list)-n):]
	}
	lines := make([]string, len(list))
	for i, in := range list {
		lines[i] = fmt.Sprintf("%4d: %s", in.Count, strings.ReplaceAll(strings.TrimSpace(in.Cell), "\n", "\n      "))
	}
	return plain(strings.Join(lines, "\n")), nil
}
