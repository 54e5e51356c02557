package repl

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// leftForPicture is how many rows of the screen a picture leaves free: for its
// cell's line, the value's prompt, the input and the status.
const leftForPicture = 5

// resize fits the parts of the screen to its size. All rows are to be laid out anew.
func (m *model) resize() {
	m.help.SetWidth(m.size.w)
	m.answer.SetWidth(max(1, m.size.w-ansi.StringWidth(m.answer.Prompt)-1))
	m.input.MaxHeight = max(1, m.size.h/2)
	m.renumber()
	for _, b := range m.blocks {
		b.rows = nil
	}
	m.settle()
}

// settle lays out every block that changed, so that View need only read.
func (m *model) settle() {
	for _, b := range m.blocks {
		b.layout(m.styles, m.size.w)
	}
	m.title = m.title[:0]
	for _, line := range m.banner {
		m.title = append(m.title, wrapWords(line, m.size.w)...)
	}
}

// redraw is the command that draws every picture for a new size, newest first.
func (m *model) redraw() tea.Cmd {
	var cmds []tea.Cmd
	for i := len(m.blocks) - 1; i >= 0; i-- {
		for _, it := range m.blocks[i].items {
			cmds = append(cmds, m.draw(it))
		}
	}
	return tea.Sequence(cmds...)
}

// draw is the command that draws an item's picture, if it has one that is not
// drawn for the screen's size yet.
func (m *model) draw(it *item) tea.Cmd {
	size := cells{m.size.w, max(2, m.size.h-leftForPicture)}
	if it.picture == nil || it.size == size || !m.colours {
		return nil
	}
	return drawPicture(it, size)
}

// drawn puts a drawn picture in its place, unless it is no longer wanted there.
func (m *model) drawn(msg pictureMsg) {
	it := msg.item
	if it.picture == nil || &it.picture[0] != msg.of {
		return
	}
	it.drawn, it.size = msg.rows, msg.size
	if msg.err != nil {
		it.drawn = []string{m.styles.Error.Render(msg.err.Error())}
	}
	for _, b := range m.blocks {
		for _, other := range b.items {
			if other == it {
				b.rows = nil
			}
		}
	}
}

// transcriptHeight returns how many rows the transcript has.
func (m *model) transcriptHeight() int {
	n := len(m.title)
	for _, b := range m.blocks {
		n += len(b.rows)
	}
	return n
}

// room returns how many rows of the screen the transcript has.
func (m *model) room() int {
	return m.size.h - len(m.inputView()) - len(m.below()) - 1
}

// page is how far one press of a page key scrolls.
func (m *model) page() int { return max(1, m.room()-2) }

// scroll moves the transcript up by rows, or down where it is negative.
func (m *model) scroll(rows int) {
	m.scrolled = max(0, min(m.scrolled+rows, m.transcriptHeight()-m.room()))
}

// fit returns text as one row in a style.
func (m *model) fit(style interface{ Render(...string) string }, text string) string {
	return style.Render(ansi.Truncate(text, m.size.w, "…"))
}
