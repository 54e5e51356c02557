package text

import "strings"

// Tokenizer splits texts into word pieces of a vocabulary. It doesn't change
// after [Load] and may be used from several goroutines. The zero Tokenizer is
// not usable.
type Tokenizer struct {
	tokens []string       // by id
	ids    map[string]int // whole tokens, which may start a word
	inner  map[string]int // tokens that continue a word, without their "##"
	// The longest key of ids and of inner, in bytes: longer slices of a word
	// need no look-up.
	longest, longestInner int
	special               specials
}

// Tokenize returns the word pieces of s, without [CLS]. Pieces that continue
// a word start with "##"; a word that can't be made of pieces is "[UNK]".
func (t *Tokenizer) Tokenize(s string) []string {
	return t.Pieces(t.encode(nil, s, 0))
}

// Encode returns the ids of [CLS] and of the word pieces of s, without [SEP].
// At most maxLen ids are returned, [CLS] among them; maxLen <= 0 sets no limit.
func (t *Tokenizer) Encode(s string, maxLen int) []int {
	return t.encode([]int{t.special.cls}, s, maxLen)
}

// Pieces returns the token of each id, as [Tokenizer.Token] does.
func (t *Tokenizer) Pieces(ids []int) []string {
	pieces := make([]string, len(ids))
	for i, id := range ids {
		pieces[i] = t.Token(id)
	}
	return pieces
}

// Decode returns the text of ids: pieces joined to words, words separated by
// single spaces. [PAD], [CLS] and [SEP] are left out; letter case, accents and
// the original spacing are lost.
func (t *Tokenizer) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if id == t.special.pad || id == t.special.cls || id == t.special.sep {
			continue
		}
		piece, inner := strings.CutPrefix(t.Token(id), "##")
		if b.Len() > 0 && !inner {
			b.WriteByte(' ')
		}
		b.WriteString(piece)
	}
	return b.String()
}

// encode appends the ids of s to dst, up to limit ids in all if it is positive.
func (t *Tokenizer) encode(dst []int, s string, limit int) []int {
	sc := scanner{t: t, src: s, ids: dst, limit: limit}
	sc.run()
	if limit > 0 && len(sc.ids) > limit {
		return sc.ids[:limit]
	}
	return sc.ids
}
