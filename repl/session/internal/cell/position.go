package cell

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Position returns the line and the column, both from 1, of a byte offset; the
// column counts characters. Offsets outside src are moved to its nearest end.
func Position(src string, offset int) (line, col int) {
	offset = min(max(offset, 0), len(src))
	before := src[:offset]
	line = strings.Count(before, "\n") + 1
	start := strings.LastIndexByte(before, '\n') + 1
	return line, utf8.RuneCountInString(before[start:]) + 1
}

// Excerpt returns the line at a position with its number, and below it a caret
// under the column.
func Excerpt(src string, line, col int) []string {
	lines := strings.Split(src, "\n")
	if line < 1 || line > len(lines) {
		return nil
	}
	text := strings.TrimRight(lines[line-1], "\r")
	head := strconv.Itoa(line) + " | "
	var pad strings.Builder
	for i, r := range []rune(text) {
		if i >= col-1 {
			break
		}
		if r == '\t' {
			pad.WriteByte('\t') // a tab keeps its width below itself
		} else {
			pad.WriteByte(' ')
		}
	}
	return []string{head + text, strings.Repeat(" ", len(head)-2) + "| " + pad.String() + "^"}
}
