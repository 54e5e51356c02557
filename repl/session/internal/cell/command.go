package cell

import (
	"regexp"
	"strings"
)

// Segment is a part of a cell: Go, or a command with what stands behind its name.
// Lines of both may take turns.
type Segment struct {
	Start, End int
	Name       string // "" for Go, "!" for a line of the shell, "?" for a question
	Args       string
	Body       string // of a command that takes the rest of the cell, as %%bash
	Whole      bool   // the command was written with two signs
}

var (
	lineCommand = regexp.MustCompile(`^%(\w+)[ \t]*(.*)$`)
	cellCommand = regexp.MustCompile(`^%%(\w+)[ \t]*(.*)$`)
	question    = regexp.MustCompile(`^(?:\?{1,2}[ \t]*([\w.]+)|([\w.]+)\?{1,2})$`)
	shellLine   = regexp.MustCompile(`^!!?[ \t]*([\w./~$"'{(-].*)$`)
	leadingName = regexp.MustCompile(`^!!?\(*(\w+)`)
)

// packageLine is a program's first line.
var packageLine = regexp.MustCompile(`^package \w+$`)

// ignored are lines that say nothing here: a program's package, and commands by which
// in GoNB what follows is the body of main.
func ignored(line string) bool {
	if packageLine.MatchString(line) {
		return true
	}
	return line == "%%" || line == "%main" || strings.HasPrefix(line, "%% ") || strings.HasPrefix(line, "%main ")
}

// Segments parts a cell into Go and commands; one without commands is one segment.
// known tells the names that a cell may speak of: `!done` is Go where done is one.
func Segments(src string, known func(string) bool) []Segment {
	if !strings.ContainsAny(src, "%!?") && !strings.Contains(src, "package ") {
		return []Segment{{Start: 0, End: len(src)}}
	}
	var list []Segment
	begin := 0 // of the Go that is being read
	code := func(end int) {
		if strings.TrimSpace(src[begin:end]) != "" {
			list = append(list, Segment{Start: begin, End: end})
		}
	}
	for at := 0; at < len(src); {
		end := len(src)
		if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i
		}
		next := min(end+1, len(src))
		line := strings.TrimSpace(src[at:end])
		s, ok := command(line, func(name string) bool { return known(name) || speaksOf(src[:at], name) })
		if ok && !opens(src[begin:at]) {
			code(at)
			s.Start, s.End = at, end
			if s.Whole {
				s.Body, s.End = src[next:], len(src)
				return append(list, s)
			}
			if s.Name != "" {
				list = append(list, s)
			}
			begin = next
		}
		if next == at {
			break
		}
		at = next
		if end == len(src) {
			break
		}
	}
	code(len(src))
	return list
}

// speaksOf reports whether a name stands in text.
func speaksOf(text, name string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}

// opens reports whether Go goes on behind text: a bracket, a comment or a raw
// string is open.
func opens(text string) bool {
	depth, open := openings(text)
	return depth > 0 || open
}

// command reads a line as a command.
func command(line string, known func(string) bool) (Segment, bool) {
	if line == "" || !strings.ContainsAny(line[:1]+line[len(line)-1:], "%!?") && !packageLine.MatchString(line) {
		return Segment{}, false
	}
	if ignored(line) {
		return Segment{}, true
	}
	if m := cellCommand.FindStringSubmatch(line); m != nil {
		return Segment{Name: m[1], Args: strings.TrimSpace(m[2]), Whole: true}, true
	}
	if m := lineCommand.FindStringSubmatch(line); m != nil {
		return Segment{Name: m[1], Args: strings.TrimSpace(m[2])}, true
	}
	if m := question.FindStringSubmatch(line); m != nil {
		return Segment{Name: "?", Args: m[1] + m[2]}, true
	}
	if m := shellLine.FindStringSubmatch(line); m != nil {
		if name := leadingName.FindStringSubmatch(line); name == nil || !known(name[1]) {
			return Segment{Name: "!", Args: m[1]}, true
		}
	}
	return Segment{}, false
}

// Masked returns src with all but the bytes from start to end blanked out, so that
// offsets and lines stay.
func Masked(src string, start, end int) string {
	b := []byte(src)
	for i, ch := range b {
		if (i < start || i >= end) && ch != '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}
