package repl

import (
	"strings"
	"testing"

	"vlab/repl/session"
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

func TestSearchHistory(t *testing.T) {
	b := newBench(t, 80, 24)
	b.send(historyMsg{cells: []string{"m := lab.Open(\"demo\")", "x := 1", "lab.Scenes(1, 2)", "x := 1"}})
	b.write("draft")
	b.press("ctrl+r")
	for i, s := range []struct{ typed, key, want string }{
		{"lab", "", "lab.Scenes(1, 2)"},
		{"", "ctrl+r", "m := lab.Open(\"demo\")"},
		{"", "ctrl+r", "m := lab.Open(\"demo\")"}, // there is none before it
		{"", "backspace", "lab.Scenes(1, 2)"},
		{"b.o", "", "m := lab.Open(\"demo\")"}, // small letters find capitals
		{"X", "", "m := lab.Open(\"demo\")"},
	} {
		b.write(s.typed)
		if s.key != "" {
			b.press(s.key)
		}
		if got := b.input.Value(); got != s.want {
			t.Fatalf("step %d, %q%s: got %q, want %q", i, s.typed, s.key, got, s.want)
		}
	}
	if !strings.Contains(b.screen(), `no earlier cell has "lab.oX"`) {
		t.Errorf("nothing says that none is found:\n%s", b.screen())
	}
	b.press("esc")
	if got := b.input.Value(); got != "draft" || b.search.open {
		t.Errorf("after esc: got %q, want what was typed before", got)
	}
	b.press("ctrl+r")
	b.write("scenes\n")
	if got := b.input.Value(); got != "lab.Scenes(1, 2)" || b.search.open || len(b.ran) != 0 {
		t.Errorf("after enter: got %q, %d cells run, want the cell that was found, not run", got, len(b.ran))
	}
}

func TestSignatureFollowsTheCursor(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("f(a")
	if got := strings.Join(b.signed, "|"); got != "f(|f(a" {
		t.Errorf("asked for %q, want f(|f(a", got)
	}
	sig := session.Signature{Text: "f(n int)", Start: 2, End: 7}
	b.send(signatureMsg{at: place{"f(", 2}, signature: &sig})
	if b.signature != nil {
		t.Error("an answer for another place is shown")
	}
	b.send(signatureMsg{at: place{"f(a", 3}, signature: &sig})
	if !strings.Contains(b.screen(), "f(n int)") {
		t.Errorf("the signature is not shown:\n%s", b.screen())
	}
	b.write(")")
	b.send(signatureMsg{at: place{"f(a)", 4}})
	if strings.Contains(b.screen(), "f(n int") {
		t.Errorf("the signature is shown behind the call:\n%s", b.screen())
	}
}
