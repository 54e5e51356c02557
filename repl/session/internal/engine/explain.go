package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"

	"vlab/repl/session/internal/cell"

	"github.com/traefik/yaegi/interp"
)

// explain turns what a step has ended with into a fault with its place.
func (e *Engine) explain(err error, p *plan, s step) error {
	frames := e.stderr.take()
	var stop *stopped
	if errors.As(err, &stop) {
		f := e.placed(p, s, frames)
		f.Name, f.Value = interruptFault, "the cell was interrupted; what it has made so far is kept"
		return f
	}
	var goroutine *spawned
	if errors.As(err, &goroutine) {
		f := e.placed(p, s, frames)
		f.Name, f.Value = panicFault, err.Error()+" (in a goroutine)"
		return f
	}
	var thrown interp.Panic
	if !errors.As(err, &thrown) {
		return refused(err, p.src, s)
	}
	f := e.placed(p, s, frames)
	value := plainValue(thrown.Value)
	fail, ok := value.(failure)
	if ok && errors.Is(fail.err, context.Canceled) && e.current().ctx.Err() != nil {
		f.Name, f.Value = interruptFault, fail.err.Error()
		return f
	}
	if ok {
		f.Name, f.Value = errorFault, fail.err.Error()
		f.Traceback = append(f.Traceback, hint(fail.err)...)
		return f
	}
	f.Name, f.Value = panicFault, describePanic(value)
	e.current().panicking = recoveredValue(value)
	if perr, ok := value.(error); ok {
		f.Traceback = append(f.Traceback, hint(perr)...)
	}
	return f
}

// placed finds the innermost place within the cell, and tells the way to it.
func (e *Engine) placed(p *plan, s step, frames []int) *Fault {
	e.mu.Lock()
	defer e.mu.Unlock()
	marks := e.marks()
	f := &Fault{}
	var way []string
	for i, k := range frames {
		if k >= len(e.places) || i > 0 && frames[i-1] == k {
			continue
		}
		pl := e.places[k]
		offset := markOf(marks, e.markName(k))
		if offset < 0 {
			offset = pl.start
		}
		line, col := cell.Position(e.cells[pl.cell], offset)
		if pl.cell == p.num && f.Line == 0 && offset <= e.own[pl.cell] {
			f.Line, f.Col = line, col
		}
		if pl.name != "" && len(way) < 20 {
			way = append(way, fmt.Sprintf("in %s, cell %d line %d", pl.name, pl.cell, line))
		}
	}
	if f.Line == 0 {
		f.Line, f.Col = cell.Position(p.src, s.piece.Start)
	}
	f.Traceback = append(cell.Excerpt(p.src, f.Line, f.Col), way...)
	return f
}

// marks returns the interpreter's variables. Its Globals panics when the last text
// did not compile; no function has then run that could have noted anything new.
func (e *Engine) marks() (m map[string]reflect.Value) {
	defer func() {
		if r := recover(); r != nil {
			m = nil
		}
	}()
	return e.in.Globals()
}

// markOf returns the offset of the statement at which a function is, -1 when it
// has noted none.
func markOf(marks map[string]reflect.Value, name string) int {
	v, ok := marks[name]
	if !ok || !v.CanInt() {
		return -1
	}
	return int(v.Int()) - 1
}

// position is how the interpreter's own messages begin.
var position = regexp.MustCompile(`^(?:the interpreter can't run this: )?(\d+):(\d+): (?:CFG post-order panic: )?`)

// refused explains an error of the interpreter's compiler: the cell is right, or
// the check would have said so, but the interpreter cannot run it.
func refused(err error, src string, s step) *Fault {
	msg := err.Error()
	line, col := cell.Position(src, s.piece.Start)
	if m := position.FindStringSubmatch(msg); m != nil {
		if at, err := strconv.Atoi(m[1]); err == nil && at > lineStride {
			line, col = at%lineStride, 1
		}
		msg = msg[len(m[0]):]
	}
	return &Fault{
		Name: compileFault, Value: "this session can't run it: " + msg,
		Line: line, Col: col, Traceback: cell.Excerpt(src, line, col),
	}
}
