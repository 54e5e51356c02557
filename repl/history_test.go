package repl

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHistoryFileIsShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "vlab", "history.jsonl")
	if cells, err := readHistory(path); err != nil || cells != nil {
		t.Fatalf("before the first cell: got %q, %v", cells, err)
	}
	want := []string{"a", "for {\n\tb\n}", "é \"quoted\" \u2028"}
	for _, cell := range want {
		if err := appendHistory(path, cell); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestHistoryPassesOverBrokenLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(path, []byte("{\"cell\":\"a\"}\nnoise\n{}\n{\"cell\":\"b\"}\n{\"cell\":\"cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestHistoryFileFollowsTheStateFolder(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	if got, err := HistoryFile(); err != nil || got != "/state/vlab/history.jsonl" {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "/home/ada")
	if got, err := HistoryFile(); err != nil || got != "/home/ada/.local/state/vlab/history.jsonl" {
		t.Errorf("got %q, %v", got, err)
	}
}

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
