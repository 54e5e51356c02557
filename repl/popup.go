package repl

import (
	"slices"
	"strings"
	"unicode"

	"vlab/repl/session"

	"github.com/charmbracelet/x/ansi"
)

// popupRows is how many matches are shown at a time.
const popupRows = 8

// popup is the list of what may stand at the cursor. The zero popup is closed.
type popup struct {
	start, end int // the bytes of the input that a match replaces
	matches    []session.Match
	at         int // the selected match
}

func (p popup) isOpen() bool { return len(p.matches) > 0 }

// move selects another match, round and round.
func (p *popup) move(by int) {
	p.at = (p.at + by + len(p.matches)) % len(p.matches)
}

// view returns the rows of the popup, at most height of them and width wide.
func (p popup) view(s styles, width, height int) []string {
	n := min(len(p.matches), popupRows, height)
	if n <= 0 {
		return nil
	}
	from := max(0, min(p.at-n/2, len(p.matches)-n))
	shown := p.matches[from : from+n]
	wide := 0
	for _, match := range shown {
		wide = max(wide, ansi.StringWidth(match.Text))
	}
	wide = min(wide, width-4)
	rows := make([]string, n)
	for i, match := range shown {
		name := ansi.Truncate(match.Text, wide, "…")
		text := " " + name + strings.Repeat(" ", wide-ansi.StringWidth(name)+1)
		look := s.Match
		if from+i == p.at {
			look = s.Selected
		}
		rows[i] = "  " + look.Render(text)
		if room := width - ansi.StringWidth(rows[i]) - 1; room > 8 {
			rows[i] += s.Faint.Render(" " + ansi.Truncate(beside(match), room, "…"))
		}
	}
	if doc := p.matches[p.at].Doc; doc != "" && n < height {
		rows = append(rows, s.Faint.Render(ansi.Truncate("   "+doc, width, "…")))
	}
	return rows
}

// beside returns what stands beside a match: its type, or what kind of thing it is.
func beside(m session.Match) string {
	switch {
	case m.Kind == "type":
		return strings.TrimSpace("type " + m.Type)
	case m.Type == "" || m.Kind == "package":
		return m.Kind
	}
	return m.Type
}

// completed shows the matches that came, unless the input has moved on. One
// match, or the start that all have in common, goes in at once.
func (m *model) completed(msg completionMsg) {
	code := m.input.Value()
	switch {
	case msg.err != nil:
		m.notice = "complete: " + msg.err.Error()
		return
	case msg.code != code || msg.pos != m.cursor() || m.asking != nil:
		return
	case msg.Start < 0 || msg.Start > msg.End || msg.End > len(code):
		return
	case len(msg.Matches) == 0:
		m.notice = "no completions"
		return
	}
	common := commonPrefix(msg.Matches)
	if typed := code[msg.Start:msg.End]; len(msg.Matches) == 1 || len(common) > len(typed) && strings.HasPrefix(common, typed) {
		m.replace(msg.Start, msg.End, common)
		msg.End = msg.Start + len(common)
	}
	if len(msg.Matches) > 1 {
		m.popup = popup{start: msg.Start, end: msg.End, matches: msg.Matches}
	}
}

// accept puts the selected match in.
func (m *model) accept() {
	p := m.popup
	m.popup = popup{}
	m.replace(p.start, p.end, p.matches[p.at].Text)
}

// replace puts text in place of the input's bytes from start to end, and the
// cursor behind it.
func (m *model) replace(start, end int, text string) {
	code := m.input.Value()
	head, tail := code[:start]+text, code[end:]
	m.input.SetValue(head)
	m.input.MoveToEnd()
	row, col := m.input.Line(), m.input.Column()
	m.input.InsertString(tail)
	for m.input.Line() > row {
		m.input.CursorUp()
	}
	m.input.SetCursorColumn(col)
	m.history.Stop()
}

// inspected shows what came about the name at the cursor.
func (m *model) inspected(msg inspectionMsg) {
	switch {
	case msg.err != nil:
		m.notice = "inspect: " + msg.err.Error()
	case msg.code != m.input.Value():
	case strings.TrimSpace(msg.text) == "":
		m.notice = "nothing is known about this"
	default:
		m.doc = cleanLines(strings.TrimSpace(msg.text))
	}
}

// commonPrefix returns the start that all matches have in common, in whole characters.
func commonPrefix(matches []session.Match) string {
	byText := func(a, b session.Match) int { return strings.Compare(a.Text, b.Text) }
	first := slices.MinFunc(matches, byText).Text
	last := slices.MaxFunc(matches, byText).Text
	for i, r := range first {
		if r == unicode.ReplacementChar || !strings.HasPrefix(last, first[:i]+string(r)) {
			return first[:i]
		}
	}
	return first
}
