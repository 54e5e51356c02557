package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"vlab/repl/session/display"
)

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
