package session

import (
	"bytes"
	"regexp"
	"strings"
)

// obituary reads a child's standard error for the words with which a process dies.
// It notes the first and drops the dump of goroutines that the Go runtime writes
// after some, whatever GOTRACEBACK says. The zero obituary is ready for use.
type obituary struct {
	cause   string
	line    []byte // the line so far
	dumping bool
}

// lastWords are how the lines begin that say why a process dies.
var lastWords = regexp.MustCompile(`^(fatal error: |panic: |SIG[A-Z]+: |terminate called )`)

// dumpStart begins the runtime's dump.
var dumpStart = regexp.MustCompile(`^(runtime stack:|goroutine \d+ .*\[.*\]:)$`)

// longestLine is how much of a line is kept to tell what it is, in bytes.
const longestLine = 1 << 10

// filter returns the part of text that a user is to see.
func (o *obituary) filter(text []byte) []byte {
	var seen []byte
	for len(text) > 0 && !o.dumping {
		part := text
		end := bytes.IndexByte(text, '\n')
		if end >= 0 {
			part = text[:end+1]
		}
		text = text[len(part):]
		o.line = append(o.line, part[:min(len(part), max(longestLine-len(o.line), 0))]...)
		if end < 0 {
			return append(seen, part...)
		}
		o.read(strings.TrimRight(string(o.line), "\r\n"))
		o.line = o.line[:0]
		if !o.dumping {
			seen = append(seen, part...)
		}
	}
	return seen
}

// read looks at a whole line.
func (o *obituary) read(line string) {
	switch {
	case o.cause == "" && lastWords.MatchString(line):
		o.cause = line
	case o.cause != "" && dumpStart.MatchString(line):
		o.dumping = true
	}
}
