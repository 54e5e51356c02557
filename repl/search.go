package repl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// search looks for earlier cells by a part of their text, as readline does: the input
// shows what was found. The zero search is closed.
type search struct {
	open  bool
	query string
	at    int    // the cell that is shown, of the history's
	lost  bool   // no cell has the query
	draft string // what was typed before
}

// beginSearch opens the search.
func (m *model) beginSearch() {
	m.popup, m.doc, m.signature = popup{}, nil, nil
	m.search = search{open: true, at: len(m.history.cells), draft: m.input.Value()}
}

// pressedSearch is for a key while the search is open; it returns false when the key
// ends it and means what it always does.
func (m *model) pressedSearch(msg tea.KeyPressMsg) bool {
	s := &m.search
	switch {
	case key.Matches(msg, m.keys.Search):
		m.find(s.at - 1)
	case key.Matches(msg, m.keys.Accept):
		m.search = search{}
	case key.Matches(msg, m.keys.Close):
		m.cancelSearch()
	case msg.Code == tea.KeyBackspace:
		_, n := utf8.DecodeLastRuneInString(s.query)
		s.query = s.query[:len(s.query)-n]
		m.find(len(m.history.cells) - 1)
	case msg.Text != "":
		s.query += msg.Text
		m.find(min(s.at, len(m.history.cells)-1))
	default:
		m.search = search{}
		return false
	}
	return true
}

// find shows the newest cell with the query, from one on to older ones.
func (m *model) find(from int) {
	s := &m.search
	s.lost = false
	for i := from; i >= 0 && s.query != ""; i-- {
		if contains(m.history.cells[i], s.query) && (i == s.at || m.history.cells[i] != m.input.Value()) {
			s.at = i
			m.setInput(m.history.cells[i])
			return
		}
	}
	s.lost = s.query != ""
}

// contains reports whether a text has a part; capitals count where the part has some.
func contains(text, part string) bool {
	if part == strings.ToLower(part) {
		text = strings.ToLower(text)
	}
	return strings.Contains(text, part)
}

// cancelSearch closes the search and gives back what was typed before.
func (m *model) cancelSearch() {
	m.setInput(m.search.draft)
	m.search = search{}
}

// status says what is looked for.
func (s search) status() string {
	if s.lost {
		return fmt.Sprintf("no earlier cell has %q · backspace · esc gives up", s.query)
	}
	return fmt.Sprintf("cells with %q · ctrl+r older · enter takes it · esc gives up", s.query)
}
