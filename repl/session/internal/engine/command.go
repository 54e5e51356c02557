package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

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

// commands returns the commands by their names.
func commands() map[string]command {
	return map[string]command{
		"help":      {"", "this list", (*Engine).help},
		"who":       {"", "names of the session's variables", (*Engine).who},
		"whos":      {"", "variables with their types and values, functions and types", (*Engine).whos},
		"reset":     {"", "forgets all names", nil}, // the front's
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
		text, ok := e.Inspect(c.Args, len(c.Args))
		if !ok {
			return nil, c.fault("nothing is known of " + c.Args)
		}
		return plain(text), nil
	}
	known := commands()
	do, ok := known[c.Name]
	if !ok || do.run == nil {
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
	fmt.Fprint(w, "!COMMAND\truns it in the shell\n?NAME, NAME?\twhat is known of a name\n%replay\truns the cells again that ran without an error, after a session was lost\n")
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

// timeOnce runs code once and tells its time.
func (e *Engine) timeOnce(run *running, c call) (*display.Data, error) {
	if c.Args == "" && !c.Whole {
		return nil, c.fault("%time takes a statement; %%time at the top of a cell times all of it")
	}
	began, cpu := time.Now(), cpuTime()
	value, err := e.evalCode(run, c.num, c.code(func(s string) string { return s }))
	fmt.Fprintf(os.Stdout, "wall time %v, CPU time %v\n", rounded(time.Since(began)), rounded(cpuTime()-cpu))
	return value, err
}

// timeitGoal is how long a series of %timeit's repetitions is to take, and
// timeitSeries how many there are.
const (
	timeitGoal   = 200 * time.Millisecond
	timeitSeries = 5
)

// timeOften runs code until its time is known.
func (e *Engine) timeOften(run *running, c call) (*display.Data, error) {
	code := c.Args
	if c.Whole {
		code = c.Body
	}
	if strings.TrimSpace(code) == "" {
		return nil, c.fault("%timeit takes a statement")
	}
	series := func(n int) (time.Duration, error) {
		before := cell.Masked(c.src[:c.Start], 0, 0)
		began := time.Now()
		_, err := e.evalCode(run, c.num, before+"for vlabI := 0; vlabI < "+strconv.Itoa(n)+"; vlabI++ { "+code+"\n}")
		return time.Since(began), err
	}
	n, took := 1, time.Duration(0)
	for {
		var err error
		if took, err = series(n); err != nil {
			return nil, err
		}
		if took >= timeitGoal || n >= 1e9 {
			break
		}
		n = max(n*2, min(n*100, int(float64(n)*float64(timeitGoal)/float64(max(took, time.Microsecond)))))
	}
	times := []float64{float64(took) / float64(n)}
	for len(times) < timeitSeries {
		took, err := series(n)
		if err != nil {
			return nil, err
		}
		times = append(times, float64(took)/float64(n))
	}
	slices.Sort(times)
	fmt.Fprintf(os.Stdout, "%v a run, median of %d series of %d (%v to %v)\n", rounded(time.Duration(times[len(times)/2])), timeitSeries, n,
		rounded(time.Duration(times[0])), rounded(time.Duration(times[len(times)-1])))
	return nil, nil //nolint:nilnil // no value, and no error
}

// rounded keeps three digits or so of a duration.
func rounded(d time.Duration) time.Duration {
	for unit := time.Nanosecond; unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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

// home puts the home folder in the place of a leading ~.
func home(path string) string {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(dir, path[1:])
}

// changeDir changes the session's working directory.
func (e *Engine) changeDir(_ *running, c call) (*display.Data, error) {
	dir := home(cmp.Or(unquoted(c.Args), "~"))
	if err := os.Chdir(dir); err != nil {
		return nil, c.failure(err)
	}
	now, err := os.Getwd()
	if err != nil {
		return nil, c.failure(err)
	}
	return plain(now), nil
}

// failure is an error of the system at the command's line.
func (c call) failure(err error) *Fault {
	var p *os.PathError
	if errors.As(err, &p) {
		return c.fault(p.Path + ": " + p.Err.Error())
	}
	return c.fault(err.Error())
}

func unquoted(s string) string {
	if t, err := strconv.Unquote(s); err == nil {
		return t
	}
	return s
}

// listFiles lists a folder as ls does, folders with a slash.
func (e *Engine) listFiles(_ *running, c call) (*display.Data, error) {
	path := home(cmp.Or(unquoted(c.Args), "."))
	if names, err := filepath.Glob(path); err == nil && strings.ContainsAny(path, "*?[") {
		return plain(strings.Join(names, "\n")), nil
	}
	list, err := os.ReadDir(path)
	if errors.Is(err, syscall.ENOTDIR) {
		return plain(path), nil
	}
	if err != nil {
		return nil, c.failure(err)
	}
	var names []string
	for _, f := range list {
		if strings.HasPrefix(f.Name(), ".") {
			continue
		}
		if f.IsDir() {
			names = append(names, f.Name()+"/")
		} else {
			names = append(names, f.Name())
		}
	}
	return plain(strings.Join(names, "\n")), nil
}

// environment shows or sets variables of the environment.
func (e *Engine) environment(_ *running, c call) (*display.Data, error) {
	if name, value, set := strings.Cut(c.Args, "="); set {
		if err := os.Setenv(strings.TrimSpace(name), unquoted(strings.TrimSpace(value))); err != nil {
			return nil, c.failure(err)
		}
		return nil, nil //nolint:nilnil // no value, and no error
	}
	if c.Args != "" {
		value, ok := os.LookupEnv(c.Args)
		if !ok {
			return nil, c.fault("the environment has no " + c.Args)
		}
		return plain(value), nil
	}
	all := os.Environ()
	slices.Sort(all)
	return plain(strings.Join(all, "\n")), nil
}

// cellSeparator parts the cells of a script, as `vlab run` reads them.
const cellSeparator = "// %%"

// saveCells writes the session's cells as a script.
func (e *Engine) saveCells(_ *running, c call) (*display.Data, error) {
	path := home(unquoted(c.Args))
	if path == "" {
		return nil, c.fault("%save takes the name of a file")
	}
	var b strings.Builder
	n := 0
	for _, in := range e.inputs {
		if in.OK && !strings.HasPrefix(strings.TrimSpace(in.Cell), "%save") {
			b.WriteString(cellSeparator + "\n" + strings.TrimRight(in.Cell, "\n") + "\n\n")
			n++
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return nil, c.failure(err)
	}
	return plain(fmt.Sprintf("%d cells in %s", n, path)), nil
}

// loadCells runs the cells of a script in this session.
func (e *Engine) loadCells(run *running, c call) (*display.Data, error) {
	path := home(unquoted(c.Args))
	if path == "" {
		return nil, c.fault("%load takes the name of a script of cells")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, c.failure(err)
	}
	var value *display.Data
	var text strings.Builder
	cells := []string{}
	for _, line := range strings.SplitAfter(string(b), "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), cellSeparator) {
			cells = append(cells, text.String())
			text.Reset()
			continue
		}
		text.WriteString(line)
	}
	for i, src := range append(cells, text.String()) {
		if strings.TrimSpace(src) == "" {
			continue
		}
		if value, err = e.evalAll(run, c.num, src); err != nil {
			f := c.fault(fmt.Sprintf("cell %d of %s: %v", i, path, err))
			return nil, f
		}
	}
	return value, nil
}

// writeFile writes the rest of the cell to a file.
func (e *Engine) writeFile(_ *running, c call) (*display.Data, error) {
	path, flags := c.Args, os.O_CREATE|os.O_WRONLY|os.O_TRUNC
	if rest, ok := strings.CutPrefix(path, "-a "); ok {
		path, flags = strings.TrimSpace(rest), os.O_CREATE|os.O_WRONLY|os.O_APPEND
	}
	path = home(unquoted(path))
	if path == "" || !c.Whole {
		return nil, c.fault("%%writefile takes the name of a file, and stands at the top of its cell")
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, c.failure(err)
	}
	body := strings.TrimRight(c.Body, "\n") + "\n"
	_, err = f.WriteString(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, c.failure(err)
	}
	return plain(fmt.Sprintf("%s: %d bytes written", path, len(body))), nil
}

// bash runs the rest of the cell, or the rest of the line, in bash.
func (e *Engine) bash(run *running, c call) (*display.Data, error) {
	if c.Whole {
		return nil, e.shell(run, c, "-c", c.Body)
	}
	return nil, e.shell(run, c, "-c", c.Args)
}

// shell runs bash; an interrupt ends it and what it has started.
func (e *Engine) shell(run *running, c call, args ...string) error {
	cmd := exec.CommandContext(run.ctx, "bash", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case run.ctx.Err() != nil:
		f := c.fault("the cell was interrupted: " + context.Cause(run.ctx).Error())
		f.Name = interruptFault
		return f
	}
	return c.fault("the shell: " + err.Error())
}
