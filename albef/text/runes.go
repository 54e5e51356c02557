package text

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// isDropped reports whether a character outside ASCII vanishes: controls,
// format characters, private use, what Unicode doesn't assign, and U+FFFD,
// which also stands for bytes that are not UTF-8.
func isDropped(r rune) bool {
	return r == '\uFFFD' || !unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029'
}

// isSpace reports whether a character outside ASCII that isn't dropped
// separates words.
func isSpace(r rune) bool {
	return r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Zs, r)
}

// isIdeograph reports whether BERT takes r as a word of its own. The ranges
// are BERT's: newer extensions, Hangul and Kana are not among them.
func isIdeograph(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4DBF, 0x4E00 <= r && r <= 0x9FFF, 0xF900 <= r && r <= 0xFAFF:
		return true
	case 0x20000 <= r && r <= 0x2A6DF, 0x2A700 <= r && r <= 0x2CEAF, 0x2F800 <= r && r <= 0x2FA1F:
		return true
	}
	return false
}

// isPunct reports whether r is a word of its own as punctuation: all of
// ASCII's signs, '$' and '^' too, and Unicode's category P.
func isPunct(r rune) bool {
	if r < 0x80 {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.IsPunct(r)
}

// lowerRune returns r in lower case where that is one character. Of the only
// longer one, U+0130 with its dot above, it leaves out the dot, an accent.
func lowerRune(r rune) rune { return unicode.ToLower(r) }

// Hangul syllables are composed by arithmetic (Unicode, section 3.12).
const (
	hangulFirst, hangulLast                = 0xAC00, 0xD7A3
	leadFirst, vowelFirst, tailBefore rune = 0x1100, 0x1161, 0x11A7
	vowels, tails                     rune = 21, 28
)

// decompose appends the canonical decomposition of r to dst, r itself if it
// has none. Marks keep their order.
func decompose(dst []rune, r rune) []rune {
	if hangulFirst <= r && r <= hangulLast {
		i := r - hangulFirst
		dst = append(dst, leadFirst+i/(vowels*tails), vowelFirst+i/tails%vowels)
		if i%tails != 0 {
			dst = append(dst, tailBefore+i%tails)
		}
		return dst
	}
	d := properties(r).Decomposition()
	if d == nil {
		return append(dst, r)
	}
	return append(dst, []rune(string(d))...)
}

// combiningClass returns the canonical combining class of r, 0 for a starter.
func combiningClass(r rune) uint8 { return properties(r).CCC() }

func properties(r rune) norm.Properties { return norm.NFD.PropertiesString(string(r)) }
