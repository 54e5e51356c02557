package repl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vlab/repl/session"

	"github.com/charmbracelet/x/ansi"
)

// blockState says how far a cell is.
type blockState int

const (
	queued  blockState = iota // waits for the cells before it
	running                   // is being run
	done                      // ended well
	failed                    // ended with an error
	skipped                   // never run, since a cell before it failed
)

// block is one cell of the transcript with all that it showed.
type block struct {
	id     int // never changes; number does when the session counts anew
	number int
	code   string
	state  blockState
	items  []*item
	wait   bool // the next output replaces what is there
	asking bool // the input below it belongs to it
	start  time.Time
	rows   []string // laid out; nil when it must be done again
}

// item is one thing in a block's output: text, or a picture.
type item struct {
	stream  string // the stream's name when it is printed text
	id      string // the display's ID, for updates
	text    *scroll
	picture []byte
	alt     string   // what stands for the picture until it is drawn
	drawn   []string // the picture's rows, for size
	size    cells
	look    look
	head    string // what stands before the first line, such as Out[1]:

	// What is laid out already, so that only what is new has to be.
	rows    []string
	settled int // rows of finished lines; those after them may still change
	seen    int // finished lines that are in rows
	width   int // the width of rows
	dropped int // text.dropped when rows were begun
}

// look is the style that an item's text has where it brings none of its own.
type look int

const (
	plainLook look = iota
	stderrLook
	errorLook
	noteLook
)

// print adds printed text to the block.
func (b *block) print(stream, text string) {
	b.clearIfDue()
	b.rows = nil
	if n := len(b.items); n > 0 && b.items[n-1].stream == stream {
		b.items[n-1].text.Write(text)
		return
	}
	it := &item{stream: stream, text: &scroll{}}
	if stream == "stderr" {
		it.look = stderrLook
	}
	it.text.Write(text)
	b.items = append(b.items, it)
}

// note adds a line of the program's own.
func (b *block) note(l look, text string) {
	b.rows = nil
	it := &item{text: &scroll{}, look: l}
	it.text.Write(text)
	b.items = append(b.items, it)
}

// show adds a value to the block. A table that comes with a picture, such as the
// peaks of a grounding, stands below it: half blocks don't show what is written
// in the picture.
func (b *block) show(data map[string]any, id string) *item {
	b.clearIfDue()
	b.rows = nil
	it := &item{id: id}
	it.set(data)
	b.items = append(b.items, it)
	if text, ok := data["text/plain"].(string); ok && it.picture != nil && id == "" && strings.Contains(text, "\n") {
		b.note(plainLook, text)
	}
	return it
}

// clear removes what the block has shown, now or when more arrives.
func (b *block) clear(wait bool) {
	b.wait = wait
	if !wait {
		b.items, b.rows = nil, nil
	}
}

func (b *block) clearIfDue() {
	if b.wait {
		b.clear(false)
	}
}

// set makes the item show a value.
func (it *item) set(data map[string]any) {
	it.rows, it.settled, it.seen = nil, 0, 0
	if raw, ok := pictureOf(data); ok {
		it.picture, it.text, it.size = raw, nil, cells{}
		it.alt = "(a picture)"
		if text, ok := data["text/plain"].(string); ok {
			it.alt = "(a picture: " + strings.Join(cleanLines(text), " ") + ")"
		}
		return
	}
	text, ok := plainText(data)
	it.picture, it.drawn, it.text, it.look = nil, nil, &scroll{}, plainLook
	if !ok {
		it.look = noteLook
	}
	it.text.Write(text)
}

// plainText returns the form of a value that reads best in a terminal. When it
// has none, ok is false and text says what there is.
func plainText(data map[string]any) (text string, ok bool) {
	for _, mime := range []string{"text/plain", "text/markdown", "text/latex", "application/json"} {
		switch v := data[mime].(type) {
		case string:
			return strings.TrimRight(v, "\n"), true
		case []byte:
			return strings.TrimRight(string(v), "\n"), true
		}
	}
	return "(a value of " + strings.Join(sortedKeys(data), ", ") + ", which a terminal cannot show)", false
}

// fail adds the error that a cell ended with.
func (b *block) fail(err error) {
	b.rows = nil
	var cell *session.CellError
	if !errors.As(err, &cell) {
		b.note(errorLook, err.Error())
		return
	}
	head := cell.Name
	if cell.Line > 0 {
		head += fmt.Sprintf(" (line %d)", cell.Line)
	}
	if cell.Value != "" && cell.Value != cell.Name {
		head += ": " + cell.Value
	}
	b.note(errorLook, head)
	if len(cell.Traceback) > 0 {
		b.note(plainLook, strings.Join(cell.Traceback, "\n"))
	}
	if cell.Restarted {
		b.note(noteLook, "The next cell runs in a new session.")
		if len(cell.Lost) > 0 {
			b.note(noteLook, "Lost: "+strings.Join(cell.Lost, ", ")+". Run the cells that define them again.")
		}
	}
}

// layout returns the block's rows for a width. It keeps them until the block or
// the width changes.
func (b *block) layout(s styles, width int) []string {
	if b.rows != nil {
		return b.rows
	}
	rows := b.echo(s, width)
	for _, it := range b.items {
		rows = append(rows, it.layout(s, width)...)
	}
	if !b.asking {
		rows = append(rows, "")
	}
	b.rows = rows
	return b.rows
}

// echo returns the rows of the cell's code behind its prompt.
func (b *block) echo(s styles, width int) []string {
	prompt := inPrompt(b.number)
	rest := continuation(prompt)
	look := s.In
	if b.state == queued || b.state == skipped {
		prompt, look = "In [ ]: ", s.Faint
		rest = continuation(prompt)
	}
	lines := strings.Split(b.code, "\n")
	rows := make([]string, 0, len(lines))
	for i, line := range lines {
		head := look.Render(prompt)
		if i > 0 {
			head = s.Faint.Render(rest)
		}
		line = strings.Join(cleanLines(strings.ReplaceAll(line, "\t", "    ")), "")
		if b.state == skipped {
			line = s.Faint.Render(line)
		}
		rows = append(rows, wrap(head+line, width)...)
	}
	return rows
}

// layout returns the item's rows for a width. Only lines that came since the
// last time are laid out, so that a cell that prints a lot stays cheap.
func (it *item) layout(s styles, width int) []string {
	if it.text == nil {
		return it.pictureLayout(s, width)
	}
	if it.width != width || it.dropped != it.text.dropped {
		it.rows, it.settled, it.seen = nil, 0, 0
		it.width, it.dropped = width, it.text.dropped
	}
	it.rows = it.rows[:it.settled]
	if it.seen == 0 && it.dropped > 0 {
		it.rows = append(it.rows, s.Faint.Render(fmt.Sprintf("(%d earlier lines are gone)", it.dropped)))
	}
	for _, line := range it.text.lines[it.seen:] {
		it.rows = append(it.rows, it.line(s, line, len(it.rows) == 0, width)...)
	}
	it.seen, it.settled = len(it.text.lines), len(it.rows)
	if last := it.text.Last(); last != "" {
		it.rows = append(it.rows, it.line(s, last, len(it.rows) == 0, width)...)
	}
	return it.rows
}

// line returns one line of the item as rows.
func (it *item) line(s styles, line string, first bool, width int) []string {
	switch it.look {
	case plainLook:
	case stderrLook:
		line = tint(s.Stderr.Render, line)
	case errorLook:
		return wrapWords(tint(s.Error.Render, line), width)
	case noteLook:
		line = tint(s.Faint.Render, line)
		if it.head == "" {
			return wrapWords(line, width)
		}
	}
	if first && it.head != "" {
		if it.text.IsMultiline() {
			return append([]string{s.Out.Render(it.head)}, wrap(line, width)...)
		}
		line = s.Out.Render(it.head) + line
	}
	return wrap(line, width)
}

// tint colours a line that has no colours of its own.
func tint(render func(...string) string, line string) string {
	if line == "" || strings.Contains(line, "\x1b") {
		return line
	}
	return render(line)
}

// pictureLayout returns the rows of a picture, or a line that stands for it
// until it is drawn, for good where there are no colours to draw it with.
func (it *item) pictureLayout(s styles, width int) []string {
	var rows []string
	if it.head != "" {
		rows = append(rows, s.Out.Render(it.head))
	}
	if it.drawn == nil {
		return append(rows, wrap(s.Faint.Render(it.alt), width)...)
	}
	for _, row := range it.drawn {
		rows = append(rows, ansi.Truncate(row, width, ""))
	}
	return rows
}

// inPrompt is the prompt of a cell, such as "In [3]: ".
func inPrompt(n int) string { return fmt.Sprintf("In [%d]: ", n) }

// outPrompt is the prompt of a value, such as "Out[3]: ".
func outPrompt(n int) string { return fmt.Sprintf("Out[%d]: ", n) }

// continuation is the prompt of a cell's later lines, as wide as the first one's.
func continuation(prompt string) string {
	return strings.Repeat(" ", max(0, len(prompt)-len("...: "))) + "...: "
}
