package session_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/traefik/yaegi/stdlib"
)

// TestSpeedBeside prints, with VLAB_SPEED=1, what a loop, a call into compiled code and
// the start cost here, in the interpreter by itself, and in IPython where VLAB_PYTHON
// has it.
func TestSpeedBeside(t *testing.T) {
	if os.Getenv("VLAB_SPEED") == "" {
		t.Skip("it measures: VLAB_SPEED=1")
	}
	const loop = "func sum() int { n := 0; for i := 0; i < 10000000; i++ { n += i }; return n }"
	const calls = "func calls() int { n := 0; for i := 0; i < 1000000; i++ { n += strings.Count(\"a\", \"a\") }; return n }"
	row := func(what string, start, sum, call time.Duration) {
		t.Logf("%-16s start %8v   10 million additions %8v   a call into compiled code %6v", what, start.Round(time.Millisecond), sum.Round(time.Millisecond), (call / 1_000_000).Round(time.Nanosecond))
	}
	timed := func(f func()) time.Duration {
		began := time.Now()
		f()
		return time.Since(began)
	}

	began := time.Now()
	s := start(t)
	started := time.Since(began)
	eval(t, s, "import \"strings\"\n"+loop+"\n"+calls)
	row("this session", started, timed(func() { eval(t, s, "sum()") }), timed(func() { eval(t, s, "calls()") }))

	began = time.Now()
	i := interp.New(interp.Options{})
	if err := i.Use(stdlib.Symbols); err != nil {
		t.Fatal(err)
	}
	started = time.Since(began)
	must := func(src string) {
		t.Helper()
		if _, err := i.Eval(src); err != nil {
			t.Fatal(err)
		}
	}
	must("import \"strings\"")
	must(loop)
	must(calls)
	row("yaegi by itself", started, timed(func() { must("sum()") }), timed(func() { must("calls()") }))

	python := os.Getenv("VLAB_PYTHON")
	script := `
import time, subprocess, sys
b = time.time(); subprocess.run([sys.executable, "-m", "IPython", "-c", "1"], check=True, capture_output=True); start = time.time() - b
from IPython.core.interactiveshell import InteractiveShell
sh = InteractiveShell.instance()
sh.run_cell("def total():\n    n = 0\n    for i in range(10000000): n += i\n    return n\ndef calls():\n    n = 0\n    for i in range(1000000): n += 'a'.count('a')\n    return n")
b = time.time(); sh.run_cell("x = total()"); loop = time.time() - b
b = time.time(); sh.run_cell("x = calls()"); calls = time.time() - b
print(start, loop, calls)
`
	out, err := exec.Command(python, "-c", script).Output()
	if err != nil {
		t.Logf("IPython: %s has none", python)
		return
	}
	var a, b, c float64
	if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &a, &b, &c); err != nil {
		t.Fatal(err)
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	row("IPython", seconds(a), seconds(b), seconds(c))
}

// BenchmarkComplete asks for what may stand at the end of some lines, from the front.
func BenchmarkComplete(b *testing.B) {
	s := start(b)
	if _, err := s.Eval(b.Context(), "import \"net/http\"\nm := lab.Open(\"demo\")\nvar c http.Client", nil); err != nil {
		b.Fatal(err)
	}
	for _, code := range []string{"x", "m.", "strings.", "http.", "c.", "for i := range 3 {\n\tc.Tr"} {
		b.Run(strings.ReplaceAll(code, "\n", " "), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Complete(b.Context(), code, len(code)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("signature", func(b *testing.B) {
		const code = "strings.Repeat(\"a\", "
		for b.Loop() {
			if _, found, err := s.Signature(b.Context(), code, len(code)); err != nil || !found {
				b.Fatal(found, err)
			}
		}
	})
}
