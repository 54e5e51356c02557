package text

import (
	_ "embed" // for the vocabulary
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed vocab/bert-base-uncased.txt
var bertBaseUncased string

// loadDefault parses the embedded vocabulary, once.
var loadDefault = sync.OnceValue(func() *Tokenizer {
	t, err := Load(strings.NewReader(bertBaseUncased))
	if err != nil {
		panic("text: embedded vocabulary: " + err.Error())
	}
	return t
})

// specials are the ids of the tokens with a meaning of their own.
type specials struct{ pad, unk, cls, sep, mask int }

// Default returns the tokenizer with the vocabulary of bert-base-uncased,
// 30522 tokens, which all callers share.
func Default() *Tokenizer { return loadDefault() }

// Load reads a vocabulary: a token a line, the first with id 0, in UTF-8. It
// must hold [PAD], [UNK], [CLS], [SEP] and [MASK]. Of a token that comes twice
// the last id counts. Lines end with LF or CR LF. An error names the line or
// the missing token.
func Load(r io.Reader) (*Tokenizer, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	t := &Tokenizer{}
	for line := range strings.Lines(string(data)) {
		token := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if !utf8.ValidString(token) {
			return nil, fmt.Errorf("read vocabulary: line %d is not valid UTF-8", len(t.tokens)+1)
		}
		t.tokens = append(t.tokens, token)
	}
	t.index()
	if err := t.findSpecials(); err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	return t, nil
}

// index fills the look-up tables from the tokens.
func (t *Tokenizer) index() {
	t.ids = make(map[string]int, len(t.tokens))
	t.inner = make(map[string]int)
	for id, token := range t.tokens {
		t.ids[token] = id
		t.longest = max(t.longest, len(token))
		if rest, ok := strings.CutPrefix(token, "##"); ok {
			t.inner[rest] = id
			t.longestInner = max(t.longestInner, len(rest))
		}
	}
}

func (t *Tokenizer) findSpecials() error {
	find := func(token string) (int, error) {
		if id, ok := t.ids[token]; ok {
			return id, nil
		}
		return 0, fmt.Errorf("token %s is missing among %d tokens", token, len(t.tokens))
	}
	var errs [5]error
	t.special.pad, errs[0] = find("[PAD]")
	t.special.unk, errs[1] = find("[UNK]")
	t.special.cls, errs[2] = find("[CLS]")
	t.special.sep, errs[3] = find("[SEP]")
	t.special.mask, errs[4] = find("[MASK]")
	return errors.Join(errs[:]...)
}

// Size returns the number of lines of the vocabulary, one more than the
// largest id.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Token returns the token with the given id, "[UNK]" if there is none.
func (t *Tokenizer) Token(id int) string {
	if id < 0 || id >= len(t.tokens) {
		return t.tokens[t.special.unk]
	}
	return t.tokens[id]
}

// ID returns the id of a token, and whether the vocabulary holds it.
func (t *Tokenizer) ID(token string) (int, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// PAD returns the id of [PAD], which fills short rows of a batch.
func (t *Tokenizer) PAD() int { return t.special.pad }

// UNK returns the id of [UNK], a word that the vocabulary can't spell.
func (t *Tokenizer) UNK() int { return t.special.unk }

// CLS returns the id of [CLS], the first token of every sequence.
func (t *Tokenizer) CLS() int { return t.special.cls }

// SEP returns the id of [SEP], which ends the answers of VQA and nothing else.
func (t *Tokenizer) SEP() int { return t.special.sep }

// MASK returns the id of [MASK], a word to be guessed.
func (t *Tokenizer) MASK() int { return t.special.mask }

// specialAt returns the special token that s starts with and its id. Special
// tokens match in their exact case, also within a word.
func (t *Tokenizer) specialAt(s string) (token string, id int) {
	if len(s) < len("[PAD]") || s[0] != '[' {
		return "", 0
	}
	switch s[:5] {
	case "[PAD]":
		return s[:5], t.special.pad
	case "[UNK]":
		return s[:5], t.special.unk
	case "[CLS]":
		return s[:5], t.special.cls
	case "[SEP]":
		return s[:5], t.special.sep
	}
	if strings.HasPrefix(s, "[MASK]") {
		return s[:6], t.special.mask
	}
	return "", 0
}
