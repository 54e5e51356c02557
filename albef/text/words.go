package text

// Word is a word of a text, and the tokens that it became.
type Word struct {
	Text string // as written in the text, accents and case included
	// First and Last are the positions of its first and last token in
	// [Tokenizer.Encode]'s result, where [CLS] is position 0.
	First, Last int
}

// Words returns the words of s in order. Punctuation signs, ideographs and
// special tokens are words of their own. Each token but [CLS] belongs to
// exactly one word.
func (t *Tokenizer) Words(s string) []Word {
	var words []Word
	sc := scanner{t: t, src: s, ids: []int{t.special.cls}, words: &words}
	sc.run()
	return words
}
