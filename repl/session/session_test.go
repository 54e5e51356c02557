package session_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"
)

// fail runs a cell that must fail and returns its error.
func fail(t testing.TB, s *session.Session, src string) (*session.CellError, *record) {
	t.Helper()
	rec := newRecord()
	_, err := s.Eval(bounded(t), src, rec)
	var ce *session.CellError
	if !errors.As(err, &ce) {
		t.Fatalf("cell %q: error %v, want a CellError", src, err)
	}
	return ce, rec
}

func TestAboutIsTheChilds(t *testing.T) {
	if got := start(t).About(); got != "a test" {
		t.Errorf("got %q, want what the child was given", got)
	}
}

func TestInterruptKeepsVariables(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, cell string }{
		{"loop", "for { n++ }"},
		{"loop in a function", "func spin() { for { n++ } }\nspin()"},
		{"loop in a literal", "func() { for { n++ } }()"},
		{"loop in a goroutine", "go func() { for { n++ } }()\nfor { time.Sleep(time.Millisecond) }"},
		{"recursion without a loop", "func fib(k int) int { if k < 2 { return k }; return fib(k-1) + fib(k-2) }\nfib(90)"},
		{"recover does not hide it", "func() { for { func() { defer func() { recover() }(); for { n++ } }() } }()"},
		{"sleep", "time.Sleep(time.Hour)"},
		{"receive", "<-make(chan int)"},
		{"select", "select {}"},
		{"range over a channel", "for range make(chan int) {}"},
		{"native call", "lab.Wait(ctx, time.Hour)"},
		{"context", "<-ctx.Done()\nfor { }"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			eval(t, s, "n := 41\ncount := 0\nadd := func() int { count++; return count }\nkept := []int{1, 2, 3}")
			began := make(chan struct{})
			time.AfterFunc(200*time.Millisecond, func() { s.Interrupt(); close(began) })
			ce, _ := fail(t, s, tt.cell)
			<-began
			if ce.Restarted {
				t.Fatalf("the session was started anew: %v", ce)
			}
			if got, _ := eval(t, s, "len(kept)"); got != "3" {
				t.Errorf("len(kept) = %s, want 3", got)
			}
			// Functions made earlier must run, not only be there.
			if got, _ := eval(t, s, "add() + add()"); got != "3" {
				t.Errorf("add() + add() = %s, want 3", got)
			}
			if got, _ := eval(t, s, "ctx.Err() == nil"); got != "true" {
				t.Errorf("ctx.Err() == nil is %s in the next cell, want true", got)
			}
		})
	}
}

func TestContextInterruptsToo(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := s.Eval(ctx, "for { }", newRecord())
	var ce *session.CellError
	if !errors.As(err, &ce) || ce.Name != "interrupted" || ce.Restarted || ce.Line != 1 {
		t.Errorf("error %#v, want interrupted at line 1", err)
	}
}

func TestUnstoppableCellCostsTheSession(t *testing.T) {
	s := start(t)
	eval(t, s, "b, a := 1, 2")
	time.AfterFunc(100*time.Millisecond, s.Interrupt)
	ce, _ := fail(t, s, "import \"sync\"\nvar mu sync.Mutex\nmu.Lock()\nmu.Lock()")
	if !ce.Restarted || !slices.Equal(ce.Lost, []string{"a", "b"}) {
		t.Errorf("restarted %t, lost %q, want true and a, b", ce.Restarted, ce.Lost)
	}
	if got, _ := eval(t, s, "1 + 1"); got != "2" {
		t.Errorf("1 + 1 = %s in the new session", got)
	}
}

func TestFrontOutlivesItsChild(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, cell, want string }{
		{"exit", "os.Exit(3)", "exit status 3"},
		{"exit without an error", "os.Exit(0)", "exit status 0"},
		{"log.Fatal", "import \"log\"\nlog.Fatal(\"bye\")", "exit status 1"},
		{"stack overflow", "func r(n int) int { return r(n+1) + 1 }\nr(0)", "stack overflow"},
		{"kill", "import (\"syscall\")\nsyscall.Kill(os.Getpid(), syscall.SIGKILL)", "killed"},
		{"unlock", "import \"sync\"\nvar mu sync.Mutex\nmu.Unlock()", "unlock of unlocked mutex"},
		{"maps", "import \"sync\"\nm := map[int]int{}\nvar wg sync.WaitGroup\nfor g := 0; g < 4; g++ { wg.Add(1); go func() { defer wg.Done(); for i := 0; i < 1000000; i++ { m[i%7] = i } }() }\nwg.Wait()", "concurrent map"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			eval(t, s, "x := 1")
			ce, rec := fail(t, s, tt.cell)
			if ce.Name != "session ended" || !ce.Restarted || !slices.Equal(ce.Lost, []string{"x"}) {
				t.Errorf("error %#v, want session ended, x lost", ce)
			}
			if !strings.Contains(ce.Value, tt.want) {
				t.Errorf("value %q, want %q in it", ce.Value, tt.want)
			}
			if n := len(rec.errText()); n > 4096 {
				t.Errorf("%d bytes on stderr, want no dump of goroutines", n)
			}
			if got, _ := eval(t, s, "1 + 1"); got != "2" {
				t.Errorf("1 + 1 = %s in the new session", got)
			}
			if ce, _ := fail(t, s, "x"); !strings.Contains(ce.Value, "undefined: x") {
				t.Errorf("x is still known: %v", ce)
			}
		})
	}
}

func TestGoroutinePanicEndsTheCell(t *testing.T) {
	for _, cell := range []string{
		"go func() { panic(\"lost\") }()\ntime.Sleep(5 * time.Second)",
		"func boom(s string) { panic(s) }\ngo boom(\"lost\")\ntime.Sleep(5 * time.Second)",
		"go func() { var m map[string]int; m[\"lost\"] = 1 }()\nfor { }",
	} {
		s := start(t)
		eval(t, s, "x := 7")
		ce, _ := fail(t, s, cell)
		if ce.Restarted || ce.Name != "panic" || !strings.Contains(ce.Value, "in a goroutine") {
			t.Errorf("cell %q: %#v, want a panic that keeps the session", cell, ce)
		}
		if got, _ := eval(t, s, "x"); got != "7" {
			t.Errorf("x = %s, want 7", got)
		}
	}
}

func TestDeathBetweenTwoIsTold(t *testing.T) {
	s := start(t)
	eval(t, s, "x := 1\ngo func() { time.Sleep(100 * time.Millisecond); os.Exit(4) }()")
	rec := newRecord()
	for range 100 { // until the child is gone
		r, err := s.Eval(bounded(t), "1 + 1", rec)
		if err == nil && strings.Contains(rec.errText(), "exit status 4") {
			if text(r) != "2" || !strings.Contains(rec.errText(), "lost: x") {
				t.Errorf("value %q, told %q", text(r), rec.errText())
			}
			return
		}
		var ce *session.CellError
		if errors.As(err, &ce) && strings.Contains(ce.Value, "exit status 4") {
			return // it died within this cell
		}
		runtime.Gosched()
		if _, err := s.Eval(bounded(t), "time.Sleep(20 * time.Millisecond)", rec); err != nil && errors.As(err, &ce) && strings.Contains(ce.Value, "exit status 4") {
			return
		}
	}
	t.Error("the end of the child was never told")
}

func TestErrorResultsStopTheCell(t *testing.T) {
	s := start(t)
	tests := []struct{ name, cell, want string }{
		{"definition", "m := lab.Open(\"demo\")\nm.Name", "demo"},
		{"bare call shows the rest", "m := lab.Open(\"demo\")\nm.Retrieve(ctx, \"text\", 8)", "[demo text]"},
		{"var", "var v = lab.Open(\"demo\")\nv.Name", "demo"},
		{"assignment", "k := lab.New(\"a\", 1)\nk = lab.Open(\"demo\")\nk.Name", "demo"},
		{"both taken", "w, err := lab.Open(\"missing\")\nw == nil && err != nil", "true"},
		{"within a block", "names := []string{}\nfor _, n := range []string{\"a\", \"b\"} { m := lab.Open(n); names = append(names, m.Name) }\nnames", "[a b]"},
		{"no error, no value", "lab.Wait(ctx, 0)", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := eval(t, s, tt.cell); got != tt.want {
				t.Errorf("value %q, want %q", got, tt.want)
			}
		})
	}
	eval(t, s, "kept := lab.New(\"kept\", 1)")
	fail(t, s, "kept := lab.Open(\"missing\")")
	if got, _ := eval(t, s, "kept.Name"); got != "kept" {
		t.Errorf("kept.Name = %q after an error, want kept", got)
	}
	for _, cell := range []string{
		"y := 1\nq := lab.Open(\"missing\")\nprintln(q)",
		"y := 1\nlab.Open(\"missing\")\ny",
		"y := 1\nfor { q := lab.Open(\"missing\"); println(q) }",
	} {
		ce, rec := fail(t, s, cell)
		if ce.Name != "error" || ce.Line != 2 || ce.Value != "open model missing: no such model" {
			t.Errorf("cell %q: %#v, want the error of line 2", cell, ce)
		}
		if all := strings.Join(ce.Traceback, "\n"); !strings.Contains(all, "hint: try demo") {
			t.Errorf("traceback %q lacks the hint", all)
		}
		if rec.errText() != "" {
			t.Errorf("printed %q after the error", rec.errText())
		}
	}
}

func TestErrorsNameTheirPlace(t *testing.T) {
	s := start(t)
	eval(t, s, "func deep(m map[string]int) {\n\tfmt.Print()\n\tm[\"a\"] = 1\n}")
	tests := []struct {
		name, cell, kind, want string
		line, col              int
		trace                  string
	}{
		{"undefined", "x := 1\ny := x + nope", "compile error", "undefined: nope", 2, 10, "2 | y := x + nope\n  |          ^"},
		{"types", "a := 1\n\n  b := a + \"s\"", "compile error", "mismatched types", 3, 8, ""},
		{"syntax", "x := 1\ny := = 2", "compile error", "syntax error", 2, 6, ""},
		{"in a function", "func f() int {\n\treturn undefinedThing\n}", "compile error", "undefined: undefinedThing", 2, 9, ""},
		{"index", "s := []int{1}\ni := 3\ns[i]", "panic", "index out of range", 3, 1, ""},
		{"line of a block", "t := 0\nfor i := 3; i >= 0; i-- {\n\tt++\n\tfmt.Sprint(6 / i)\n}", "panic", "divide by zero", 4, 2, ""},
		{"in a function of the cell", "func g(p *struct{ A int }) int {\n\n\treturn p.A\n}\n\ng(nil)", "panic", "nil pointer", 3, 2, "in g, cell"},
		{"in another cell's function", "z := 1\ndeep(nil)", "panic", "nil map", 2, 1, "in deep, cell 1 line 3"},
		{"own panic", "panic(\"boom\")", "panic", "boom", 1, 1, ""},
		{"unknown package", "x := 1\nimport \"no/such\"", "compile error", "no/such", 2, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ce, rec := fail(t, s, tt.cell)
			if ce.Name != tt.kind || !strings.Contains(ce.Value, tt.want) || ce.Line != tt.line || ce.Col != tt.col {
				t.Errorf("%s: %s at %d:%d, want %s: ...%s... at %d:%d", ce.Name, ce.Value, ce.Line, ce.Col, tt.kind, tt.want, tt.line, tt.col)
			}
			if all := strings.Join(ce.Traceback, "\n"); !strings.Contains(all, tt.trace) {
				t.Errorf("traceback\n%s\nlacks\n%s", all, tt.trace)
			}
			if rec.errText() != "" {
				t.Errorf("printed %q", rec.errText())
			}
		})
	}
}

func TestFailedCellRunsNothing(t *testing.T) {
	s := start(t)
	eval(t, s, "x := 1\nfunc f() int { return 1 }")
	_, rec := fail(t, s, "fmt.Println(\"ran\")\nx := 2\nfunc f() int { return 2 }\nnope()")
	if rec.out() != "" {
		t.Errorf("printed %q", rec.out())
	}
	if got, _ := eval(t, s, "x + f()"); got != "2" {
		t.Errorf("x + f() = %s, want 2", got)
	}
}

func TestResetForgets(t *testing.T) {
	s := start(t)
	eval(t, s, "x := 1")
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ce, _ := fail(t, s, "x"); !strings.Contains(ce.Value, "undefined: x") {
		t.Errorf("error %v, want undefined", ce)
	}
	r, err := s.Eval(t.Context(), "2", newRecord())
	if err != nil || r.Count != 2 {
		t.Errorf("count %d, %v, want 2 after the failed cell 1", r.Count, err)
	}
}

func TestClosedSessionSaysSo(t *testing.T) {
	s := start(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Eval(t.Context(), "1", newRecord()); !errors.Is(err, session.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

func TestStartReportsAChildThatFails(t *testing.T) {
	_, err := session.Start(bounded(t), session.Options{Command: []string{"/bin/sh", "-c", "exit 5"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 5") {
		t.Errorf("error %v, want exit status 5", err)
	}
}
