package repl

import (
	"strings"

	"vlab/repl/session"

	tea "charm.land/bubbletea/v2"
)

// place is where the cursor was in which input.
type place struct {
	code string
	pos  int
}

// signatureMsg brings the function among whose arguments a place is; nil for none.
type signatureMsg struct {
	at        place
	signature *session.Signature
}

// askSignature asks for the function around the cursor, where that has moved.
func (m *model) askSignature() tea.Cmd {
	at := place{m.input.Value(), m.cursor()}
	if at == m.signedAt {
		return nil
	}
	m.signedAt = at
	if m.search.open || !strings.Contains(at.code[:at.pos], "(") {
		m.signature = nil
		return nil
	}
	return m.back.signature(at)
}

// signed shows the function that came, unless the cursor has moved on.
func (m *model) signed(msg signatureMsg) {
	if msg.at == m.signedAt && msg.at == (place{m.input.Value(), m.cursor()}) {
		m.signature = msg.signature
	}
}

// signatureView returns rows with the function around the cursor, the parameter at
// hand in bold, and what it does.
func (m *model) signatureView(room int) []string {
	s := m.signature
	faint := m.styles.Faint
	text := faint.Render(s.Text[:s.Start]) + m.styles.Title.Render(s.Text[s.Start:s.End]) + faint.Render(s.Text[s.End:])
	rows := wrapWords("  "+text, m.size.w)
	if s.Doc != "" {
		rows = append(rows, m.fit(faint, "  "+s.Doc))
	}
	return limit(rows, room)
}
