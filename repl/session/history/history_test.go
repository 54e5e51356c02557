package history_test

import (
	"os"
	"path/filepath"
	"testing"

	"vlab/repl/session/history"

	"github.com/google/go-cmp/cmp"
)

func TestFileIsShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "vlab", "history.jsonl")
	if cells, err := history.Read(path); err != nil || cells != nil {
		t.Fatalf("before the first cell: got %q, %v", cells, err)
	}
	want := []string{"a", "for {\n\tb\n}", "é \"quoted\" \u2028"}
	for _, cell := range want {
		if err := history.Append(path, cell); err != nil {
			t.Fatal(err)
		}
	}
	got, err := history.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestPassesOverBrokenLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(path, []byte("{\"cell\":\"a\"}\nnoise\n{}\n{\"cell\":\"b\"}\n{\"cell\":\"cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := history.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFileFollowsTheStateFolder(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/state")
	if got, err := history.File(); err != nil || got != "/state/vlab/history.jsonl" {
		t.Errorf("got %q, %v", got, err)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "/home/ada")
	if got, err := history.File(); err != nil || got != "/home/ada/.local/state/vlab/history.jsonl" {
		t.Errorf("got %q, %v", got, err)
	}
}
