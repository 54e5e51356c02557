package repl

import (
	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/textarea"
	"charm.land/lipgloss/v2"
)

// styles holds every look of the program. Only the terminal's own sixteen
// colours are used, so that light and dark themes both stay readable.
type styles struct {
	In       lipgloss.Style // the prompt of a cell
	Out      lipgloss.Style // the prompt of a value
	Title    lipgloss.Style
	Faint    lipgloss.Style
	Stderr   lipgloss.Style
	Error    lipgloss.Style
	Caret    lipgloss.Style
	Match    lipgloss.Style // one row of the completion popup
	Selected lipgloss.Style
	Status   lipgloss.Style
	Busy     lipgloss.Style
	Doc      lipgloss.Style
}

// newStyles returns the looks of the program.
func newStyles() styles {
	plain := lipgloss.NewStyle()
	return styles{
		In:       plain.Foreground(lipgloss.Green).Bold(true),
		Out:      plain.Foreground(lipgloss.Magenta).Bold(true),
		Title:    plain.Foreground(lipgloss.Cyan).Bold(true),
		Faint:    plain.Faint(true),
		Stderr:   plain.Foreground(lipgloss.Yellow),
		Error:    plain.Foreground(lipgloss.Red).Bold(true),
		Caret:    plain.Foreground(lipgloss.Red),
		Match:    plain.Foreground(lipgloss.Cyan),
		Selected: plain.Reverse(true),
		Status:   plain.Faint(true),
		Busy:     plain.Foreground(lipgloss.Yellow),
		Doc:      plain.Border(lipgloss.RoundedBorder()).BorderForeground(lipgloss.BrightBlack).Padding(0, 1),
	}
}

// inputStyles is the look of the input: the text as the terminal has it, the
// prompt as in the transcript.
func (s styles) inputStyles() textarea.Styles {
	look := textarea.StyleState{Prompt: s.In, Placeholder: s.Faint, Selection: s.Selected}
	return textarea.Styles{Focused: look, Blurred: look}
}

// helpStyles is the look of the key help.
func (s styles) helpStyles() help.Styles {
	plain := lipgloss.NewStyle()
	return help.Styles{
		ShortKey: plain, ShortDesc: s.Faint, ShortSeparator: s.Faint, Ellipsis: s.Faint,
		FullKey: s.Title, FullDesc: plain, FullSeparator: plain,
	}
}
