package repl

import (
	"strings"

	"charm.land/lipgloss/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// maxLines is how many finished lines of one output are kept. It is far more
// than anybody scrolls through and keeps a runaway print loop at some megabytes.
const maxLines = 10_000

// maxLineCells is where a line without end is broken: a program that prints
// megabytes without a newline must not make every redraw slow.
const maxLineCells = 4096

// tabStop is the distance of tab stops in output, in cells.
const tabStop = 8

// inkCell is one character of the line being written, with its look.
type inkCell struct {
	text string
	pen  uv.Style
}

// scroll turns raw output into lines as a teletype would: carriage returns and
// backspaces go back over the line, colours are kept, and every other control
// sequence is dropped, so that no output can harm the screen. Each line that it
// hands out carries its own colours. The zero scroll is empty and usable.
type scroll struct {
	lines   []string  // finished lines, oldest first
	dropped int       // finished lines that were let go
	line    []inkCell // the line being written
	at      int       // where in line the next character goes
	pen     uv.Style
	pending string // the start of an escape sequence cut off by the end of a write
}

// Write adds raw output.
func (s *scroll) Write(text string) {
	text = s.pending + strings.ToValidUTF8(text, "\uFFFD")
	s.pending = ""
	p := ansi.NewParser()
	var state byte
	for len(text) > 0 {
		seq, width, n, next := ansi.DecodeSequence(text, state, p)
		if next != ansi.NormalState && n == len(text) && n < 256 {
			s.pending = text // the rest of the sequence comes with the next write
			return
		}
		state = ansi.NormalState
		if width > 0 {
			s.put(seq)
		} else {
			s.control(seq, p)
		}
		text = text[n:]
	}
}

// put writes one printable character at the current place.
func (s *scroll) put(text string) {
	if s.at >= maxLineCells {
		s.newline()
	}
	for len(s.line) < s.at {
		s.line = append(s.line, inkCell{text: " "})
	}
	if s.at == len(s.line) {
		s.line = append(s.line, inkCell{})
	}
	s.line[s.at] = inkCell{text: text, pen: s.pen}
	s.at++
}

// control obeys one control character or escape sequence, or drops it.
func (s *scroll) control(seq string, p *ansi.Parser) {
	switch seq {
	case "\n":
		s.newline()
	case "\r":
		s.at = 0
	case "\b":
		s.at = max(0, s.at-1)
	case "\t":
		for range tabStop - s.at%tabStop {
			s.put(" ")
		}
	default:
		if strings.HasPrefix(seq, "\x1b[") {
			s.csi(ansi.Cmd(p.Command()), p)
		}
	}
}

// csi obeys the sequences that progress bars use within one line.
func (s *scroll) csi(cmd ansi.Cmd, p *ansi.Parser) {
	if cmd.Prefix() != 0 || cmd.Intermediate() != 0 {
		return
	}
	first := func(missing int) int {
		n, _ := p.Param(0, missing)
		return n
	}
	switch cmd.Final() {
	case 'm':
		uv.ReadStyle(p.Params(), &s.pen)
	case 'K':
		s.erase(first(0))
	case 'C':
		s.at = min(s.at+max(1, first(1)), maxLineCells)
	case 'D':
		s.at = max(0, s.at-max(1, first(1)))
	case 'G':
		s.at = min(max(1, first(1))-1, maxLineCells)
	}
}

// erase obeys 'erase in line': 0 to the end, 1 to the start, 2 all of it.
func (s *scroll) erase(mode int) {
	switch mode {
	case 0:
		s.line = s.line[:min(s.at, len(s.line))]
	case 1:
		for i := range min(s.at+1, len(s.line)) {
			s.line[i] = inkCell{text: " "}
		}
	case 2:
		s.line = s.line[:0]
	}
}

// newline finishes the line being written.
func (s *scroll) newline() {
	s.lines = append(s.lines, renderInk(s.line))
	s.line, s.at = s.line[:0], 0
	// Letting go a tenth at a time keeps the copying rare.
	if len(s.lines) > maxLines+maxLines/10 {
		cut := len(s.lines) - maxLines
		s.lines = append([]string(nil), s.lines[cut:]...)
		s.dropped += cut
	}
}

// Last returns the line being written, or "" when there is none.
func (s *scroll) Last() string { return renderInk(s.line) }

// IsMultiline reports whether there is more than one line.
func (s *scroll) IsMultiline() bool {
	return len(s.lines) > 1 || len(s.lines) == 1 && len(s.line) > 0
}

// Lines returns every line, the one being written included.
func (s *scroll) Lines() []string {
	if len(s.line) == 0 {
		return s.lines
	}
	return append(s.lines[:len(s.lines):len(s.lines)], s.Last())
}

// renderInk joins the characters of a line; colours end where the line ends.
func renderInk(line []inkCell) string {
	var b strings.Builder
	var pen uv.Style
	for i := range line {
		if !line[i].pen.Equal(&pen) {
			b.WriteString(line[i].pen.Diff(&pen))
			pen = line[i].pen
		}
		b.WriteString(line[i].text)
	}
	if !pen.IsZero() {
		b.WriteString(ansi.ResetStyle)
	}
	return b.String()
}

// cleanLines returns text as lines that are safe to show.
func cleanLines(text string) []string {
	var s scroll
	s.Write(text)
	return s.Lines()
}

// wrap breaks a line at width cells, as a terminal would. Colours go on in
// every part and end with it.
func wrap(line string, width int) []string {
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	return selfContained(ansi.Hardwrap(line, width, true))
}

// wrapWords breaks a line of prose at width cells, between words where it can.
func wrapWords(line string, width int) []string {
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	return selfContained(ansi.Wrap(line, width, ""))
}

// selfContained splits text into lines each of which carries its own colours.
func selfContained(text string) []string {
	var b strings.Builder
	w := lipgloss.NewWrapWriter(&b)
	_, _ = w.Write([]byte(text)) // a strings.Builder takes everything
	_ = w.Close()
	return strings.Split(b.String(), "\n")
}
