package data

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
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
}

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
	}
	s.index++
	if c != '{' {
		return fmt.Errorf("record %d begins with %q, want an object, {...}", s.index, c)
	}
	return s.object()
}

// object reads up to the brace that closes the one just read.
func (s *recordScanner) object() error {
	s.record, s.recordLine = append(s.record[:0], '{'), s.line
	depth, quoted, escaped := 1, false, false
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
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

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
