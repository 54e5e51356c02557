package repl

import (
	"context"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
)

// Session is what the terminal needs of an interpreted session;
// *[session.Session] is one.
type Session interface {
	// Eval runs a cell and returns when it is over.
	Eval(ctx context.Context, cell string, out session.Output) (session.Result, error)
	// Interrupt stops the running cell and keeps the variables.
	Interrupt()
	// Complete answers what may stand at byte pos of code.
	Complete(ctx context.Context, code string, pos int) (session.Completion, error)
	// Inspect describes what stands at byte pos of code, by mime type.
	Inspect(ctx context.Context, code string, pos int) (map[string]any, bool, error)
	// Signature describes the function among whose arguments byte pos of code is.
	Signature(ctx context.Context, code string, pos int) (session.Signature, bool, error)
	// IsComplete says whether code can run as it is ("complete", "invalid")
	// or goes on ("incomplete", with the indent of the next line). It answers
	// at once.
	IsComplete(code string) (status, indent string)
}

// completionMsg brings the matches for the input as it was.
type completionMsg struct {
	code string
	pos  int
	session.Completion
	err error
}

// inspectionMsg brings the description of what the input's cursor was on.
type inspectionMsg struct {
	code string
	text string
	err  error
}

// backend makes the commands that talk to the session. They are functions, so
// that the program's context need not be kept.
type backend struct {
	eval       func(block int, cell string) tea.Cmd
	interrupt  tea.Cmd
	complete   func(code string, pos int) tea.Cmd
	inspect    func(code string, pos int) tea.Cmd
	signature  func(at place) tea.Cmd
	isComplete func(code string) (status, indent string)
	output     tea.Cmd
}

// newBackend returns the commands for s; what cells do goes into f. Everything
// they start ends with ctx.
func newBackend(ctx context.Context, s Session, f *feed) backend {
	return backend{
		eval: func(block int, cell string) tea.Cmd {
			return func() tea.Msg {
				cellCtx, cancel := context.WithCancel(ctx)
				defer cancel()
				res, err := s.Eval(cellCtx, cell, cellOutput{feed: f, block: block, done: cellCtx.Done()})
				// Through the feed, so that it comes after all that was printed.
				f.put(event{Block: block, Done: &outcome{Result: res, Err: err}})
				return nil
			}
		},
		interrupt: func() tea.Msg { s.Interrupt(); return nil },
		complete: func(code string, pos int) tea.Cmd {
			return func() tea.Msg {
				c, err := s.Complete(ctx, code, pos)
				return completionMsg{code: code, pos: pos, Completion: c, err: err}
			}
		},
		inspect: func(code string, pos int) tea.Cmd {
			return func() tea.Msg {
				data, found, err := s.Inspect(ctx, code, pos)
				text := ""
				if found {
					text, _ = plainText(data)
				}
				return inspectionMsg{code: code, text: text, err: err}
			}
		},
		signature: func(at place) tea.Cmd {
			return func() tea.Msg {
				sig, found, err := s.Signature(ctx, at.code, at.pos)
				if err != nil || !found {
					return signatureMsg{at: at}
				}
				return signatureMsg{at: at, signature: &sig}
			}
		},
		isComplete: s.IsComplete,
		output:     f.next,
	}
}
