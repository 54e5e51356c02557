package session

import (
	"strings"

	"vlab/repl/session/widgets"
)

// Output receives what a cell shows while it runs. Calls come one at a time,
// from a goroutine of the session, in the order in which the cell did them. What
// goroutines of a cell print or show after its Eval has returned is still
// delivered to that cell's Output, until the next Eval begins.
type Output interface {
	// Stream receives printed text; name is "stdout" or "stderr". A character
	// is never cut in two.
	Stream(name, text string)
	// Display receives a value shown before the cell's end.
	Display(d Display)
	// ClearOutput asks for what the cell has shown so far to be removed, at
	// once, or with wait when the next output arrives.
	ClearOutput(wait bool)
	// Input asks the person for a line; password means that it must not be
	// shown. An error ends the cell's read with that error.
	Input(prompt string, password bool) (string, error)
}

// CommOutput is an [Output] of a front end that has widgets. What they say may come
// after the cell's end, as all else does.
type CommOutput interface {
	Output
	// Comm receives a message of a comm.
	Comm(c Comm)
}

// Comm is a message of a comm between a widget and a front end.
type Comm = widgets.Comm

// Display is one shown value.
type Display struct {
	// Data holds the value in one or more forms: mime type to a string for
	// text (JSON too), or to a []byte for what is binary, such as image/png.
	Data map[string]any
	// Metadata holds details by mime type, such as a picture's width; nil
	// for none.
	Metadata map[string]any
	// ID names the display for later updates; empty for one never updated.
	ID string
	// Update says that the display replaces the earlier one with its ID.
	Update bool
}

// Result is the value of a cell.
type Result struct {
	// Count is the cell's number, from 1; it starts anew with Reset only.
	Count int
	// Data holds the value of the last expression as [Display] does; nil when
	// the cell has none.
	Data map[string]any
	// Metadata is as in [Display].
	Metadata map[string]any
	// Page says that Data is what a question such as `?name` asked for, which
	// front ends with a pager show there.
	Page bool
}

// CellError is an error of the user's: one that the check of the cell found,
// one that it stopped with, a panic, an interrupt, or the end of the session.
type CellError struct {
	// Name says the kind: "compile error", "error", "panic", "interrupted"
	// or "session ended".
	Name string
	// Value is the message, one line as a rule.
	Value string
	// Traceback holds lines to show below the message: the cell's line with
	// a caret, then the calls that led to it.
	Traceback []string
	// Line and Col, from 1, name the place in the cell; 0 when unknown.
	Line, Col int
	// Restarted says that the session had to be started anew, so that its
	// variables are gone; Lost names them, sorted.
	Restarted bool
	Lost      []string
}

// Error returns the kind, the message and what is lost, on one line.
func (e *CellError) Error() string {
	var b strings.Builder
	b.WriteString(e.Name)
	b.WriteString(": ")
	b.WriteString(e.Value)
	if e.Restarted && len(e.Lost) > 0 {
		b.WriteString(" (lost: " + strings.Join(e.Lost, ", ") + ")")
	}
	return b.String()
}

// Hint says what to do about a session that had to be started anew; it is empty
// for other errors.
func (e *CellError) Hint() string {
	if e.Restarted {
		return "run the cells that define what is lost again"
	}
	return ""
}

// Completion is what may stand at a place in a cell: each of Matches may replace
// the bytes from Start to End.
type Completion struct {
	Start, End int
	Matches    []Match
}

// Match is a choice: a variable, constant, function, method, field, type, package,
// keyword, command or file, which Kind says; with its type or signature, and the
// first sentence of its doc comment, where they are known.
type Match struct {
	Text, Kind, Type, Doc string
}

// Signature is that of a function: Text[Start:End] is the parameter that the argument
// at hand is for, and Doc is the first sentence of its doc comment.
type Signature struct {
	Text       string
	Start, End int
	Doc        string
}
