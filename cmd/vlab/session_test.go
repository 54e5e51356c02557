package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vlab/albef/torch"
	"vlab/repl/session"

	"github.com/traefik/yaegi/interp"
)

// screen is what a cell shows. started is closed at the first display.
type screen struct {
	started chan struct{}
	once    sync.Once

	mu   sync.Mutex
	text strings.Builder
}

func newScreen() *screen { return &screen{started: make(chan struct{})} }

func (s *screen) Stream(_, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(text)
}

// String returns what was printed.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *screen) Display(session.Display)            { s.once.Do(func() { close(s.started) }) }
func (s *screen) ClearOutput(bool)                   {}
func (s *screen) Input(string, bool) (string, error) { return "", errors.New("nobody is there") }

// startSession starts a session of this binary.
func startSession(t *testing.T) *session.Session {
	t.Helper()
	vlab, err := exec.LookPath("vlab")
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Start(t.Context(), session.Options{Command: []string{vlab, "session-child"}, Env: []string{"OMP_NUM_THREADS=1"}})
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

// show runs a cell and returns what it printed.
func show(t *testing.T, s *session.Session, cell string) string {
	t.Helper()
	out := newScreen()
	if _, err := s.Eval(t.Context(), cell, out); err != nil {
		t.Fatalf("%s\n%v", cell, err)
	}
	return strings.TrimSpace(out.String())
}

// interrupted runs a cell that shows its progress, interrupts it, and returns
// how long that took to be answered.
func interrupted(t *testing.T, s *session.Session, cell string) time.Duration {
	t.Helper()
	out := newScreen()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Eval(t.Context(), cell, out)
		ended <- err
	}()
	select {
	case <-out.started:
	case err := <-ended:
		t.Fatalf("%s\nended before anything was shown: %v", cell, err)
	}
	began := time.Now()
	s.Interrupt()
	err := <-ended
	took := time.Since(began)
	var cellErr *session.CellError
	if errors.As(err, &cellErr) && cellErr.Restarted {
		t.Fatalf("%s\nthe session was lost: %v", cell, err)
	}
	return took
}

// TestInterruptedTrainingGoesOn stops lab.Pretrain in a cell twice.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	s := startSession(t)
	// The lab promises a second; a machine that is busy with other tests may need more.
	const limit = 2 * time.Second
	show(t, s, "dir := "+`"`+t.TempDir()+`"`+"\nkept := 42\nvar run *lab.Run")
	if took := interrupted(t, s, `run = lab.Pretrain(ctx, lab.Config{Preset: "tiny", Dir: dir, Steps: 100000, Set: map[string]string{"batch_size": "4"}})`); took > limit {
		t.Errorf("the interrupt was answered after %v, want %v at most", took, limit)
	}
	if got := show(t, s, `fmt.Println(kept, run.Wait() == nil, run.Model() != nil)`); got != "42 true true" {
		t.Fatalf("after the interrupt: got %q, want 42 true true", got)
	}
	interrupted(t, s, "run = run.Resume(ctx)")
	if got := show(t, s, "run.Wait()\nfmt.Println(kept, strings.Contains(run.String(), \"interrupted at step\"))\nrun.Close()"); got != "42 true" {
		t.Errorf("after the second interrupt: got %q, want 42 true", got)
	}
}

// TestLostSessionIsReplaced ends the child from within a cell.
func TestLostSessionIsReplaced(t *testing.T) {
	s := startSession(t)
	show(t, s, `m := lab.Open("demo")`)
	var cellErr *session.CellError
	if _, err := s.Eval(t.Context(), "os.Exit(3)", newScreen()); !errors.As(err, &cellErr) || !cellErr.Restarted {
		t.Fatalf("os.Exit(3): got %v, want an error that tells of a new session", err)
	}
	if !strings.Contains(cellErr.Error(), "exit status 3") || !strings.Contains(cellErr.Error(), "m") {
		t.Errorf("got %q, want the status and what is lost", cellErr.Error())
	}
	if got := show(t, s, "fmt.Println(lab.Scenes(1, 2).Len())"); got != "2" {
		t.Errorf("the next cell: got %q, want 2", got)
	}
}

// productChild names the command of this test binary that is a session with a product
// of libtorch's, which lasts some seconds and looks at no context.
const productChild = "vlab-product"

func serveProduct() {
	product := func() error {
		return torch.Do(func(s *torch.Scope) {
			a := torch.Full(s, 1, torch.Float32, torch.CPU, 12_000, 12_000)
			a.MatMul(a)
		})
	}
	err := session.Serve(session.ChildOptions{Exports: interp.Exports{
		"native/native": {"Product": reflect.ValueOf(product)},
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestInterruptTimesOfLongCalls tells how long after an interrupt long calls end.
func TestInterruptTimesOfLongCalls(t *testing.T) {
	for _, tt := range []struct{ name, cell string }{
		{"training", `lab.Pretrain(ctx, lab.Config{Preset: "tiny", Dir: dir, Steps: 100000, Set: map[string]string{"batch_size": "4"}})`},
		{"a search", `go func() { time.Sleep(300 * time.Millisecond); Display(1) }(); for { m.Retrieve(ctx, lab.Scenes(uint64(time.Now().UnixNano()), 400), "a red circle", 4) }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSession(t)
			show(t, s, "kept := 42\ndir := "+strconv.Quote(t.TempDir())+"\nm := lab.Open(\"demo\")")
			t.Logf("ended after %v", interrupted(t, s, tt.cell).Round(time.Millisecond))
			if got := show(t, s, "fmt.Println(kept)"); got != "42" {
				t.Errorf("kept is %s afterwards", got)
			}
		})
	}
	t.Run("a product", func(t *testing.T) {
		child, err := exec.LookPath(productChild)
		if err != nil {
			t.Fatal(err)
		}
		s, err := session.Start(t.Context(), session.Options{Command: []string{child}, Env: []string{"OMP_NUM_THREADS=1"}, Patient: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		show(t, s, "kept := 42")
		out := newScreen()
		ended := make(chan error, 1)
		go func() {
			_, err := s.Eval(t.Context(), "import \"native\"\ngo func() { time.Sleep(300 * time.Millisecond); Display(1) }()\nnative.Product()", out)
			ended <- err
		}()
		<-out.started
		first := time.Now()
		s.Interrupt()
		for !strings.Contains(out.String(), "another interrupt") {
			select {
			case err := <-ended:
				t.Skipf("the product was over before it was found to be one that can't be stopped: %v", err)
			case <-time.After(10 * time.Millisecond):
			}
		}
		told := time.Since(first)
		second := time.Now()
		s.Interrupt()
		var cellErr *session.CellError
		if err := <-ended; !errors.As(err, &cellErr) || !cellErr.Restarted || !slices.Equal(cellErr.Lost, []string{"kept"}) {
			t.Fatalf("got %v, want a new session that has lost kept", err)
		}
		t.Logf("told after %v that it can't be stopped; ended %v after another interrupt", told.Round(time.Millisecond), time.Since(second).Round(time.Millisecond))
		show(t, s, "%replay")
		if got := show(t, s, "fmt.Println(kept)"); got != "42" {
			t.Errorf("kept is %s after %%replay", got)
		}
	})
}

// TestJupyterPage runs the cells of docs/jupyter.md.
func TestJupyterPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "jupyter.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := startSession(t)
	cells := 0
	for block := range strings.SplitSeq(string(page), "\n\n") {
		if strings.HasPrefix(block, "    ") && strings.Contains(block, ":=") {
			show(t, s, block)
			cells++
		}
	}
	if cells != 2 {
		t.Errorf("%d cells on the page, want 2", cells)
	}
}
