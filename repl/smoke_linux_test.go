package repl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vlab/repl"
	"vlab/repl/session"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo terminal of 24 rows of 80 cells.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return keyboard, terminal
}

// watched gathers what a program draws and says when more has come.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

// watch reads from f until it ends.
func watch(f *os.File) *watched {
	w := &watched{more: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			w.mu.Lock()
			w.text.Write(buf[:n])
			w.mu.Unlock()
			select {
			case w.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return w
}

// wait waits until want was drawn since the last wait.
func (w *watched) wait(t *testing.T, want string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		w.mu.Lock()
		got := ansi.Strip(w.text.String())
		if strings.Contains(got, want) {
			w.text.Reset()
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		select {
		case <-w.more:
		case <-late:
			t.Fatalf("never drawn: %q; drawn: %q", want, got)
		}
	}
}

// echo is a session whose cells print themselves; the cell "wait" ends with an interrupt.
type echo struct{ interrupt chan struct{} }

func (e echo) Eval(_ context.Context, cell string, out session.Output) (session.Result, error) {
	if cell == "wait" {
		out.Stream("stdout", "waiting now\n")
		<-e.interrupt
		return session.Result{}, &session.CellError{Name: "interrupted", Value: "interrupted"}
	}
	if cell == "die" {
		return session.Result{}, &session.CellError{Name: "session ended", Value: "signal: killed", Restarted: true, Lost: []string{"model"}}
	}
	out.Stream("stdout", "printed by "+cell+"\n")
	return session.Result{Data: map[string]any{"text/plain": "value-of-" + cell}}, nil
}

func (e echo) Interrupt() { e.interrupt <- struct{}{} }

func (echo) Signature(context.Context, string, int) (session.Signature, bool, error) {
	return session.Signature{}, false, nil
}

func (echo) Complete(_ context.Context, _ string, pos int) (session.Completion, error) {
	return session.Completion{Start: 0, End: pos, Matches: []session.Match{{Text: "completed"}}}, nil
}

func (echo) Inspect(context.Context, string, int) (map[string]any, bool, error) {
	return nil, false, nil
}

func (echo) IsComplete(code string) (status, indent string) {
	if strings.HasSuffix(code, "{") {
		return "incomplete", "    "
	}
	return "complete", ""
}

func TestWholeProgramInATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	keyboard, terminal := openTerminal(t)
	seen := watch(keyboard)
	past := filepath.Join(t.TempDir(), "history.jsonl")
	ended := make(chan error, 1)
	go func() {
		ended <- repl.Run(t.Context(), echo{make(chan struct{}, 1)},
			repl.WithInput(terminal), repl.WithOutput(terminal), repl.WithHistory(past), repl.WithBanner("on a pty"))
	}()
	press := func(keys string) {
		t.Helper()
		if _, err := keyboard.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	seen.wait(t, "on a pty")
	press("first\r")
	seen.wait(t, "value-of-first")
	press("x\t")
	seen.wait(t, "completed")
	press("\r")
	seen.wait(t, "value-of-completed")
	press("wait\r")
	seen.wait(t, "waiting now")
	press("\x03")
	seen.wait(t, "interrupted")
	press("die\r")
	seen.wait(t, "new session")
	press("\x1b[A\x1b[A\x1b[A\r") // up to the cell before wait
	seen.wait(t, "printed by completed")
	press("\x04")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("left with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("ctrl+d did not leave the program")
	}
	seen.wait(t, "In [1]: first") // the transcript stays
	data, err := os.ReadFile(past)
	if err != nil {
		t.Fatal(err)
	}
	if want := "{\"cell\":\"first\"}\n"; !strings.HasPrefix(string(data), want) {
		t.Errorf("history: got %q, want it to begin with %q", data, want)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	keyboard, terminal := openTerminal(t)
	seen := watch(keyboard)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- repl.Run(ctx, echo{}, repl.WithInput(terminal), repl.WithOutput(terminal), repl.WithHistory(""))
	}()
	seen.wait(t, "vlab")
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run outlived its context")
	}
}
