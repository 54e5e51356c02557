package repl

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// View implements [tea.Model].
func (m *model) View() tea.View {
	input := m.inputView()
	below := m.below()
	rows := m.visible(m.room())
	inputTop := len(rows)
	rows = append(append(rows, input...), below...)
	for len(rows) < m.size.h-1 {
		rows = append(rows, "")
	}
	rows = append(rows, m.status())
	for i, row := range rows { // prompts and help do not shrink with the screen
		rows[i] = ansi.Truncate(row, m.size.w, "")
	}
	v := tea.NewView(strings.Join(rows, "\n"))
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	v.WindowTitle = "vlab"
	v.Cursor = m.cursorAt(inputTop)
	return v
}

// cursorAt returns the cursor of the input whose first row is top.
func (m *model) cursorAt(top int) *tea.Cursor {
	c := m.input.Cursor()
	if m.asking != nil {
		c = m.answer.Cursor()
	}
	if c == nil || m.scrolled > 0 {
		return nil
	}
	c.Y += top
	return c
}

// inputView returns the rows of the input, or of the question of a cell.
func (m *model) inputView() []string {
	if m.asking != nil {
		return []string{m.answer.View()}
	}
	return strings.Split(m.input.View(), "\n")
}

// below returns the rows under the input: matches, a description, the keys, or the
// function around the cursor.
func (m *model) below() []string {
	room := m.size.h - len(m.inputView()) - 2
	switch {
	case m.popup.isOpen():
		return m.popup.view(m.styles, m.size.w, room)
	case m.doc != nil:
		return m.docView(room)
	case m.showKeys:
		text := m.help.FullHelpView(m.keys.FullHelp())
		return limit(strings.Split("\n"+text, "\n"), room)
	case m.signature != nil && m.asking == nil:
		return m.signatureView(room)
	}
	return nil
}

// docView returns the description that was asked for, in a frame.
func (m *model) docView(room int) []string {
	frame := m.styles.Doc
	var rows []string
	for _, line := range m.doc {
		rows = append(rows, wrapWords(line, m.size.w-frame.GetHorizontalFrameSize())...)
	}
	most := max(1, min(room-frame.GetVerticalFrameSize(), m.size.h/2))
	if len(rows) > most {
		rows = append(rows[:most-1], m.styles.Faint.Render("…"))
	}
	return limit(strings.Split(frame.Render(strings.Join(rows, "\n")), "\n"), room)
}

// limit returns at most n of rows.
func limit(rows []string, n int) []string { return rows[:max(0, min(n, len(rows)))] }

// status returns the last row of the screen.
func (m *model) status() string {
	switch {
	case m.search.open:
		return m.fit(m.styles.Busy, m.search.status())
	case m.current != nil:
		return m.fit(m.styles.Busy, m.busy())
	case m.notice != "":
		return m.fit(m.styles.Busy, m.notice)
	case m.scrolled > 0:
		return m.fit(m.styles.Status, fmt.Sprintf("%d rows below · pgdn, ctrl+end · shift+drag selects", m.scrolled))
	case m.popup.isOpen():
		return m.fit(m.styles.Status, fmt.Sprintf("%d of %d · tab next · enter takes it · esc closes", m.popup.at+1, len(m.popup.matches)))
	}
	return m.help.ShortHelpView(m.keys.ShortHelp())
}

// busy says what is running.
func (m *model) busy() string {
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	text := fmt.Sprintf("%c In [%d] %s", frames[m.spin%len(frames)], m.current.number, elapsed(m.current.start, m.now))
	switch {
	case m.notice != "":
		return text + " · " + m.notice
	case m.interrupted > 0:
		return text + " · interrupting"
	case len(m.queue) > 0:
		text += fmt.Sprintf(" · %d waiting", len(m.queue))
	}
	return text + " · ctrl+c interrupts"
}

// elapsed returns how long something has run, as short as it can be read.
func elapsed(from, to time.Time) string {
	d := to.Sub(from)
	switch {
	case from.IsZero() || d < 0:
		return "0.0s"
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// visible returns the rows of the transcript that fit into room rows.
func (m *model) visible(room int) []string {
	skip := min(m.scrolled, max(0, m.transcriptHeight()-room))
	var parts [][]string
	need := room
	take := func(rows []string) {
		cut := min(skip, len(rows))
		skip -= cut
		rows = rows[:len(rows)-cut]
		rows = rows[max(0, len(rows)-need):]
		need -= len(rows)
		parts = append(parts, rows)
	}
	for i := len(m.blocks) - 1; i >= 0 && need > 0; i-- {
		take(m.blocks[i].rows)
	}
	if need > 0 {
		take(m.title)
	}
	slices.Reverse(parts)
	return slices.Concat(parts...)
}

// sortedKeys returns the keys of a value's forms in order.
func sortedKeys(data map[string]any) []string { return slices.Sorted(maps.Keys(data)) }

// renumber gives the input the number that its cell will have.
func (m *model) renumber() {
	prompt := inPrompt(m.count + 1 + len(m.queue))
	rest := continuation(prompt)
	faint := m.styles.Faint
	m.input.SetPromptFunc(len(prompt), func(info textarea.PromptInfo) string {
		if info.LineNumber == 0 {
			return prompt
		}
		return faint.Render(rest)
	})
	m.input.SetWidth(m.size.w)
}
