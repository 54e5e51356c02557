package repl

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func TestScrollReadsLikeATerminal(t *testing.T) {
	tests := []struct {
		name   string
		writes []string
		want   []string
	}{
		{"lines", []string{"a\nb\n"}, []string{"a", "b"}},
		{"unfinished line", []string{"a\nb"}, []string{"a", "b"}},
		{"in pieces", []string{"a", "b\nc", "\n"}, []string{"ab", "c"}},
		{"carriage return overwrites", []string{"12345\rab"}, []string{"ab345"}},
		{"carriage return and newline", []string{"a\r\nb"}, []string{"a", "b"}},
		{"erase to the end", []string{"12345\rab\x1b[K"}, []string{"ab"}},
		{"erase the line", []string{"12345\x1b[2K\rab"}, []string{"ab"}},
		{"backspace", []string{"abc\b\bX"}, []string{"aXc"}},
		{"tab", []string{"a\tb\tc"}, []string{"a       b       c"}},
		{"columns", []string{"abc\x1b[1GX\x1b[2CY"}, []string{"Xbc Y"[:3] + "Y"}},
		{"colour ends with its line", []string{"\x1b[31mred\nstill\x1b[0m no"}, []string{"\x1b[31mred\x1b[m", "\x1b[31mstill\x1b[m no"}},
		{"sequence cut in two", []string{"a\x1b[3", "1mb"}, []string{"a\x1b[31mb\x1b[m"}},
		{"sequences that move or ask are dropped", []string{"\x1b[2J\x1b[Ha\x1b]0;title\x07b\x1b[6nc\x07\x00"}, []string{"abc"}},
		{"private sequences are dropped", []string{"\x1b[?1049ha\x1b[>4;2mb"}, []string{"ab"}},
		{"wide", []string{"日本\n"}, []string{"日本"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s scroll
			for _, w := range tt.writes {
				s.Write(w)
			}
			if d := cmp.Diff(tt.want, s.Lines()); d != "" {
				t.Errorf("%q (-want +got):\n%s", tt.writes, d)
			}
		})
	}
}

func TestScrollBreaksEndlessLines(t *testing.T) {
	var s scroll
	s.Write(strings.Repeat("x", 3*maxLineCells))
	if got := len(s.Lines()); got != 3 {
		t.Errorf("got %d lines, want 3", got)
	}
}

func TestWrapKeepsColours(t *testing.T) {
	got := wrap("\x1b[31mabcdef\x1b[m", 4)
	for i, want := range []string{"abcd", "ef"} {
		if ansi.Strip(got[i]) != want || !strings.HasPrefix(got[i], "\x1b[31m") || !strings.HasSuffix(got[i], "\x1b[m") {
			t.Errorf("part %d: got %q, want %q in red", i, got[i], want)
		}
	}
}

func FuzzScroll(f *testing.F) {
	for _, seed := range []string{"a\rb\x1b[K\n", "\x1b[31m\t日\b\x1b[", "\x1b[99999999C.", "\x1b]0;\x1b\\", "\xff\xc3"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var s scroll
		if cut > 0 && cut < len(text) {
			s.Write(text[:cut])
			text = text[cut:]
		}
		s.Write(text)
		for _, line := range s.Lines() {
			plain := ansi.Strip(line)
			if i := strings.IndexFunc(plain, func(r rune) bool { return unicode.IsControl(r) }); i >= 0 {
				t.Errorf("%q holds a control character", line)
			}
			for _, part := range wrap(line, 10) {
				if w := ansi.StringWidth(part); w > 10 {
					t.Errorf("%q is %d cells wide, want at most 10", part, w)
				}
			}
		}
	})
}
