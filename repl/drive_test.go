package repl

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

var _ Session = (*session.Session)(nil)

// bench is a terminal whose session is the test: it records what the terminal
// asks for, and the test answers with messages.
type bench struct {
	*model
	ran        []string // cells handed to the session
	blocks     []int    // their blocks
	interrupts int
	signed     []string // code whose signature was asked for, before the cursor
	asked      []string // code handed to completion or inspection, with | at the place
}

// newBench returns a terminal of a size at its first prompt.
func newBench(t *testing.T, w, h int) *bench {
	t.Helper()
	b := &bench{}
	question := func(code string, pos int) tea.Cmd {
		return func() tea.Msg {
			b.asked = append(b.asked, code[:pos]+"|"+code[pos:])
			return nil
		}
	}
	b.model = newModel(backend{
		eval: func(block int, cell string) tea.Cmd {
			b.ran, b.blocks = append(b.ran, cell), append(b.blocks, block)
			return nil
		},
		interrupt: func() tea.Msg { b.interrupts++; return nil },
		complete:  question,
		inspect:   question,
		signature: func(at place) tea.Cmd {
			return func() tea.Msg {
				b.signed = append(b.signed, at.code[:at.pos])
				return nil
			}
		},
		isComplete: func(code string) (string, string) {
			if depth := strings.Count(code, "{") - strings.Count(code, "}"); depth > 0 {
				return "incomplete", strings.Repeat(indentStep, depth)
			}
			return "complete", ""
		},
	}, banner(newStyles(), []string{"cpu, 2 threads"}), "")
	b.send(tea.WindowSizeMsg{Width: w, Height: h})
	return b
}

// send hands messages to the terminal and runs the commands that answer at once
// through session calls; it reports whether the terminal wants to quit.
func (b *bench) send(msgs ...tea.Msg) (quit bool) {
	for _, msg := range msgs {
		_, cmd := b.Update(msg)
		if cmd == nil {
			continue
		}
		// Commands of a running cell hold a timer; only single ones are run.
		if b.current != nil && b.interrupted == 0 {
			continue
		}
		if _, ok := cmd().(tea.QuitMsg); ok {
			quit = true
		}
	}
	return quit
}

// press presses keys by their names.
func (b *bench) press(names ...string) (quit bool) {
	for _, name := range names {
		quit = b.send(keyNamed(name)) || quit
	}
	return quit
}

// write types text, with enter for each newline.
func (b *bench) write(text string) {
	for _, r := range text {
		if r == '\n' {
			b.press("enter")
			continue
		}
		b.send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// keyNamed returns the press of a key such as "ctrl+c".
func keyNamed(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft,
		"esc": tea.KeyEscape, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
	}
	var k tea.KeyPressMsg
	parts := strings.Split(name, "+")
	for _, mod := range parts[:len(parts)-1] {
		k.Mod |= map[string]tea.KeyMod{"ctrl": tea.ModCtrl, "alt": tea.ModAlt, "shift": tea.ModShift}[mod]
	}
	last := parts[len(parts)-1]
	k.Code = special[last]
	if k.Code == 0 {
		k.Code, _ = utf8.DecodeRuneInString(last)
	}
	return k
}

// running returns the block of the last cell handed to the session.
func (b *bench) running() int { return b.blocks[len(b.blocks)-1] }

// prints lets the running cell print.
func (b *bench) prints(stream, text string) {
	b.send(outputMsg{{Block: b.running(), Stream: stream, Text: text}})
}

// shows lets the running cell show a value.
func (b *bench) shows(d session.Display) {
	b.send(outputMsg{{Block: b.running(), Display: &d}})
}

// ends lets the running cell end, with a value where data is not nil.
func (b *bench) ends(data map[string]any, err error) {
	b.send(outputMsg{{Block: b.running(), Done: &outcome{Result: session.Result{Data: data}, Err: err}}})
}

// runs types a cell and lets it end.
func (b *bench) runs(cell string, data map[string]any, err error) {
	b.write(cell + "\n")
	b.ends(data, err)
}

// screen returns what is on the screen, without colours.
func (b *bench) screen() string {
	lines := strings.Split(ansi.Strip(b.View().Content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// text returns a value that is text.
func text(s string) map[string]any { return map[string]any{"text/plain": s} }

// errBoom is an error that is no cell's.
var errBoom = errors.New("boom")
