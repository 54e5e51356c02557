package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"vlab/repl/session"
)

// Session is what a run needs of an interpreted session; *[session.Session] is one.
type Session interface {
	// Eval runs a cell and returns when it is over. The end of ctx interrupts
	// the cell, which may take a moment to save what it has.
	Eval(ctx context.Context, cell string, out session.Output) (session.Result, error)
}

// Options are the details of a run; the zero value works.
type Options struct {
	// Out is the folder for pictures, made when the first one comes; empty
	// means the working folder.
	Out string
	// Write is where an executed copy of a notebook is saved, with its
	// outputs, also when a cell fails; empty for none. It may be the notebook
	// itself. A .go script has no executed copy.
	Write string
	// Stdout and Stderr receive the text; nil means os.Stdout and os.Stderr.
	Stdout, Stderr io.Writer
	// Params are given to variables of the file.
	Params []Param
	// Timeout is how long each cell may run; 0 means without end. A cell that
	// takes longer is interrupted, and the run ends with an error that is
	// [context.DeadlineExceeded].
	Timeout time.Duration
}

// Run runs the cells of file in s, one after another. The first cell that fails
// ends the run: its error goes to Stderr with its traceback, and Run returns an
// error that names the file, the cell and the line. When ctx ends, the running
// cell is interrupted and Run returns an error that is ctx's.
func Run(ctx context.Context, file string, s Session, o Options) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run %s: %w", file, err)
		}
	}()
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	cells, nb, err := readCells(file)
	if err != nil {
		return err
	}
	if len(o.Params) > 0 && nb != nil {
		nb.inject(o.Params)
		cells = nb.codeCells()
	} else if len(o.Params) > 0 {
		cells = inject(cells, o.Params)
	}
	if o.Write != "" && nb == nil {
		return errors.New("only a notebook has an executed copy")
	}
	r := &runner{session: s, options: o, notebook: nb, files: pictures{dir: o.Out, names: map[string]string{}}}
	if nb != nil {
		nb.begin()
	}
	err = r.run(ctx, cells)
	if o.Write != "" {
		err = errors.Join(err, r.save())
	}
	return err
}

// runner is one run of a file.
type runner struct {
	session  Session
	options  Options
	notebook *notebook
	files    pictures
	mu       sync.Mutex // what a cell left running may still print when the next begins
	outputs  []*outputs // of the notebook's cells so far
}

// save writes the executed copy of the notebook.
func (r *runner) save() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.outputs {
		o.store()
	}
	return r.notebook.write(r.options.Write)
}

// run runs the cells until one fails.
func (r *runner) run(ctx context.Context, cells []cell) error {
	for _, c := range cells {
		if strings.TrimSpace(c.code) == "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.cell(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", where(c, err), err)
		}
	}
	return nil
}

// where names a cell and, where it is known, the line that an error is of.
func where(c cell, err error) string {
	at := fmt.Sprintf("cell %d", c.number)
	var cellErr *session.CellError
	if errors.As(err, &cellErr) && cellErr.Line > 0 {
		at += fmt.Sprintf(", line %d", cellErr.Line)
		if c.line > 0 {
			at += fmt.Sprintf(" (line %d of the file)", c.line+cellErr.Line-1)
		}
	}
	return at
}

// cell runs one cell, shows what it gave and records it.
func (r *runner) cell(ctx context.Context, c cell) error {
	out := newSink(r, c)
	res, err := r.eval(ctx, c.code, out)
	out.finish()
	if err != nil {
		out.fail(err, res.Count)
	} else {
		out.result(res)
	}
	return errors.Join(err, out.fault())
}

// eval evaluates a cell. At its timeout and at ctx's end it is interrupted.
func (r *runner) eval(ctx context.Context, code string, out session.Output) (session.Result, error) {
	limit := ctx
	if r.options.Timeout > 0 {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(ctx, r.options.Timeout)
		defer cancel()
	}
	res, err := r.session.Eval(limit, code, out)
	switch {
	case ctx.Err() != nil: // also when the cell made the best of it and ended well
		return res, fmt.Errorf("interrupted: %w", ctx.Err())
	case limit.Err() != nil:
		return res, fmt.Errorf("stopped after its %v: %w", r.options.Timeout, limit.Err())
	}
	return res, err
}
