package script_test

import (
	"context"
	"fmt"
	"sync"

	"vlab/repl/script"
	"vlab/repl/session"
)

var _ script.Session = (*session.Session)(nil)

// fake is a session whose cells are looked up by their text.
type fake struct {
	mu    sync.Mutex
	ran   []string
	cells map[string]func(ctx context.Context, out session.Output) (session.Result, error)
}

func newFake() *fake {
	return &fake{cells: map[string]func(context.Context, session.Output) (session.Result, error){}}
}

func (f *fake) Eval(ctx context.Context, cell string, out session.Output) (session.Result, error) {
	f.mu.Lock()
	f.ran = append(f.ran, cell)
	run := f.cells[cell]
	n := len(f.ran)
	f.mu.Unlock()
	if run == nil {
		return session.Result{}, fmt.Errorf("the test has no cell %q", cell)
	}
	res, err := run(ctx, out)
	res.Count = n
	return res, err
}

// on says what a cell does.
func (f *fake) on(cell string, do func(out session.Output)) {
	f.cells[cell] = func(_ context.Context, out session.Output) (session.Result, error) {
		do(out)
		return session.Result{}, nil
	}
}

// gives says what a cell's value is.
func (f *fake) gives(cell string, data map[string]any) {
	f.cells[cell] = func(context.Context, session.Output) (session.Result, error) {
		return session.Result{Data: data}, nil
	}
}

// fails says what a cell's error is.
func (f *fake) fails(cell string, err error) {
	f.cells[cell] = func(context.Context, session.Output) (session.Result, error) {
		return session.Result{}, err
	}
}

// hangs makes a cell run until it is interrupted, after calling begun.
func (f *fake) hangs(cell string, begun func()) {
	f.cells[cell] = func(ctx context.Context, _ session.Output) (session.Result, error) {
		begun()
		<-ctx.Done()
		return session.Result{}, &session.CellError{Name: "interrupted", Value: "interrupted", Line: 1}
	}
}

// printing returns a cell that prints text on stdout.
func printing(text string) func(session.Output) {
	return func(out session.Output) { out.Stream("stdout", text) }
}
