package repl

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

func TestEnterRunsWhatIsWhole(t *testing.T) {
	tests := []struct {
		name, typed, input string
		ran                []string
	}{
		{"whole", "x\n", "", []string{"x"}},
		{"open", "if a {\n", "if a {\n    ", nil},
		{"closed with less indent", "if a {\nb\n}\n", "", []string{"if a {\n    b\n}"}},
		{"nothing", "  \n", "", nil},
		{"blanks at the end", "x  \n", "", []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, 80, 24)
			b.write(tt.typed)
			if got := b.input.Value(); got != tt.input {
				t.Errorf("input after %q: got %q, want %q", tt.typed, got, tt.input)
			}
			if !slices.Equal(b.ran, tt.ran) {
				t.Errorf("ran after %q: got %q, want %q", tt.typed, b.ran, tt.ran)
			}
		})
	}
}

func TestEnterWithinAnOpenCellSplitsTheLine(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("  f({a")
	b.press("left", "enter")
	if got, want := b.input.Value(), "  f({\n  a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAltEnterBeginsALine(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("    x")
	b.press("alt+enter")
	if got, want := b.input.Value(), "    x\n    "; got != want || len(b.ran) > 0 {
		t.Errorf("got %q and %d cells run, want %q and none", got, len(b.ran), want)
	}
}

func TestCtrlCInterruptsTheCellOnly(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("train()\n")
	if b.press("ctrl+c") {
		t.Error("ctrl+c left the program while a cell ran")
	}
	if b.interrupts != 1 {
		t.Errorf("interrupts: got %d, want 1", b.interrupts)
	}
	b.ends(nil, &session.CellError{Name: "interrupted", Value: "interrupted"})
	if got := b.screen(); !strings.Contains(got, "\ninterrupted\n") {
		t.Errorf("the screen does not say that the cell was interrupted:\n%s", got)
	}
}

func TestCtrlCAtThePrompt(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("half a cell")
	if b.press("ctrl+c") || b.input.Value() != "" {
		t.Errorf("ctrl+c left %q in the input, or the program", b.input.Value())
	}
	if b.press("ctrl+c") {
		t.Error("the first ctrl+c on an empty line left the program")
	}
	if !strings.Contains(b.screen(), "press ctrl+c again") {
		t.Errorf("no hint how to leave:\n%s", b.screen())
	}
	if b.press("left", "ctrl+c") {
		t.Error("another key between the two did not count")
	}
	if !b.press("ctrl+c") {
		t.Error("the second ctrl+c did not leave the program")
	}
}

func TestCtrlDLeavesAnEmptyPrompt(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("x")
	if b.press("ctrl+d") {
		t.Error("ctrl+d left the program with text in the input")
	}
	b.press("ctrl+c")
	b.write("train()\n")
	if b.press("ctrl+d") {
		t.Error("ctrl+d left the program while a cell ran")
	}
	b.ends(nil, nil)
	if !b.press("ctrl+d") {
		t.Error("ctrl+d did not leave the program")
	}
}

func TestCellsWaitForTheRunningOne(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\nb\nc\n")
	if want := []string{"a"}; !slices.Equal(b.ran, want) {
		t.Fatalf("ran: got %q, want %q", b.ran, want)
	}
	b.ends(nil, nil)
	if want := []string{"a", "b"}; !slices.Equal(b.ran, want) {
		t.Fatalf("ran after the first ended: got %q, want %q", b.ran, want)
	}
	b.ends(nil, errBoom)
	if len(b.ran) != 2 {
		t.Errorf("ran after an error: got %q, want no more", b.ran)
	}
	if got := b.screen(); !strings.Contains(got, "In [ ]: c\n(not run") || !strings.Contains(got, "In [3]:") {
		t.Errorf("the cell that was given up is not marked:\n%s", got)
	}
}

func TestOutputGoesToItsCell(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\n")
	first := b.running()
	b.ends(nil, nil)
	b.write("b\n")
	b.prints("stdout", "of b\n")
	b.send(outputMsg{{Block: first, Stream: "stdout", Text: "late, of a\n"}})
	if got, want := b.screen(), "In [1]: a\nlate, of a\n\nIn [2]: b\nof b\n"; !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
}

func TestUpdateReachesEarlierCells(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\n")
	b.shows(session.Display{ID: "bar", Data: text("10 %")})
	b.ends(nil, nil)
	b.write("b\n")
	b.shows(session.Display{ID: "bar", Update: true, Data: text("90 %")})
	b.shows(session.Display{ID: "gone", Update: true, Data: text("shown anew")})
	if got, want := b.screen(), "In [1]: a\n90 %\n\nIn [2]: b\nshown anew\n"; !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
}

func TestClearOutput(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\n")
	b.prints("stdout", "first\n")
	b.send(outputMsg{{Block: b.running(), Clear: &clearing{Wait: true}}})
	if !strings.Contains(b.screen(), "first") {
		t.Error("clearing that waits did not wait")
	}
	b.prints("stdout", "second\n")
	if got := b.screen(); strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("after waiting: got\n%s", got)
	}
	b.send(outputMsg{{Block: b.running(), Clear: &clearing{}}})
	if got := b.screen(); strings.Contains(got, "second") {
		t.Errorf("cleared at once: got\n%s", got)
	}
}

func TestAnswerReachesTheCell(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("ask()\n")
	answer := make(chan string, 1)
	b.send(outputMsg{{Block: b.running(), Input: &question{Prompt: "name? ", Answer: answer}}})
	b.write("Ada\n")
	if got := <-answer; got != "Ada" {
		t.Errorf("got %q, want %q", got, "Ada")
	}
	if got := b.screen(); !strings.Contains(got, "name? Ada\n") {
		t.Errorf("the answer is not on the screen:\n%s", got)
	}
	again := make(chan string, 1)
	b.send(outputMsg{{Block: b.running(), Input: &question{Prompt: "again? ", Password: true, Answer: again}}})
	b.write("secret")
	b.press("ctrl+c")
	if _, open := <-again; open {
		t.Error("an interrupt answered the question")
	}
	if strings.Contains(b.screen(), "secret") {
		t.Errorf("the password is on the screen:\n%s", b.screen())
	}
}

func TestNumbersFollowTheSession(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\n")
	b.send(outputMsg{{Block: b.running(), Done: &outcome{Result: session.Result{Count: 7, Data: text("x")}}}})
	if got := b.screen(); !strings.Contains(got, "In [7]: a\nOut[7]: x\n") || !strings.Contains(got, "In [8]:") {
		t.Errorf("got\n%s", got)
	}
}

func TestCompletion(t *testing.T) {
	tests := []struct {
		name, typed string
		left        int // cursor moves to the left
		start, end  int
		matches     []string
		want        string
		open        bool
	}{
		{"one match", "m.Gr", 0, 2, 4, []string{"Ground"}, "m.Ground", false},
		{"common start", "m.", 0, 2, 2, []string{"Ground", "Grand"}, "m.Gr", true},
		{"nothing in common", "x", 0, 0, 1, []string{"xa", "xb"}, "x", true},
		{"within text", "é := m.G(x)", 3, 8, 9, []string{"Ground"}, "é := m.Ground(x)", false},
		{"none", "q", 0, 0, 1, nil, "q", false},
		{"out of range", "q", 0, 0, 9, []string{"quit"}, "q", false},
		{"characters stay whole", "", 0, 0, 0, []string{"é", "è"}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, 80, 24)
			b.write(tt.typed)
			for range tt.left {
				b.press("left")
			}
			c := completionMsg{code: b.input.Value(), pos: b.cursor()}
			c.Start, c.End, c.Matches = tt.start, tt.end, matches(tt.matches...)
			b.send(c)
			if got := b.input.Value(); got != tt.want {
				t.Errorf("input: got %q, want %q", got, tt.want)
			}
			if got := b.popup.isOpen(); got != tt.open {
				t.Errorf("popup open: got %v, want %v", got, tt.open)
			}
		})
	}
}

// matches returns names to choose from.
func matches(names ...string) []session.Match {
	var list []session.Match
	for _, name := range names {
		list = append(list, session.Match{Text: name, Kind: "variable", Type: "int"})
	}
	return list
}

func TestPopupKeys(t *testing.T) {
	open := func(t *testing.T) *bench {
		b := newBench(t, 80, 24)
		b.write("a\nx")
		b.ends(nil, nil)
		c := completionMsg{code: "x", pos: 1}
		c.End, c.Matches = 1, matches("xa", "xb", "xc")
		b.send(c)
		return b
	}
	tests := []struct {
		keys []string
		want string
	}{
		{[]string{"enter"}, "xa"},
		{[]string{"tab", "enter"}, "xb"},
		{[]string{"down", "down", "down", "enter"}, "xa"},
		{[]string{"up", "enter"}, "xc"},
		{[]string{"shift+tab", "enter"}, "xc"},
		{[]string{"esc"}, "x"},
		{[]string{"ctrl+c"}, "x"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.keys, " "), func(t *testing.T) {
			b := open(t)
			b.press(tt.keys...)
			if got := b.input.Value(); got != tt.want || b.popup.isOpen() {
				t.Errorf("got %q and popup open %v, want %q and closed", got, b.popup.isOpen(), tt.want)
			}
		})
	}
	t.Run("typing goes on", func(t *testing.T) {
		b := open(t)
		b.write("y")
		if got := b.input.Value(); got != "xy" || b.popup.isOpen() {
			t.Errorf("got %q and popup open %v, want %q and closed", got, b.popup.isOpen(), "xy")
		}
	})
}

func TestStaleAnswersAreDropped(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("xy")
	c := completionMsg{code: "x", pos: 1}
	c.End, c.Matches = 1, matches("xenon")
	moved := completionMsg{code: "yx", pos: 2}
	moved.Start, moved.End, moved.Matches = 1, 2, matches("xenon")
	b.send(c, moved, inspectionMsg{code: "x", text: "about x"})
	if got := b.input.Value(); got != "xy" || b.doc != nil {
		t.Errorf("got %q and description %q, want what was typed since and none", got, b.doc)
	}
}

func TestTabAsksOrIndents(t *testing.T) {
	b := newBench(t, 80, 24)
	b.press("tab")
	if got := b.input.Value(); got != indentStep {
		t.Errorf("tab on an empty line: got %q, want an indent", got)
	}
	b.write("é.x y")
	b.press("left", "left", "tab", "shift+tab")
	if want := []string{"    é.x| y", "    é.x| y"}; !slices.Equal(b.asked, want) {
		t.Errorf("asked: got %q, want %q", b.asked, want)
	}
}

func TestPasteDoesNotRun(t *testing.T) {
	b := newBench(t, 80, 24)
	b.send(tea.PasteMsg{Content: "a := 1\r\nb := 2\r\n"})
	if got, want := b.input.Value(), "a := 1\nb := 2"; got != want || len(b.ran) > 0 {
		t.Errorf("got %q and %d cells run, want %q and none", got, len(b.ran), want)
	}
	if b.press("enter"); len(b.ran) != 1 {
		t.Errorf("enter after a paste ran %d cells, want 1", len(b.ran))
	}
}

func TestClearScreenKeepsTheRunningCell(t *testing.T) {
	b := newBench(t, 80, 24)
	b.runs("a", text("old"), nil)
	b.write("b\n")
	b.press("ctrl+l")
	b.prints("stdout", "still here\n")
	if got, want := b.screen(), "In [2]: b\nstill here\n"; !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", got, want)
	}
}

func TestScrollStopsAtTheEnds(t *testing.T) {
	b := newBench(t, 40, 12)
	b.press("pgup")
	if b.scrolled != 0 {
		t.Errorf("a transcript that fits scrolled by %d", b.scrolled)
	}
	b.write("a\n")
	b.prints("stdout", strings.Repeat("x\n", 50))
	for range 40 {
		b.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	}
	if got := b.screen(); !strings.HasPrefix(got, "vlab") {
		t.Errorf("the start is not at the top:\n%s", got)
	}
	for range 40 {
		b.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	}
	if b.scrolled != 0 {
		t.Errorf("the end is %d rows away", b.scrolled)
	}
}

func TestPictureThatWasReplacedIsNotDrawn(t *testing.T) {
	b := newBench(t, 40, 12)
	b.write("a\n")
	b.shows(session.Display{ID: "p", Data: map[string]any{"image/png": checker(t, 8, 8)}})
	it := b.model.blocks[0].items[0]
	late := b.draw(it)()
	b.shows(session.Display{ID: "p", Update: true, Data: map[string]any{"image/png": checker(t, 4, 4)}})
	b.send(late)
	if it.drawn != nil {
		t.Error("the earlier picture was put where the later one belongs")
	}
	b.shows(session.Display{ID: "p", Update: true, Data: text("words now")})
	b.send(late)
	if got := b.screen(); !strings.Contains(got, "words now") {
		t.Errorf("got\n%s", got)
	}
}

func TestManyLinesStayCheap(t *testing.T) {
	b := newBench(t, 80, 24)
	b.write("a\n")
	begun := time.Now()
	for range 300 {
		b.prints("stdout", strings.Repeat("some text of a loop\n", 100))
	}
	if got := len(b.model.blocks[0].items[0].text.lines); got > maxLines+maxLines/10 {
		t.Errorf("%d lines are kept, want about %d", got, maxLines)
	}
	if got := b.model.blocks[0].items[0].rows[0]; !strings.Contains(got, "earlier lines are gone") {
		t.Errorf("the first row is %q, want it to say what is gone", got)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("30,000 lines took %v", took)
	}
}

func TestPlainTextPrefersWhatReads(t *testing.T) {
	tests := []struct {
		data map[string]any
		want string
		ok   bool
	}{
		{map[string]any{"text/plain": "p\n", "text/html": "h"}, "p", true},
		{map[string]any{"text/markdown": "# m"}, "# m", true},
		{map[string]any{"application/json": []byte("{}")}, "{}", true},
		{map[string]any{"text/html": "h", "application/pdf": "x"}, "(a value of application/pdf, text/html, which a terminal cannot show)", false},
	}
	for _, tt := range tests {
		got, ok := plainText(tt.data)
		if d := cmp.Diff(tt.want, got); d != "" || ok != tt.ok {
			t.Errorf("%v: ok %v, want %v (-want +got):\n%s", tt.data, ok, tt.ok, d)
		}
	}
}
