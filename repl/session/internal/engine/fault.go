package engine

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/types"
	"regexp"
	"strconv"
	"strings"

	"vlab/repl/session/internal/cell"
)

// The kinds of faults, as the front names them.
const (
	compileFault   = "compile error"
	errorFault     = "error"
	panicFault     = "panic"
	interruptFault = "interrupted"
)

// Fault is an error of the user's, with its place in the cell.
type Fault struct {
	Name, Value string
	Traceback   []string
	Line, Col   int
}

// Error returns the kind and the message.
func (f *Fault) Error() string { return f.Name + ": " + f.Value }

// faultAt makes a compile error at an offset of the cell's text.
func faultAt(value, src string, offset int) *Fault {
	line, col := cell.Position(src, offset)
	return &Fault{Name: compileFault, Value: value, Line: line, Col: col, Traceback: cell.Excerpt(src, line, col)}
}

// syntaxFault turns a parser's error into a fault; base is subtracted from its
// offsets.
func syntaxFault(err error, src string, base, limit int) *Fault {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return &Fault{Name: compileFault, Value: err.Error()}
	}
	offset := min(list[0].Pos.Offset-base, limit)
	return faultAt("syntax error: "+list[0].Msg, src, offset)
}

// isSoft reports whether an error of go/types is no error in a cell.
func isSoft(e types.Error) bool {
	return strings.HasPrefix(e.Msg, "declared and not used") ||
		strings.HasSuffix(e.Msg, "declared and not used") ||
		strings.HasSuffix(e.Msg, "imported and not used") ||
		strings.Contains(e.Msg, " imported as ") && strings.HasSuffix(e.Msg, "and not used") ||
		strings.HasSuffix(e.Msg, " is not used") ||
		strings.HasPrefix(e.Msg, "initialization cycle") ||
		// Each piece is checked in a package of its own, all of them main.
		strings.HasPrefix(e.Msg, "implicit assignment to unexported field") && ownStruct.MatchString(e.Msg)
}

// ownStruct matches the end of a message about a structure of the cells' own.
var ownStruct = regexp.MustCompile(`of type (main\.|struct\{)`)

// hint returns the hint that an error carries, as a line below it.
func hint(err error) []string {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return []string{"hint: " + h.Hint()}
	}
	return nil
}

// ownPosition is what the interpreter puts before some messages.
var ownPosition = regexp.MustCompile(`^\d+:\d+: `)

// marked matches the mark of a structure of cells, see distinguish.
var marked = regexp.MustCompile(`\b` + tagKey + `:\\?"(\d+)`)

// withNames writes the names of cells' structures in the place of what they are
// compiled to, as compiled code's messages have it.
func (d *ownTypes) withNames(msg string) string {
	const begin = "struct {"
	// The last ones first: they have no others within.
	for from := len(msg); ; {
		at := strings.LastIndex(msg[:from], begin)
		if at < 0 {
			return msg
		}
		from = at
		end, depth := at+len(begin), 1
		for ; end < len(msg) && depth > 0; end++ {
			switch msg[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		m := marked.FindStringSubmatch(msg[at:end])
		if m == nil {
			continue
		}
		if k, err := strconv.Atoi(m[1]); err == nil && k >= 1 && k <= len(d.tagged) {
			msg = msg[:at] + "main." + d.tagged[k-1] + msg[end:]
		}
	}
}

// describePanic returns the message of a panic in Go's words where the
// interpreter, which works by reflection, has its own.
func describePanic(v any) string {
	if s, ok := v.(shapedValue); ok { // Go prints a Stringer by its method, as %v does
		return fmt.Sprintf("%v", s)
	}
	msg := ownPosition.ReplaceAllString(fmt.Sprint(v), "")
	for _, t := range []struct{ sign, want string }{
		{"on zero Value", "runtime error: invalid memory address or nil pointer dereference"},
		{"slice index out of bounds", "runtime error: slice bounds out of range"},
		{"string slice index out of bounds", "runtime error: slice bounds out of range"},
		{"MakeSlice: negative len", "runtime error: makeslice: len out of range"},
		{"MakeSlice: negative cap", "runtime error: makeslice: cap out of range"},
		{"index out of range", "runtime error: index out of range"},
		{"send on closed channel", "send on closed channel"},
		{"nil map", "assignment to entry in nil map"},
		{"call of nil function", "runtime error: invalid memory address or nil pointer dereference"},
		{"using nil *", "runtime error: invalid memory address or nil pointer dereference"},
		{"using value obtained using unexported field", "unexported fields cannot be reached from compiled code"},
	} {
		if strings.HasPrefix(msg, "reflect") && strings.Contains(msg, t.sign) {
			return t.want
		}
	}
	if strings.HasSuffix(msg, "allocation size out of range") {
		return "runtime error: makeslice: len out of range"
	}
	return msg
}
