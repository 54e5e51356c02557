package text_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"vlab/albef/text"

	"golang.org/x/text/unicode/norm"
)

func TestDefaultVocabulary(t *testing.T) {
	const want = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
	data, err := os.ReadFile("vocab/bert-base-uncased.txt")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("sha256 of the vocabulary\n got %s\nwant %s", got, want)
	}
	tok := text.Default()
	if tok.Size() != 30522 {
		t.Errorf("Size() = %d, want 30522", tok.Size())
	}
	got := []int{tok.PAD(), tok.UNK(), tok.CLS(), tok.SEP(), tok.MASK()}
	if want := []int{0, 100, 101, 102, 103}; !slices.Equal(got, want) {
		t.Errorf("special ids %v, want %v", got, want)
	}
}

func TestLoadSmallVocabulary(t *testing.T) {
	lines := "[CLS]\r\n[SEP]\r\n[MASK]\r\n[UNK]\r\n[PAD]\r\ndog\r\n##s\r\nünï\r\ndog"
	tok, err := text.Load(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tok.Encode("Dogs[SEP] s", 0), []int{0, 8, 6, 1, 3}; !slices.Equal(got, want) {
		t.Errorf("Encode = %v, want %v", got, want)
	}
	if id, ok := tok.ID("##s"); id != 6 || !ok {
		t.Errorf(`ID("##s") = %d, %v; want 6, true`, id, ok)
	}
	if _, ok := tok.ID("cat"); ok {
		t.Error(`ID("cat") found, want none`)
	}
	if got := tok.Token(99); got != "[UNK]" {
		t.Errorf("Token(99) = %q, want [UNK]", got)
	}
}

// TestMarkOrder has spacing marks in the text in another order than their
// canonical one, in which the vocabulary spells them.
func TestMarkOrder(t *testing.T) {
	tok, err := text.Load(strings.NewReader("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\U0001D165\u302e\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tok.Encode("A\u302e\u0301\U0001D165", 0), []int{2, 5}; !slices.Equal(got, want) {
		t.Errorf("Encode = %v, want %v", got, want)
	}
}

func TestDecode(t *testing.T) {
	tok := text.Default()
	ids := append(tok.Encode("A man snowboarding [MASK][SEP]", 0), tok.PAD(), tok.PAD())
	if got, want := tok.Decode(ids), "a man snowboarding [MASK]"; got != want {
		t.Errorf("Decode = %q, want %q", got, want)
	}
}

func TestWords(t *testing.T) {
	tests := []struct {
		in   string
		want []text.Word
	}{
		{"", nil},
		{"A snowboarding dog!", []text.Word{{"A", 1, 1}, {"snowboarding", 2, 3}, {"dog", 4, 4}, {"!", 5, 5}}},
		{"Cafe\u0301 x", []text.Word{{"Cafe\u0301", 1, 1}, {"x", 2, 2}}},
		{"\u0301a\u200bb", []text.Word{{"a\u200bb", 1, 1}}},
		{"a≠中[SEP]", []text.Word{{"a", 1, 1}, {"≠", 2, 2}, {"中", 3, 3}, {"[SEP]", 4, 4}}},
	}
	for _, c := range tests {
		if got := text.Default().Words(c.in); !slices.Equal(got, c.want) {
			t.Errorf("Words(%+q)\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

func TestBatchOfNothing(t *testing.T) {
	b := text.Default().Batch(nil, text.BatchOptions{})
	if b.B != 0 || b.T != 0 || len(b.IDs) != 0 {
		t.Errorf("Batch(nil) = %+v, want an empty one", b)
	}
}

func TestBatchPadding(t *testing.T) {
	tests := []struct {
		name string
		opt  text.BatchOptions
		want []int64 // mask of the second row
	}{
		{"longest", text.BatchOptions{}, []int64{1, 1, 0, 0}},
		{"longest, not the limit", text.BatchOptions{MaxLen: 6, Truncate: true}, []int64{1, 1, 0, 0}},
		{"to the limit", text.BatchOptions{MaxLen: 6, PadToMax: true}, []int64{1, 1, 0, 0, 0, 0}},
		{"over the limit", text.BatchOptions{MaxLen: 3, PadToMax: true}, []int64{1, 1, 0, 0}},
		{"cut", text.BatchOptions{MaxLen: 3, Truncate: true}, []int64{1, 1, 0}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			b := text.Default().Batch([]string{"a red dog", "dog"}, c.opt)
			if got := b.Mask[b.T:]; !slices.Equal(got, c.want) {
				t.Errorf("mask %v, want %v", got, c.want)
			}
			if b.IDs[b.T+1] != 3899 || b.T > 2 && b.IDs[b.T+2] != 0 {
				t.Errorf("ids %v, want [CLS] dog [PAD]...", b.IDs[b.T:])
			}
		})
	}
}

// plainTokenize is BERT's tokenizer written for plainness, pass by pass.
func plainTokenize(tok *text.Tokenizer, s string) []string {
	var pieces []string
	for s != "" {
		loc := regexp.MustCompile(`\[(PAD|UNK|CLS|SEP|MASK)\]`).FindStringIndex(s)
		if loc == nil {
			return append(pieces, plainText(tok, s)...)
		}
		pieces = append(pieces, plainText(tok, s[:loc[0]])...)
		pieces = append(pieces, s[loc[0]:loc[1]])
		s = s[loc[1]:]
	}
	return pieces
}

func plainText(tok *text.Tokenizer, s string) []string {
	var clean []rune
	for _, r := range s {
		isIdeograph := unicode.Is(unicode.Han, r) && (r >= 0x3400 && r <= 0x4DBF || r >= 0x4E00 && r <= 0x9FFF ||
			r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x2CEAF && r != 0x2A6E0 || r >= 0x2F800 && r <= 0x2FA1F)
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || unicode.In(r, unicode.Z):
			clean = append(clean, ' ')
		case r == 0xFFFD || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
		case isIdeograph:
			clean = append(clean, ' ', r, ' ')
		default:
			clean = append(clean, unicode.ToLower(r))
		}
	}
	var pieces []string
	for _, field := range strings.Fields(string(clean)) {
		for _, word := range strings.Fields(plainSplit(plainDecompose(field))) {
			pieces = append(pieces, plainPieces(tok, []rune(word))...)
		}
	}
	return pieces
}

// plainDecompose orders marks by bubbling them one place at a time.
func plainDecompose(s string) []rune {
	var rs []rune
	for _, r := range s {
		rs = append(rs, []rune(norm.NFD.String(string(r)))...)
	}
	class := func(r rune) uint8 { return norm.NFD.PropertiesString(string(r)).CCC() }
	for moved := true; moved; {
		moved = false
		for i := 1; i < len(rs); i++ {
			if a, b := class(rs[i-1]), class(rs[i]); b != 0 && a > b {
				rs[i-1], rs[i], moved = rs[i], rs[i-1], true
			}
		}
	}
	return slices.DeleteFunc(rs, func(r rune) bool { return unicode.Is(unicode.Mn, r) })
}

func plainSplit(rs []rune) string {
	var b strings.Builder
	for _, r := range rs {
		if unicode.IsPunct(r) || strings.ContainsRune("$+<=>^`|~", r) {
			b.WriteString(" " + string(r) + " ")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func plainPieces(tok *text.Tokenizer, word []rune) []string {
	if len(word) > 100 {
		return []string{"[UNK]"}
	}
	var pieces []string
	for start := 0; start < len(word); {
		prefix, end := "", len(word)
		if start > 0 {
			prefix = "##"
		}
		for ; end > start; end-- {
			if _, ok := tok.ID(prefix + string(word[start:end])); ok {
				break
			}
		}
		if end == start {
			return []string{"[UNK]"}
		}
		pieces = append(pieces, prefix+string(word[start:end]))
		start = end
	}
	return pieces
}

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"A man's dog", "word[SEP]", "[SE\x00P]", "İ≠\u0301\U0001D165\u302e가", "中\u2028x\u00ad-", "\xff[MASK", strings.Repeat("e\u0301", 101)} {
		f.Add(s)
	}
	tok := text.Default()
	f.Fuzz(func(t *testing.T, s string) {
		got := tok.Tokenize(s)
		if want := plainTokenize(tok, s); !slices.Equal(got, want) {
			t.Errorf("Tokenize(%+q)\n got %+q\nwant %+q", s, got, want)
		}
		next := 1
		for _, w := range tok.Words(s) {
			if w.First != next || w.Last < w.First || !strings.Contains(s, w.Text) || w.Text == "" {
				t.Errorf("Words(%+q): %+v after token %d", s, w, next-1)
			}
			next = w.Last + 1
		}
		if next != len(got)+1 {
			t.Errorf("Words(%+q) end at token %d, want %d", s, next-1, len(got))
		}
	})
}

func FuzzPreCaption(f *testing.F) {
	f.Add("A  dog-<person>\n\n ΑΣ.", 3)
	f.Fuzz(func(t *testing.T, s string, n int) {
		got := text.PreCaption(s, n)
		if strings.ContainsAny(got, ",.'!?\"()*#:;~-/") || strings.Contains(got, "<person>") || strings.Contains(got, "  ") {
			t.Errorf("PreCaption(%+q, %d) = %+q", s, n, got)
		}
		if n > 0 && strings.Count(got, " ") >= n {
			t.Errorf("PreCaption(%+q, %d) = %+q, more than %d words", s, n, got, n)
		}
		_ = text.PreQuestion(s, n)
	})
}

func ExampleTokenizer_Tokenize() {
	fmt.Println(text.Default().Tokenize("Two snowboarders!"))
	// Output: [two snow ##board ##ers !]
}

func ExampleTokenizer_Encode() {
	fmt.Println(text.Default().Encode("a man riding a horse", 25))
	// Output: [101 1037 2158 5559 1037 3586]
}

func ExamplePreCaption() {
	fmt.Println(text.PreCaption("A <PERSON>'s red-hot car.", 30))
	// Output: a persons red hot car
}

func BenchmarkEncode(b *testing.B) {
	tok := text.Default()
	const s = "A man in a blue shirt is riding a horse, near the snowboarders' café on the street."
	b.ReportAllocs()
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		tok.Encode(s, 25)
	}
}

func BenchmarkDefaultLoad(b *testing.B) {
	data, err := os.ReadFile("vocab/bert-base-uncased.txt")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := text.Load(strings.NewReader(string(data))); err != nil {
			b.Fatal(err)
		}
	}
}
