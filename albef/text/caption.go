package text

import (
	"strings"
	"unicode/utf8"
)

// PreCaption cleans a caption up as the official data sets do: lower case,
// without ,.'!?"()*#:;~, with spaces for - and /, "person" for "<person>", one
// space for two and more white-space characters, none at the ends, and cut to
// maxWords words. maxWords <= 0 cuts nothing.
func PreCaption(s string, maxWords int) string {
	s = strings.ReplaceAll(clean(s), "<person>", "person")
	s = collapseSpaces(s)
	// Line feeds go before spaces, so that one before a last space stays.
	s = strings.Trim(strings.TrimRight(s, "\n"), " ")
	return cutWords(s, maxWords)
}

// PreQuestion cleans a question up as the official VQA data set does: like
// [PreCaption], but "<person>" and white space stay as they are, except for
// spaces at the end. Two spaces have an empty word between them that counts
// among maxWords.
func PreQuestion(s string, maxWords int) string {
	return cutWords(strings.TrimRight(clean(s), " "), maxWords)
}

// clean lower-cases s, removes signs, and makes spaces of hyphens and slashes.
func clean(s string) string {
	s = lower(s)
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; c {
		case ',', '.', '\'', '!', '?', '"', '(', ')', '*', '#', ':', ';', '~':
		case '-', '/':
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// collapseSpaces replaces runs of two and more white-space characters by one
// space. A single one stays what it is.
func collapseSpaces(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	run, runStart := 0, 0
	for i := 0; i <= len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if n > 0 && isPythonSpace(r) {
			if run == 0 {
				runStart = i
			}
			run++
			i += n
			continue
		}
		if run == 1 {
			b.WriteString(s[runStart:i])
		} else if run > 1 {
			b.WriteByte(' ')
		}
		run = 0
		b.WriteString(s[i : i+n])
		i += max(n, 1)
	}
	return b.String()
}

// isPythonSpace reports whether \s of Python's re matches r.
func isPythonSpace(r rune) bool {
	switch {
	case '\t' <= r && r <= '\r', 0x1c <= r && r <= ' ':
		return true
	case r < 0x80:
		return false
	}
	return r == '\u0085' || isSpace(r)
}

// cutWords returns the first n words of s, separated by single spaces.
func cutWords(s string, n int) string {
	if n <= 0 {
		return s
	}
	for i := range len(s) {
		if s[i] != ' ' {
			continue
		}
		if n--; n == 0 {
			return s[:i]
		}
	}
	return s
}
