package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vlab/repl/session"
	"vlab/repl/session/internal/host"
	"vlab/repl/session/symbols/comments"
)

// childEnv makes the test binary serve as a session's child.
const childEnv = "VLAB_TEST_SESSION_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		status := m.Run()
		if corpusResult != "" {
			fmt.Println(corpusResult)
		}
		os.Exit(status)
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// genericHost is the source of the generic function of package host.
const genericHost = `package host

func MapT[T, U any](xs []T, f func(T) U) []U {
	r := make([]U, len(xs))
	for i, x := range xs {
		r[i] = f(x)
	}
	return r
}
`

func serve() error {
	// The interpreter looks wrappers of interfaces up by a package's own path.
	exports := host.Symbols("vlab/repl/session/internal/host")
	for _, alias := range []string{"probe/host", "host"} {
		for key, table := range host.Symbols(alias) {
			exports[key] = table
		}
	}
	return session.Serve(session.ChildOptions{
		Exports: exports,
		Comment: func(path, name string) comments.Comment {
			if !strings.HasSuffix(path, "host") { // it has several paths here
				return comments.Comment{}
			}
			return comments.Package{"New": {Text: "New makes a model."}, "Model.Embed": {Text: "Embed returns Dim numbers.", Params: []string{"text"}}}[name]
		},
		// What package host has of generic functions.
		Generics: map[string]string{"host": genericHost, "probe/host": genericHost},
		Prelude:  []string{"lab host"},
		About:    "a test",
		Wrap: func(ctx context.Context) context.Context {
			return context.WithValue(ctx, "wrapped", "yes") //nolint:staticcheck,revive // a cell can name no type of this test
		},
	})
}

// start starts a session that ends with the test.
func start(t testing.TB) *session.Session {
	t.Helper()
	return startWith(t, session.Options{})
}

// startWith starts one with options, of which command and environment are the test's.
func startWith(t testing.TB, o session.Options) *session.Session {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Under the race detector the interpreter itself is reported: it swaps the table
	// of its variables while goroutines of cells read it. The reports must not
	// mix with what cells print.
	race := "GORACE=exitcode=0 log_path=" + filepath.Join(t.TempDir(), "race")
	o.Command, o.Env = []string{self}, []string{childEnv + "=1", race}
	s, err := session.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// record keeps what a cell shows, in order.
type record struct {
	mu     sync.Mutex
	events []string
	stdout strings.Builder
	stderr strings.Builder
	answer string
	seen   chan string // each event, for tests that wait for one
}

func newRecord() *record { return &record{seen: make(chan string, 1024)} }

func (r *record) note(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
	select {
	case r.seen <- event:
	default:
	}
}

func (r *record) Stream(name, text string) {
	r.note(name + ": " + text)
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "stdout" {
		r.stdout.WriteString(text)
	} else {
		r.stderr.WriteString(text)
	}
}

func (r *record) Display(d session.Display) {
	kind := "display"
	if d.Update {
		kind = "update"
	}
	r.note(fmt.Sprintf("%s %s: %v", kind, d.ID, d.Data["text/plain"]))
}

func (r *record) ClearOutput(wait bool) { r.note(fmt.Sprintf("clear %t", wait)) }

func (r *record) Input(prompt string, _ bool) (string, error) {
	r.note("input " + prompt)
	return r.answer, nil
}

// out returns what was printed on standard output.
func (r *record) out() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stdout.String()
}

// errText returns what was printed on standard error.
func (r *record) errText() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.String()
}

// text returns the plain text of a value, "" for none.
func text(r session.Result) string {
	s, _ := r.Data["text/plain"].(string)
	return s
}

// eval runs a cell that must not fail.
func eval(t testing.TB, s *session.Session, src string) (string, *record) {
	t.Helper()
	rec := newRecord()
	r, err := s.Eval(t.Context(), src, rec)
	if err != nil {
		t.Fatalf("cell %q: %v", src, err)
	}
	return text(r), rec
}

// bounded returns a context that ends a test which hangs.
func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
