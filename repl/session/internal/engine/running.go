package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"vlab/repl/session/display"
	"vlab/repl/session/widgets"

	"github.com/traefik/yaegi/interp"
)

// running is the state of one cell while it runs.
type running struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	value    *shown
	deferred []func()
	// panicking is what the cell has panicked with, while its deferred functions run.
	panicking any
	live      atomic.Int32 // goroutines that have not ended

	mu    sync.Mutex
	ended bool
	spawn any // the first panic of a goroutine
	fell  bool
}

// idle is the state before the first cell.
func idle() *running {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &running{ctx: ctx, cancel: cancel, ended: true}
}

// fail ends the cell with the panic of a goroutine. It reports false when the
// cell has ended.
func (r *running) fail(v any) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	if !r.fell {
		r.fell, r.spawn = true, v
	}
	r.cancel(errors.New("panic in a goroutine"))
	return true
}

// interrupts is closed when the cell is interrupted; it is nil once the cell has ended.
func (r *running) interrupts() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil
	}
	return r.ctx.Done()
}

// fallen returns the panic of a goroutine, if there was one.
func (r *running) fallen() (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spawn, r.fell
}

// goroutineWait is how long a cell that has come to its end waits for goroutines.
const goroutineWait = 5 * time.Millisecond

// await gives goroutines that the cell has waited for itself, by their last deferred
// calls, the time to end, or to say that they have panicked.
func (r *running) await() {
	for end := time.Now().Add(goroutineWait); r.live.Load() > 0 && time.Now().Before(end); {
		time.Sleep(goroutineWait / 50)
	}
}

func (e *Engine) current() *running {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	return e.run
}

// begin makes a cell the running one.
func (e *Engine) begin(ctx context.Context) *running {
	ctx, cancel := context.WithCancelCause(ctx)
	ctx = display.WithSink(ctx, e.opts.Sink)
	ctx = widgets.WithHub(ctx, e.opts.Widgets)
	if e.opts.Wrap != nil {
		ctx = e.opts.Wrap(ctx)
	}
	r := &running{ctx: ctx, cancel: cancel}
	e.runMu.Lock()
	e.run = r
	e.runMu.Unlock()
	*e.stop, *e.ctx = false, ctx
	e.stderr.take()
	return r
}

// end closes a cell. Its context stays alive for what the cell has left running in
// the background.
func (e *Engine) end(r *running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	*e.stop = false
}

// errLeft says that a return at the top has ended the cell.
var errLeft = errors.New("the cell has returned")

// softWait is how long an interrupted cell may take to reach a loop or a context
// that it looks at, before its channel operations are cancelled too.
const softWait = 700 * time.Millisecond

// parkedWait is how often it is looked whether the cell waits for a channel, which it
// does in vain.
const parkedWait = 40 * time.Millisecond

// outcome is how a text has ended.
type outcome struct{ err error }

// runText compiles a text and runs it to its end, or to the end that the cell's
// context puts to it. An empty text does nothing.
func (e *Engine) runText(run *running, text string) error {
	if text == "" {
		return nil
	}
	prog, err := e.compile(text)
	if err != nil {
		return err
	}
	if run.ctx.Err() != nil {
		return e.settle(run, halted())
	}
	defer e.trim()
	hard, stopHard := context.WithCancel(context.Background())
	defer stopHard()
	done := make(chan outcome, 1)
	go func() {
		_, err := e.in.ExecuteWithContext(hard, prog)
		done <- outcome{err}
	}()
	select {
	case o := <-done:
		return e.settle(run, o.err)
	case <-run.ctx.Done():
	}
	*e.stop = true
	for waited := time.Duration(0); waited < softWait && (waited == 0 || !parked()); waited += parkedWait {
		timer := time.NewTimer(parkedWait)
		select {
		case o := <-done:
			timer.Stop()
			return e.settle(run, o.err)
		case <-timer.C:
		}
	}
	e.stopHard(stopHard, done)
	return e.settle(run, halted())
}

// stopHard cancels the channel operations that the interpreter waits in. Its own
// cancelling raises a run number for good, after which every function that
// earlier cells have made returns at once without running; so the number is put
// back when nothing of the cell runs any more.
func (e *Engine) stopHard(cancel context.CancelFunc, done <-chan outcome) {
	before := atomic.LoadUint64(e.runID())
	cancel()
	<-done
	for executing() {
		time.Sleep(5 * time.Millisecond)
	}
	atomic.StoreUint64(e.runID(), before)
}

// runID is the interpreter's run number, the first field of its structure.
func (e *Engine) runID() *uint64 {
	return (*uint64)(unsafe.Pointer(e.in)) // checked by checkLayout
}

// parked reports whether the cell's goroutine waits in a channel operation of the
// interpreter itself; one within a package's function has its own way of ending.
func parked() bool {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, g := range bytes.Split(buf, []byte("\n\n")) {
		if !bytes.Contains(g, []byte(executeFrame)) {
			continue
		}
		lines := bytes.Split(g, []byte("\n"))
		if !waiting.Match(lines[0]) {
			return false
		}
		for _, l := range lines[1:] {
			if bytes.HasPrefix(l, []byte("\t")) || bytes.HasPrefix(l, []byte("reflect.")) || bytes.HasPrefix(l, []byte("runtime.")) {
				continue
			}
			return bytes.HasPrefix(l, []byte("github.com/traefik/yaegi/interp."))
		}
	}
	return false
}

// waiting matches the head of a goroutine that waits for a channel.
var waiting = regexp.MustCompile(`\[(chan |select)`)

// executeFrame is the function under which a text runs.
const executeFrame = "interp.(*Interpreter).ExecuteWithContext.func1("

// executing reports whether a goroutine still runs a text for ExecuteWithContext,
// which itself returns at once when it is cancelled.
func executing() bool {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	return bytes.Contains(buf, []byte(executeFrame))
}

// stopped is the error of an interrupted text.
type stopped struct{ cause error }

// Error returns why the text was stopped.
func (s *stopped) Error() string { return fmt.Sprintf("interrupted: %v", s.cause) }

func halted() error { return interp.Panic{Value: halt{}} }

// settle finds out what the end of a text means for the cell.
func (e *Engine) settle(run *running, err error) error {
	if v, ok := run.fallen(); ok {
		return &spawned{value: v}
	}
	var p interp.Panic
	if errors.As(err, &p) {
		switch plainValue(p.Value).(type) {
		case leave:
			return errLeft
		case halt:
			return &stopped{cause: context.Cause(run.ctx)}
		}
	}
	return err
}

// spawned is the error of a text whose goroutine has panicked.
type spawned struct{ value any }

// Error returns the panic's message.
func (s *spawned) Error() string { return describePanic(s.value) }

// compile compiles a text. The interpreter logs some faults of its own besides
// returning them; that log is dropped.
func (e *Engine) compile(text string) (prog *interp.Program, err error) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the interpreter can't run this: %v", r)
		}
	}()
	return e.in.Compile(text)
}

// protect runs f and returns its panic as an error.
func protect(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = interp.Panic{Value: r}
		}
	}()
	f()
	return nil
}

// tracer is the interpreter's standard error. It keeps the lines that the
// interpreter writes there about each function that a panic leaves, and passes
// the rest on.
type tracer struct {
	out    io.Writer
	mu     sync.Mutex
	frames []int
}

// panicLine is such a line.
var panicLine = regexp.MustCompile(`^(?:(\d+):\d+: )?panic: .*\(\.\.\.\)\n$`)

// Write takes one line, as the interpreter writes them.
func (t *tracer) Write(b []byte) (int, error) {
	m := panicLine.FindSubmatch(b)
	if m == nil {
		return t.out.Write(b)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if line, err := strconv.Atoi(string(m[1])); err == nil {
		t.frames = append(t.frames, line/lineStride)
	}
	return len(b), nil
}

// take returns the functions that panics have left since the last call, the
// innermost first.
func (t *tracer) take() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.frames
	t.frames = nil
	return f
}
