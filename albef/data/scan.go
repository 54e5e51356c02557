package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// recordScanner cuts a json list of objects, or a file with an object a line,
// into its objects without holding more than one of them, and knows the line
// each begins on.
type recordScanner struct {
	in     *bufio.Reader
	line   int // of the next byte, from 1
	opened bool
	bare   bool // objects without a list around them
	closed bool
	index  int // of record, from 0

	record     []byte
	recordLine int
	keys       []keySpan // of the record's own keys, in order
}

// keySpan is where a key stands in a record, between its quotes.
type keySpan struct{ from, to int }

func newRecordScanner(r io.Reader) *recordScanner {
	return &recordScanner{in: bufio.NewReaderSize(r, 1<<18), line: 1, index: -1}
}

// next advances to the next object; it returns io.EOF after the last one. The
// bytes in s.record are valid until the next call and not yet known to be json.
func (s *recordScanner) next() error {
	if s.closed {
		return io.EOF
	}
	c, err := s.skipSpace()
	if err == io.ErrUnexpectedEOF && s.bare { //nolint:errorlint // between objects it comes unwrapped
		s.closed = true
		return io.EOF
	}
	if err != nil {
		return err
	}
	if !s.opened {
		if err := s.checkEncoding(c); err != nil {
			return err
		}
	}
	if s.bare = s.bare || !s.opened && c == '{'; s.bare {
		s.opened = true
	} else if !s.opened {
		if c != '[' {
			return fmt.Errorf("the file begins with %q, want a list of records, [{...}, ...], or a record a line", c)
		}
		s.opened = true
		if c, err = s.skipSpace(); err != nil {
			return err
		}
		if c == ']' {
			return s.finish()
		}
	} else {
		switch c {
		case ']':
			return s.finish()
		case ',':
		default:
			return fmt.Errorf("found %q after record %d, want a comma or ]", c, s.index)
		}
		if c, err = s.skipSpace(); err != nil {
			return err
		}
		if c == ']' {
			return fmt.Errorf("found a comma after record %d, the last of the list", s.index)
		}
	}
	s.index++
	if c != '{' {
		return fmt.Errorf("record %d begins with %q, want an object, {...}", s.index, c)
	}
	return s.object()
}

// object reads up to the brace that closes the one just read.
func (s *recordScanner) object() error {
	s.record, s.recordLine, s.keys = append(s.record[:0], '{'), s.line, s.keys[:0]
	depth, quoted, escaped := 1, false, false
	var last keySpan // the last text
	for depth > 0 {
		c, err := s.byte()
		if err != nil {
			return err
		}
		s.record = append(s.record, c)
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
			last.to = len(s.record) - 1
		case c == '"':
			quoted, last.from = true, len(s.record)
		case c == ':' && depth == 1:
			s.keys = append(s.keys, last)
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// fewKeys is how many keys are compared one by one: a map for every record
// would take longer.
const fewKeys = 16

// check reports what of a record is valid json for Go's decoder, and a mistake
// nevertheless: a key that comes twice, and bytes that are no UTF-8.
func (s *recordScanner) check() error {
	var seen map[string]bool
	if len(s.keys) > fewKeys {
		seen = map[string]bool{}
	}
	for i, k := range s.keys {
		name := s.record[k.from:k.to]
		twice := seen[string(name)]
		if seen == nil {
			twice = slices.ContainsFunc(s.keys[:i], func(o keySpan) bool { return bytes.Equal(s.record[o.from:o.to], name) })
		} else {
			seen[string(name)] = true
		}
		if twice {
			return &placedError{&keyError{string(name), "comes twice"}, k.from}
		}
	}
	if utf8.Valid(s.record) {
		return nil
	}
	at := invalidUTF8(s.record)
	return &placedError{&keyError{s.keyAt(at), "holds bytes that are no UTF-8"}, at}
}

// invalidUTF8 returns where b stops being UTF-8.
func invalidUTF8(b []byte) int {
	for at := 0; at < len(b); {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
	return len(b)
}

// keyAt returns the key whose value, or name, holds the byte at.
func (s *recordScanner) keyAt(at int) string {
	name := ""
	for _, k := range s.keys {
		if k.from <= at {
			name = string(s.record[k.from:k.to])
		}
	}
	return strings.ToValidUTF8(name, "?")
}

// offsetOf returns where a key stands in the record, 0 if it has none of that
// name.
func (s *recordScanner) offsetOf(key string) int {
	for _, k := range s.keys {
		if string(s.record[k.from:k.to]) == key {
			return k.from
		}
	}
	return 0
}

// checkEncoding tells UTF-16 by the first byte of a file, or by the zero after
// it.
func (s *recordScanner) checkEncoding(first byte) error {
	next, _ := s.in.Peek(1)
	if first == 0xff || first == 0xfe || len(next) > 0 && next[0] == 0 {
		return errUTF16
	}
	return nil
}

var errUTF16 = errors.New("the file is UTF-16, want UTF-8")

// finish checks that nothing follows the list.
func (s *recordScanner) finish() error {
	s.closed = true
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return err // io.EOF is what is hoped for
		}
		if c == '\n' {
			s.line++
		}
		if !isSpace(c) {
			return fmt.Errorf("found %q after the end of the list", c)
		}
	}
}

func (s *recordScanner) skipSpace() (byte, error) {
	if !s.opened {
		if mark, _ := s.in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
			_, _ = s.in.Discard(3) // a byte order mark that was just seen
		}
	}
	for {
		if s.bare {
			if _, err := s.in.Peek(1); err == io.EOF {
				return 0, io.ErrUnexpectedEOF
			}
		}
		c, err := s.byte()
		if err != nil || !isSpace(c) {
			return c, err
		}
	}
}

func (s *recordScanner) within() string {
	if s.bare {
		return "a record"
	}
	return "the list"
}

func (s *recordScanner) byte() (byte, error) {
	c, err := s.in.ReadByte()
	if err == io.EOF {
		return 0, fmt.Errorf("the file ends in the middle of %s: %w", s.within(), io.ErrUnexpectedEOF)
	}
	if c == '\n' {
		s.line++
	}
	return c, err
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
