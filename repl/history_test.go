package repl

import (
	"testing"
)

func TestHistoryKeys(t *testing.T) {
	b := newBench(t, 80, 24)
	b.runs("own", nil, nil)
	b.send(historyMsg{cells: []string{"m := 1", "fmt.Println(m)"}})
	steps := []struct{ key, want string }{
		{"up", "own"},
		{"up", "fmt.Println(m)"},
		{"up", "m := 1"},
		{"up", "m := 1"},
		{"down", "fmt.Println(m)"},
		{"down", "own"},
		{"down", ""},
		{"down", ""},
	}
	for i, s := range steps {
		b.press(s.key)
		if got := b.input.Value(); got != s.want {
			t.Fatalf("step %d, %s: got %q, want %q", i, s.key, got, s.want)
		}
	}
	b.write("f")
	b.press("up")
	if got := b.input.Value(); got != "fmt.Println(m)" {
		t.Errorf("up after f: got %q, want the cell that begins with it", got)
	}
	b.press("down")
	if got := b.input.Value(); got != "f" {
		t.Errorf("down again: got %q, want what was typed", got)
	}
}

func TestHistoryWalksOutOfLongCells(t *testing.T) {
	b := newBench(t, 80, 24)
	b.runs("one", nil, nil)
	b.runs("if a {\nb\n}", nil, nil)
	b.press("up", "up", "up")
	if got := b.input.Value(); got != "if a {\n    b\n}" {
		t.Fatalf("within a long cell: got %q", got)
	}
	b.press("up")
	if got := b.input.Value(); got != "one" {
		t.Errorf("out of its first line: got %q, want %q", got, "one")
	}
}

func TestHistoryKeepsOneOfRepeats(t *testing.T) {
	var h history
	if !h.Add("a") || h.Add("a") || !h.Add("b") || !h.Add("a") {
		t.Errorf("got %q", h.cells)
	}
}
