package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"syscall"

	"vlab/repl/session/internal/engine"
	"vlab/repl/session/internal/wire"
	"vlab/repl/session/symbols/comments"
	"vlab/repl/session/widgets"

	"github.com/traefik/yaegi/interp"
)

// ChildOptions configures [Serve]. The zero value offers the standard library and
// package display.
type ChildOptions struct {
	// Exports are further packages for the interpreter, keyed by import path, a
	// slash and the package's name, as "vlab/albef/lab/lab".
	Exports interp.Exports
	// Generics are Go sources of the packages' generic functions and types, by import
	// path: compiled tables can't hold them.
	Generics map[string]string
	// Prelude are imports made before the first cell, as an import path, or a
	// name, a space and a path. They need no import in a cell.
	Prelude []string
	// Wrap is applied to the context of each cell. It can hand what package
	// display finds in the context, display.From(ctx), on to packages that do
	// not know this one; nil means no change.
	Wrap func(ctx context.Context) context.Context
	// Values renders a cell's value as mime data ahead of the session's own
	// rules; nil, or a nil result, leaves it to them.
	Values func(v any) map[string]any
	// Comment returns what one of Exports says of a name of its, or of a method or
	// field as Type.Name; nil, or an empty comment, for none.
	Comment func(importPath, name string) comments.Comment
	// Summary describes a value on one line, as %whos shows it; nil, or "", leaves it to
	// the value's text.
	Summary func(v any) string
	// About is the line that [Session.About] returns in the front; it may be empty.
	About string
}

// Descriptors of the child's ends of the pipes to the front.
const (
	requestsFD = 3
	messagesFD = 4
)

// maxStack is the most that a goroutine's stack may grow to in a child, in bytes: a
// recursion without an end is found out before the machine starts to swap.
const maxStack = 256 << 20

// Serve runs the child's side of a session until the front closes its end, then
// returns nil. It must run in a process that [Start] has started.
func Serve(o ChildOptions) error {
	requests := os.NewFile(requestsFD, "requests")
	messages := os.NewFile(messagesFD, "messages")
	if requests == nil || messages == nil {
		return errors.New("serve session: no pipes from a front")
	}
	// What cells start must not hold the pipes open.
	syscall.CloseOnExec(requestsFD)
	syscall.CloseOnExec(messagesFD)
	debug.SetMaxStack(maxStack)
	// Where memory runs out, this process is the one to go.
	os.WriteFile("/proc/self/oom_score_adj", []byte("900"), 0o644) //nolint:errcheck // elsewhere than on Linux there is no such file
	s := &server{messages: messages, waiting: map[uint64]chan wire.Request{}}
	s.hub = widgets.NewHub(s.comm)
	e, err := engine.New(engine.Options{
		Widgets: s.hub,
		Exports: o.Exports, Generics: o.Generics, Prelude: o.Prelude, Wrap: o.Wrap, Values: o.Values, Comment: o.Comment, Summary: o.Summary, Sink: s, Input: s.input,
	})
	if err != nil {
		return fmt.Errorf("serve session: %w", err)
	}
	s.engine = e
	if err := s.write(wire.Message{Op: wire.Hello, About: o.About}); err != nil {
		return fmt.Errorf("serve session: %w", err)
	}
	err = s.loop(requests)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("serve session: %w", err)
}

// server answers the front's requests.
type server struct {
	engine *engine.Engine
	hub    *widgets.Hub

	writeMu  sync.Mutex // one frame at a time
	messages *os.File

	mu      sync.Mutex
	nextID  uint64
	waiting map[uint64]chan wire.Request // for replies
	cancel  context.CancelFunc           // of the running cell
}

// loop reads requests until the front is gone. Cells run beside it.
func (s *server) loop(requests io.Reader) error {
	for {
		var r wire.Request
		if err := wire.Read(requests, &r); err != nil {
			return err
		}
		switch r.Op {
		case wire.Eval:
			ctx, cancel := context.WithCancel(context.Background())
			s.setCancel(cancel)
			s.hub.SetLive(r.Live)
			go s.eval(ctx, r)
		case wire.Cancel:
			s.setCancel(nil)
		case wire.Comm:
			s.hub.Receive(widgets.Comm(*r.Comm))
		case wire.Recall:
			s.engine.Recall(r.Inputs)
		case wire.Complete:
			go s.complete(r)
		case wire.Inspect:
			go s.inspect(r)
		case wire.Signed:
			go s.signature(r)
		case wire.Reply:
			s.mu.Lock()
			waiting := s.waiting[r.ID]
			delete(s.waiting, r.ID)
			s.mu.Unlock()
			if waiting != nil {
				waiting <- r
			}
		}
	}
}

// setCancel notes the running cell's cancel; nil cancels it. An ended cell's
// context is left alone, for what it has started in the background.
func (s *server) setCancel(cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel == nil && s.cancel != nil {
		s.cancel()
	}
	s.cancel = cancel
}

// eval runs a cell and answers with its value. Should the goroutine of a cell end
// by itself (runtime.Goexit), the front is answered all the same.
func (s *server) eval(ctx context.Context, r wire.Request) {
	answer := wire.Message{ID: r.ID, Op: wire.Result}
	data, err := s.engine.Eval(ctx, r.Count, r.Cell)
	if data != nil {
		answer.Data, answer.Metadata = bundle(*data)
		answer.Page = data.Transient[engine.PageKey] == true
	}
	var fault *engine.Fault
	switch {
	case errors.As(err, &fault):
		answer.Error = &wire.Error{
			Name: fault.Name, Value: fault.Value, Traceback: fault.Traceback, Line: fault.Line, Col: fault.Col,
		}
	case err != nil:
		answer.Error = &wire.Error{Name: "error", Value: err.Error()}
	}
	answer.Names, answer.Gone = s.engine.Changes()
	s.answer(answer)
}

// asked answers a question about code. One that the engine falls over is a fault of
// ours, which must not cost the session.
func (s *server) asked(r wire.Request, fill func(m *wire.Message)) {
	m := wire.Message{ID: r.ID, Op: wire.Result}
	defer func() {
		if p := recover(); p != nil {
			m = wire.Message{ID: r.ID, Op: wire.Result, Error: &wire.Error{Name: "error", Value: fmt.Sprint("a fault of the session's own: ", p)}}
		}
		s.answer(m)
	}()
	fill(&m)
}

func (s *server) complete(r wire.Request) {
	s.asked(r, func(m *wire.Message) { m.Start, m.End, m.Matches = s.engine.Complete(r.Cell, r.Pos) })
}

func (s *server) inspect(r wire.Request) {
	s.asked(r, func(m *wire.Message) {
		if text, found := s.engine.Inspect(r.Cell, r.Pos); found {
			m.Found, m.Data = true, wire.Pack(engine.Forms(text))
		}
	})
}

func (s *server) signature(r wire.Request) {
	s.asked(r, func(m *wire.Message) { m.Sig = s.engine.Signature(r.Cell, r.Pos) })
}

// answer writes a message whose loss needs no report: without a front, the loop
// ends the process.
func (s *server) answer(m wire.Message) {
	if err := s.write(m); err != nil {
		// A value that cannot be sent, as a picture beyond the limit, must
		// not leave the front waiting.
		s.write(wire.Message{ID: m.ID, Op: wire.Result, Names: m.Names, Gone: m.Gone, //nolint:errcheck // see above
			Error: &wire.Error{Name: "error", Value: "send the cell's value: " + err.Error()}})
	}
}

func (s *server) write(m wire.Message) error {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	return wire.Write(s.messages, m)
}
