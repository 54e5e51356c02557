package repl

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// wheelRows is how many rows one step of the mouse wheel scrolls.
const wheelRows = 3

// indentStep is what tab puts at the start of a line. The input holds no tab
// characters, and the interpreter takes either.
const indentStep = "    "

// pressed answers a key.
func (m *model) pressed(msg tea.KeyPressMsg) tea.Cmd {
	leaving := m.leaving
	m.leaving = false
	if m.current == nil {
		m.notice = ""
	}
	switch {
	case key.Matches(msg, m.keys.Interrupt):
		return m.interrupt(leaving)
	case key.Matches(msg, m.keys.PageUp):
		m.scroll(m.page())
		return nil
	case key.Matches(msg, m.keys.PageDown):
		m.scroll(-m.page())
		return nil
	case key.Matches(msg, m.keys.Bottom):
		m.scrolled = 0
		return nil
	case key.Matches(msg, m.keys.Help):
		m.showKeys = !m.showKeys
		m.doc, m.popup = nil, popup{}
		return nil
	case key.Matches(msg, m.keys.Clear):
		m.clearScreen()
		return nil
	}
	if m.asking != nil {
		return m.pressedAnswer(msg)
	}
	if m.search.open {
		if m.pressedSearch(msg) {
			return nil
		}
	}
	if m.popup.isOpen() {
		if m.pressedPopup(msg) {
			return nil
		}
	}
	return m.pressedInput(msg)
}

// pressedAnswer is for a key while a cell asks.
func (m *model) pressedAnswer(msg tea.KeyPressMsg) tea.Cmd {
	if key.Matches(msg, m.keys.Run) {
		m.answered()
		return nil
	}
	return m.edit(msg)
}

// pressedPopup is for a key while matches are shown; it returns false when the key
// closes them and means what it always does.
func (m *model) pressedPopup(msg tea.KeyPressMsg) bool {
	switch {
	case key.Matches(msg, m.keys.Complete), msg.Code == tea.KeyDown:
		m.popup.move(1)
	case key.Matches(msg, m.keys.Previous), msg.Code == tea.KeyUp:
		m.popup.move(-1)
	case key.Matches(msg, m.keys.Accept):
		m.accept()
	case key.Matches(msg, m.keys.Close):
		m.popup = popup{}
	default:
		m.popup = popup{}
		return false
	}
	return true
}

// pressedInput is for a key in the input.
func (m *model) pressedInput(msg tea.KeyPressMsg) tea.Cmd {
	if m.doc != nil {
		m.doc = nil
		if key.Matches(msg, m.keys.Close) {
			return nil
		}
	}
	switch {
	case key.Matches(msg, m.keys.Run):
		return m.enter()
	case key.Matches(msg, m.keys.Newline):
		m.newline()
		return nil
	case key.Matches(msg, m.keys.Complete):
		return m.tab()
	case key.Matches(msg, m.keys.Inspect):
		return m.back.inspect(m.input.Value(), m.cursor())
	case key.Matches(msg, m.keys.Quit) && m.input.Value() == "":
		return m.quit()
	case key.Matches(msg, m.keys.Search):
		m.beginSearch()
		return nil
	case key.Matches(msg, m.keys.Close):
		m.showKeys, m.signature = false, nil
		return nil
	case msg.Text == "}" && m.dedent():
		return nil
	case key.Matches(msg, m.keys.Up) && m.input.Line() == 0 && m.input.LineInfo().RowOffset == 0:
		m.recall(m.history.Back(m.input.Value()))
		return nil
	case key.Matches(msg, m.keys.Down) && m.atLastRow():
		m.recall(m.history.Forward())
		return nil
	}
	m.scrolled = 0
	before := m.input.Value()
	cmd := m.edit(msg)
	if m.input.Value() != before {
		m.history.Stop()
	}
	return cmd
}

// interrupt answers ctrl+c: it stops the running cell; at an idle prompt it
// clears the line, and leaves when pressed again on an empty one.
func (m *model) interrupt(leaving bool) tea.Cmd {
	switch {
	case m.current != nil:
		m.interrupted++
		if m.asking != nil {
			m.stopAsking()
		}
		return m.back.interrupt
	case m.search.open:
		m.cancelSearch()
	case m.popup.isOpen(), m.doc != nil:
		m.popup, m.doc = popup{}, nil
	case m.input.Value() != "":
		m.setInput("")
		m.history.Stop()
	case leaving:
		return tea.Quit
	default:
		m.leaving = true
		m.notice = "press ctrl+c again, or ctrl+d, to quit"
	}
	return nil
}

// quit answers ctrl+d on an empty line.
func (m *model) quit() tea.Cmd {
	if m.current != nil {
		m.notice = "a cell is running: ctrl+c interrupts it"
		return nil
	}
	return tea.Quit
}

// enter runs the input when it is a whole cell, and otherwise begins a line.
func (m *model) enter() tea.Cmd {
	code := m.input.Value()
	if strings.TrimSpace(code) == "" {
		m.setInput("")
		return nil
	}
	status, indent := m.back.isComplete(code)
	switch {
	case status != "incomplete":
		return m.submit()
	case strings.TrimSpace(code[m.cursor():]) == "":
		m.input.InsertString("\n" + indent)
		m.history.Stop()
	default: // indent is for the end
		m.newline()
	}
	return nil
}

// newline begins a line with the indent of the one the cursor is on.
func (m *model) newline() {
	line := strings.Split(m.input.Value(), "\n")[m.input.Line()]
	indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
	m.input.InsertString("\n" + indent)
	m.history.Stop()
}

// tab indents at the start of a line, and elsewhere asks for what may stand there.
func (m *model) tab() tea.Cmd {
	code, pos := m.input.Value(), m.cursor()
	line := code[strings.LastIndexByte(code[:pos], '\n')+1 : pos]
	if strings.TrimSpace(line) == "" {
		m.input.InsertString(indentStep)
		return nil
	}
	return m.back.complete(code, pos)
}

// dedent types a closing brace one step further left where nothing but the
// indent stands before it; otherwise it reports false and does nothing.
func (m *model) dedent() bool {
	code, pos := m.input.Value(), m.cursor()
	line := code[strings.LastIndexByte(code[:pos], '\n')+1 : pos]
	if strings.TrimSpace(line) != "" || !strings.HasSuffix(line, indentStep) {
		return false
	}
	m.replace(pos-len(indentStep), pos, "}")
	return true
}

// recall puts an earlier cell into the input.
func (m *model) recall(cell string, ok bool) {
	if ok {
		m.setInput(cell)
	}
}

// pasted puts pasted text into the input that has the focus. Final newlines go,
// so that enter is what runs it.
func (m *model) pasted(msg tea.PasteMsg) tea.Cmd {
	text := strings.ReplaceAll(msg.Content, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	msg.Content = strings.TrimRight(text, "\n")
	m.popup, m.scrolled, m.search = popup{}, 0, search{}
	m.history.Stop()
	return m.edit(msg)
}

// setInput replaces the input and puts the cursor at its end.
func (m *model) setInput(code string) {
	m.popup = popup{}
	m.input.SetValue(code)
	m.input.MoveToEnd()
}

// cursor returns the byte of the input that the cursor stands before.
func (m *model) cursor() int {
	lines := strings.Split(m.input.Value(), "\n")
	pos := 0
	for _, line := range lines[:m.input.Line()] {
		pos += len(line) + 1
	}
	runes := []rune(lines[m.input.Line()])
	return pos + len(string(runes[:min(m.input.Column(), len(runes))]))
}

// atLastRow reports whether the cursor is on the last row of the input.
func (m *model) atLastRow() bool {
	info := m.input.LineInfo()
	return m.input.Line() == m.input.LineCount()-1 && info.RowOffset >= info.Height-1
}

// wheel scrolls the transcript.
func (m *model) wheel(msg tea.MouseWheelMsg) {
	switch msg.Button {
	case tea.MouseWheelUp:
		m.scroll(wheelRows)
	case tea.MouseWheelDown:
		m.scroll(-wheelRows)
	}
}

// clearScreen forgets what finished cells showed.
func (m *model) clearScreen() {
	m.banner, m.scrolled = nil, 0
	var keep []*block
	for _, b := range m.blocks {
		if b.state == queued || b.state == running {
			keep = append(keep, b)
		}
	}
	m.blocks = keep
}
