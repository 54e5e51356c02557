package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"vlab/repl/session/internal/cell"
	"vlab/repl/session/internal/wire"
)

// grace is how long a cancelled cell may take to stop. Native calls look at
// their context each step, which can last a second.
const grace = 2 * time.Second

// ErrClosed is returned by calls on a session after Close.
var ErrClosed = errors.New("session is closed")

// Options configures [Start]. The zero value works in a binary whose hidden
// command session-child calls [Serve].
type Options struct {
	// Command is the argv of the child; nil means this executable with the
	// argument "session-child".
	Command []string
	// Dir is the child's working directory; empty means the front's.
	Dir string
	// Env is added to the front's environment, as NAME=value.
	Env []string
	// Patient sessions have a person before them: a cell that an interrupt does not
	// stop in time is told, and ends with its child at the next interrupt only.
	Patient bool
	// Logger receives what happens to children; nil means slog.Default().
	Logger *slog.Logger
}

// Session is an interpreted Go session in a child process. Its methods may be
// called from several goroutines; cells run one at a time, in turn. The zero
// Session is not usable.
type Session struct {
	opts Options
	turn chan struct{} // holds a token while a cell runs

	mu       sync.Mutex
	child    *child
	count    int
	cancel   context.CancelFunc // of the running cell, else nil
	again    chan struct{}      // takes further interrupts of the running cell
	stopping bool               // it was interrupted
	closed   bool
	ran      []wire.Ran // all cells
	since    int        // which of them is the first after the last reset
}

// Start starts a session and waits until it can run cells. The context bounds the
// start only; Close ends the session.
func Start(ctx context.Context, o Options) (*Session, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Session{opts: o, turn: make(chan struct{}, 1)}
	c, err := startChild(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start session: %w", err)
	}
	s.child = c
	return s, nil
}

// About returns what the session's child says of itself in one line, such as the
// versions of what cells run on; empty where the child has ended or says nothing.
func (s *Session) About() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return ""
	}
	return s.child.about
}

// Eval runs a cell and returns its value; out receives what it shows meanwhile.
// Cancelling ctx interrupts the cell, as Interrupt does: variables stay when it
// stops within two seconds, otherwise the session starts anew; a patient one waits
// for another Interrupt before. The user's
// errors, interrupts and crashes are a *CellError; any other error is the
// session's own.
func (s *Session) Eval(ctx context.Context, src string, out Output) (Result, error) {
	if err := s.takeTurn(ctx); err != nil {
		return Result{}, err
	}
	defer func() { <-s.turn }()
	switch strings.TrimSpace(src) {
	case "%reset":
		return s.forget(ctx)
	case "%replay":
		return s.replay(ctx, out)
	}
	r, err := s.eval(ctx, src, out)
	s.mu.Lock()
	s.ran = append(s.ran, wire.Ran{Count: r.Count, Cell: src, OK: err == nil})
	s.mu.Unlock()
	return r, err
}

// eval runs a cell; the caller has the turn.
func (s *Session) eval(ctx context.Context, src string, out Output) (Result, error) {
	c, err := s.live(ctx, out)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	count := s.begin(cancel)
	defer s.end()

	c.setOutput(out)
	_, live := out.(CommOutput)
	answer, err := c.send(wire.Request{Op: wire.Eval, Cell: src, Count: count, Live: live})
	if err != nil {
		return Result{Count: count}, s.crashed(c)
	}
	select {
	case m := <-answer:
		return s.result(c, count, m)
	case <-c.done:
		return Result{Count: count}, s.crashed(c)
	case <-ctx.Done():
	}
	return s.stop(c, count, answer, out)
}

// stop cancels the running cell and waits for its end; a child that does not
// answer in time is replaced, at once or when the person says so.
func (s *Session) stop(c *child, count int, answer <-chan wire.Message, out Output) (Result, error) {
	c.tell(wire.Request{Op: wire.Cancel})
	timer := time.NewTimer(grace)
	defer timer.Stop()
	s.mu.Lock()
	again := s.again
	s.stopping = true
	s.mu.Unlock()
	for waiting := true; waiting; {
		select {
		case m := <-answer:
			return s.result(c, count, m)
		case <-c.done:
			return Result{Count: count}, s.crashed(c)
		case <-again:
			waiting = false
		case <-timer.C:
			waiting = s.opts.Patient
			if waiting && out != nil {
				out.Stream(stderrName, "the cell has not stopped yet: it is in a call that can't be interrupted; another interrupt ends the session's process, and its variables go with it\n")
			}
		}
	}
	s.opts.Logger.Warn("cell did not stop, ending session child", "count", count)
	c.kill()
	<-c.done
	s.replace(c)
	return Result{Count: count}, &CellError{
		Name:      "interrupted",
		Value:     "the cell did not stop, the session was started anew",
		Restarted: true,
		Lost:      c.variables(),
	}
}

// result turns the child's answer into Eval's results.
func (s *Session) result(c *child, count int, m wire.Message) (Result, error) {
	c.noteVariables(m.Names, m.Gone)
	r := Result{Count: count, Data: m.Data.Unpack(), Metadata: m.Metadata, Page: m.Page}
	if e := m.Error; e != nil {
		return r, &CellError{Name: e.Name, Value: e.Value, Traceback: e.Traceback, Line: e.Line, Col: e.Col}
	}
	return r, nil
}

// crashed describes the end of a child and puts a new one in its place.
func (s *Session) crashed(c *child) error {
	<-c.done
	s.replace(c)
	return &CellError{Name: "session ended", Value: c.epitaph(), Restarted: true, Lost: c.variables()}
}

// takeTurn waits until no cell runs.
func (s *Session) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the running cell: %w", context.Cause(ctx))
	}
}

// live returns the child, starting a new one where the last has ended between
// cells; out is told what that has cost.
func (s *Session) live(ctx context.Context, out Output) (*child, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	old := s.child
	if old != nil && !old.ended() {
		return old, nil
	}
	c, err := startChild(ctx, s.opts)
	if err != nil {
		return nil, fmt.Errorf("start session anew: %w", err)
	}
	c.tell(wire.Request{Op: wire.Recall, Inputs: s.ran})
	s.child = c
	if old != nil && out != nil {
		note := "the session had ended (" + old.epitaph() + ") and was started anew"
		if lost := old.variables(); len(lost) > 0 {
			note += "; lost: " + strings.Join(lost, ", ")
		}
		out.Stream("stderr", note+"\n")
	}
	return c, nil
}

// replace starts a new child in place of one that has ended. Where that fails the
// next Eval tries again and reports the error.
func (s *Session) replace(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.child != c {
		return
	}
	s.child = nil
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	next, err := startChild(ctx, s.opts)
	if err != nil {
		s.opts.Logger.Error("session child did not start", "error", err)
		return
	}
	next.tell(wire.Request{Op: wire.Recall, Inputs: s.ran})
	s.child = next
}

// begin numbers a cell and makes it the one that Interrupt cancels.
func (s *Session) begin(cancel context.CancelFunc) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.cancel, s.again = cancel, make(chan struct{}, 1)
	return s.count
}

func (s *Session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel, s.stopping = nil, false
}

// Interrupt stops the running cell; without one it does nothing. Called again before
// the cell has stopped, it ends the session's child.
func (s *Session) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel == nil {
		return
	}
	if s.stopping {
		select {
		case s.again <- struct{}{}:
		default:
		}
		return
	}
	s.stopping = true
	s.cancel()
}

// Complete returns what may stand at byte offset pos of code: names, members of
// packages and of values. It answers while a cell runs.
func (s *Session) Complete(ctx context.Context, code string, pos int) (Completion, error) {
	m, err := s.ask(ctx, wire.Request{Op: wire.Complete, Cell: code, Pos: pos})
	if err != nil {
		return Completion{}, fmt.Errorf("complete: %w", err)
	}
	c := Completion{Start: m.Start, End: m.End, Matches: make([]Match, len(m.Matches))}
	for i, match := range m.Matches {
		c.Matches[i] = Match(match)
	}
	return c, nil
}

// Signature describes the function among whose arguments byte offset pos of code is;
// found is false where it is among none. It answers while a cell runs.
func (s *Session) Signature(ctx context.Context, code string, pos int) (sig Signature, found bool, err error) {
	m, err := s.ask(ctx, wire.Request{Op: wire.Signed, Cell: code, Pos: pos})
	if err != nil || m.Sig == nil {
		return Signature{}, false, err
	}
	return Signature(*m.Sig), true, nil
}

// Inspect describes the name at byte offset pos of code as mime data; found is
// false where nothing is known. It answers while a cell runs.
func (s *Session) Inspect(ctx context.Context, code string, pos int) (data map[string]any, found bool, err error) {
	m, err := s.ask(ctx, wire.Request{Op: wire.Inspect, Cell: code, Pos: pos})
	if err != nil {
		return nil, false, fmt.Errorf("inspect: %w", err)
	}
	return m.Data.Unpack(), m.Found, nil
}

// Comm hands a message of a front end to the widget that it is for, at once, also
// while a cell runs.
func (s *Session) Comm(c Comm) error {
	s.mu.Lock()
	child, closed := s.child, s.closed
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if child == nil || child.ended() {
		return errors.New("comm: the session has ended, and its widgets with it")
	}
	m := wire.CommMessage(c)
	return child.post(wire.Request{Op: wire.Comm, Comm: &m})
}

// IsComplete tells whether code can be run as it is: "complete", "incomplete",
// with the indent that the next line wants, "invalid" or "unknown".
func (s *Session) IsComplete(code string) (status, indent string) {
	return cell.IsComplete(code)
}

// Reset waits for the running cell and forgets all names; cells count from 1
// again.
func (s *Session) Reset(ctx context.Context) error {
	if err := s.takeTurn(ctx); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	defer func() { <-s.turn }()
	return s.renew(ctx, 0)
}

// renew puts a new child in the place of the one that there is; the caller has the
// turn. Cells count on from count.
func (s *Session) renew(ctx context.Context, count int) error {
	c, err := startChild(ctx, s.opts)
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.close()
		return ErrClosed
	}
	old := s.child
	s.child, s.count, s.since = c, count, len(s.ran)
	c.tell(wire.Request{Op: wire.Recall, Inputs: s.ran})
	s.mu.Unlock()
	if old != nil {
		old.close()
	}
	return nil
}

// Close ends the session and its child; a running cell ends with it.
func (s *Session) Close() error {
	s.mu.Lock()
	c := s.child
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if c != nil && !closed {
		c.close()
	}
	return nil
}

// ask sends a question that is answered beside a running cell.
func (s *Session) ask(ctx context.Context, r wire.Request) (wire.Message, error) {
	s.mu.Lock()
	c, closed := s.child, s.closed
	s.mu.Unlock()
	if closed {
		return wire.Message{}, ErrClosed
	}
	if c == nil {
		return wire.Message{}, errors.New("the session has ended")
	}
	answer, err := c.send(r)
	if err != nil {
		return wire.Message{}, err
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return m, errors.New(m.Error.Value)
		}
		return m, nil
	case <-c.done:
		return wire.Message{}, errors.New(c.epitaph())
	case <-ctx.Done():
		return wire.Message{}, context.Cause(ctx)
	}
}

// variables returns the names that are lost with the child, sorted.
func (c *child) variables() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.names))
}

func (c *child) noteVariables(made, gone []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range made {
		c.names[name] = true
	}
	for _, name := range gone {
		delete(c.names, name)
	}
}
