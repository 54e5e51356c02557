//go:build !front

package main

import (
	"context"
	"fmt"
	"os/signal"
	"runtime"
	"syscall"

	"vlab/albef/lab"
	"vlab/albef/torch"
	"vlab/cmd/vlab/symbols"
	"vlab/repl/session"
	"vlab/repl/session/display"
	"vlab/repl/session/widgets"
)

// runSessionChild is the hidden command that a session starts: the process in
// which cells run.
func runSessionChild(_ context.Context, e env, args []string) error {
	f := newFlags(e, "session-child", "(started by repl, run and kernel)")
	if _, err := f.parse(args, 0); err != nil {
		return err
	}
	signal.Reset(syscall.SIGTERM) // nothing here would look at a cancelled context
	return session.Serve(session.ChildOptions{
		Exports: symbols.Tables(), Prelude: symbols.Prelude(), Wrap: withCellSink, Comment: symbols.Comment, Summary: summary, About: versions(),
	})
}

// summary is what %whos shows of a value that has more to say than a line.
func summary(v any) string {
	if s, ok := v.(interface{ Summary() string }); ok {
		return s.Summary()
	}
	return ""
}

// versions names what cells run on, in one line.
func versions() string {
	return fmt.Sprintf("libtorch %s (%s, %d threads), %s", torch.Version(), torch.CPUCapability(), torch.Threads(), runtime.Version())
}

// withCellSink lets what the lab shows on the way, such as bars and curves,
// appear in the running cell.
func withCellSink(ctx context.Context) context.Context {
	sink := display.From(ctx)
	if sink == nil {
		return ctx
	}
	return lab.WithSink(ctx, cellSink{sink, widgets.From(ctx)})
}

// cellSink is a session's sink as the lab takes it.
type cellSink struct {
	to  display.Sink
	hub *widgets.Hub
}

var _ lab.Controls = cellSink{}

// Button implements [lab.Controls]; it shows nothing where the front end has no widgets.
func (s cellSink) Button(label string, pressed func()) (remove func()) {
	if s.hub == nil || !s.hub.Live() {
		return nil
	}
	b := s.hub.Button(label)
	b.OnClick(pressed)
	id := fmt.Sprintf("button-%p", b)
	_ = s.to.Show(id, b.Render())
	return func() {
		_ = s.to.Update(id, display.MIME(display.MIMEMap{display.MIMETypeText: ""}, nil))
		b.Close()
	}
}

// Show implements [lab.Sink]. A front that can't show progress must not stop the
// work, so errors end here.
func (s cellSink) Show(id string, forms map[string]any) {
	_ = s.to.Show(id, display.MIME(forms, nil))
}

// Update implements [lab.Sink].
func (s cellSink) Update(id string, forms map[string]any) {
	_ = s.to.Update(id, display.MIME(forms, nil))
}
