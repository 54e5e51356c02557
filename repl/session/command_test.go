package session_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shows runs a cell and returns what it prints and its value.
func shows(t *testing.T, cells ...string) string {
	t.Helper()
	s := start(t)
	got := ""
	for _, cell := range cells {
		value, rec := eval(t, s, cell)
		got = rec.out() + value
	}
	return got
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		cells []string
		want  []string // parts of what the last one shows
	}{
		{"help", []string{"%help"}, []string{"%whos", "%replay", "!COMMAND"}},
		{"who", []string{"b, a := 1, \"x\"", "%who"}, []string{"a  b"}},
		{
			"whos",
			[]string{"n := 3\nf := func(x int) string { return \"\" }\ntype T struct{ A int }\nfunc g() error { return nil }\nl := []T{{1}}", "%whos"},
			[]string{"n  int", "3", "f  func(x int) string", "l  []T", "T  type struct{A int}", "g  func() error"},
		},
		{"reset", []string{"n := 3", "%reset", "%who"}, []string{"no variables yet"}},
		{"time", []string{"%time n := 2 + 3", "n"}, []string{"5"}},
		{"time prints", []string{"%time 1 + 1"}, []string{"wall time", "CPU time", "2"}},
		{"time of a cell", []string{"%%time\nx := 1\nx + 1"}, []string{"wall time", "2"}},
		{"timeit", []string{"%timeit 1 + 1"}, []string{"a run, median of 5 series"}},
		{"history", []string{"a := 1", "a + 1", "%history"}, []string{"1: a := 1", "2: a + 1"}},
		{"env", []string{"%env VLAB_TEST_X=7", "%env VLAB_TEST_X"}, []string{"7"}},
		{"shell", []string{"!echo one two"}, []string{"one two\n"}},
		{"shell between lines of Go", []string{"x := 1\n!echo mid\nfmt.Println(x + 1)"}, []string{"mid\n2\n"}},
		{"errors off", []string{"func f() (int, error) { return 3, fmt.Errorf(\"bad\") }", "%errors off", "f()"}, []string{"3 bad"}},
		{"errors on again", []string{"%errors off", "%errors on"}, []string{"stops its cell"}},
		{"not of a variable", []string{"done := false\n!done"}, []string{"true"}},
		{"bash", []string{"%%bash\nfor i in 1 2; do\n  echo $i\ndone"}, []string{"1\n2\n"}},
		{"question", []string{"?strings.Repeat"}, []string{"func strings.Repeat(", "string"}},
		{"question behind", []string{"n := 3", "n?"}, []string{"var n int", "3"}},
		{"question of an error", []string{"type E struct{ n int }\nfunc (e E) Error() string { return fmt.Sprint(\"e\", e.n) }\nerr := fmt.Errorf(\"w: %w\", E{3})", "err?"}, []string{"var err error", "w: e3"}},
		{"question of a function", []string{"func twice(n int) int { return 2 * n }", "twice?"}, []string{"func twice(n int) int", "{ return 2 * n }"}},
		{"question of a doc comment", []string{"?lab.New"}, []string{"func host.New", "New makes a model."}},
		{"question of a method", []string{"m := lab.New(\"a\", 2)", "m.Embed?"}, []string{"Embed returns Dim numbers."}},
		{"GoNB's", []string{"%%\nx := 4\nx"}, []string{"4"}},
		{"GoNB's main", []string{"%main\nfmt.Println(\"m\")"}, []string{"m\n"}},
		{"a percent sign in Go", []string{"x := 7 %\n2\nx"}, []string{"1"}},
		{"a raw string", []string{"s := `\n%who\n!ls\n`\nlen(s)"}, []string{"10"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := shows(t, tt.cells...)
			for _, want := range tt.want {
				if !strings.Contains(strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " ")) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
		})
	}
}

func TestCommandsWithFiles(t *testing.T) {
	dir := t.TempDir()
	s := start(t)
	eval(t, s, "%cd "+dir)
	eval(t, s, "%%writefile notes.txt\nfirst\nsecond")
	eval(t, s, "%%writefile -a notes.txt\nthird")
	b, err := os.ReadFile(filepath.Join(dir, "notes.txt"))
	if err != nil || string(b) != "first\nsecond\nthird\n" {
		t.Errorf("notes.txt holds %q, %v", b, err)
	}
	if got, _ := eval(t, s, "%ls"); got != "notes.txt" {
		t.Errorf("%%ls shows %q", got)
	}
	eval(t, s, "twice := func(n int) int { return 2 * n }")
	eval(t, s, "k := twice(21)")
	fail(t, s, "nothing()")
	eval(t, s, "%save cells.go")
	other := start(t)
	if got, _ := eval(t, other, "%load "+filepath.Join(dir, "cells.go")+"\nk"); got != "42" {
		t.Errorf("k = %s after %%load", got)
	}
}

func TestCommandMistakes(t *testing.T) {
	s := start(t)
	for _, tt := range []struct{ cell, want string }{
		{"x := 1\n%wh", "no command %wh"},
		{"%cd /nowhere/at/all", "/nowhere/at/all: no such file"},
		{"%load nofile.go", "nofile.go: no such file"},
		{"!exit 3", "exit status 3"},
		{"%history many", `not "many"`},
		{"%timeit", "takes a statement"},
		{"?nobody", "nothing is known of nobody"},
	} {
		ce, _ := fail(t, s, tt.cell)
		if !strings.Contains(ce.Value, tt.want) || ce.Line == 0 {
			t.Errorf("%q: error %q at line %d, want %q", tt.cell, ce.Value, ce.Line, tt.want)
		}
	}
}

func TestLinesOfErrorsBehindCommands(t *testing.T) {
	s := start(t)
	ce, _ := fail(t, s, "a := 1\n!true\nb := a + undefinedName")
	if ce.Line != 3 || ce.Col != 10 {
		t.Errorf("error at %d:%d, want 3:10", ce.Line, ce.Col)
	}
}
