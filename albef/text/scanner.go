package text

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// longestWord is the number of characters above which BERT takes a word as
// unknown without a look-up.
const longestWord = 100

// scanner walks over a text once: it drops control characters, lower-cases,
// decomposes, strips accents, splits at spaces, punctuation and ideographs,
// and appends the pieces of each word to ids.
type scanner struct {
	t     *Tokenizer
	src   string
	ids   []int
	limit int     // stop when there are as many ids; 0: don't
	words *[]Word // filled with the words; nil: not wanted

	word       []byte // the current word, normalised
	chars      int    // its length in characters
	start, end int    // its place in src
	marks      []mark // non-starters not yet in their canonical order
}

// mark is a character with a combining class other than 0.
type mark struct {
	r     rune
	class uint8
}

func (sc *scanner) run() {
	for i := 0; i < len(sc.src) && !sc.full(); {
		c := sc.src[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(sc.src[i:])
			sc.wide(r, i, i+n)
			i += n
			continue
		}
		if token, id := sc.t.specialAt(sc.src[i:]); token != "" {
			sc.flush()
			sc.addSpecial(token, id)
			i += len(token)
			continue
		}
		sc.ascii(c, i)
		i++
	}
	sc.flush()
}

func (sc *scanner) full() bool { return sc.limit > 0 && len(sc.ids) >= sc.limit }

// ascii takes in the character c at src[i].
func (sc *scanner) ascii(c byte, i int) {
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		sc.flush()
	case c < ' ' || c == 0x7f: // control characters vanish
	case 'A' <= c && c <= 'Z':
		sc.put(rune(c+'a'-'A'), i, i+1)
	default:
		sc.put(rune(c), i, i+1)
	}
}

// wide takes in a character outside ASCII at src[start:end].
func (sc *scanner) wide(r rune, start, end int) {
	switch {
	case isDropped(r):
	case isSpace(r):
		sc.flush()
	case isIdeograph(r):
		sc.flush()
		sc.decomposed(r, start, end)
		sc.flush()
	default:
		sc.decomposed(lowerRune(r), start, end)
	}
}

// decomposed takes in the canonical decomposition of r.
func (sc *scanner) decomposed(r rune, start, end int) {
	var buf [4]rune
	for _, d := range decompose(buf[:0], r) {
		if class := combiningClass(d); class != 0 {
			sc.marks = append(sc.marks, mark{d, class})
			sc.reach(start, end)
			continue
		}
		sc.put(d, start, end)
	}
}

// put takes in a starter: a normalised character with combining class 0.
func (sc *scanner) put(r rune, start, end int) {
	sc.settle()
	switch {
	case isPunct(r):
		sc.flush()
		sc.add(r, start, end)
		sc.flush()
	case r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r):
		sc.reach(start, end)
	default:
		sc.add(r, start, end)
	}
}

// settle appends the waiting marks in canonical order, without the accents:
// what stays are spacing marks.
func (sc *scanner) settle() {
	if len(sc.marks) == 0 {
		return
	}
	slices.SortStableFunc(sc.marks, func(a, b mark) int { return int(a.class) - int(b.class) })
	for _, m := range sc.marks {
		if !unicode.Is(unicode.Mn, m.r) {
			sc.add(m.r, sc.start, sc.end)
		}
	}
	sc.marks = sc.marks[:0]
}

// add appends r to the current word.
func (sc *scanner) add(r rune, start, end int) {
	sc.reach(start, end)
	sc.word = utf8.AppendRune(sc.word, r)
	sc.chars++
}

// reach makes the current word end at end, and start at start if it is new.
func (sc *scanner) reach(start, end int) {
	if len(sc.word) == 0 && len(sc.marks) <= 1 {
		sc.start = start
	}
	sc.end = end
}

// flush ends the current word.
func (sc *scanner) flush() {
	sc.settle()
	if len(sc.word) == 0 {
		return
	}
	first := len(sc.ids)
	sc.addPieces()
	sc.addWord(sc.src[sc.start:sc.end], first)
	sc.word, sc.chars = sc.word[:0], 0
}

func (sc *scanner) addSpecial(token string, id int) {
	sc.ids = append(sc.ids, id)
	sc.addWord(token, len(sc.ids)-1)
}

func (sc *scanner) addWord(text string, first int) {
	if sc.words != nil {
		*sc.words = append(*sc.words, Word{Text: text, First: first, Last: len(sc.ids) - 1})
	}
}

// addPieces appends the pieces of the current word, the longest match first,
// or [UNK] if some part of it has no match.
func (sc *scanner) addPieces() {
	if sc.chars > longestWord {
		sc.ids = append(sc.ids, sc.t.special.unk)
		return
	}
	before := len(sc.ids)
	rest := sc.word
	known, longest := sc.t.ids, sc.t.longest
	for len(rest) > 0 {
		id, n := longestMatch(known, rest, longest)
		if n == 0 {
			sc.ids = append(sc.ids[:before], sc.t.special.unk)
			return
		}
		sc.ids = append(sc.ids, id)
		rest = rest[n:]
		known, longest = sc.t.inner, sc.t.longestInner
	}
}

// longestMatch returns the id and the length in bytes of the longest prefix of
// word, of at most longest bytes, that known holds; 0 bytes if there is none.
func longestMatch(known map[string]int, word []byte, longest int) (id, n int) {
	for n = min(len(word), longest); n > 0; n-- {
		if n < len(word) && !utf8.RuneStart(word[n]) {
			continue
		}
		if id, ok := known[string(word[:n])]; ok {
			return id, n
		}
	}
	return 0, 0
}
