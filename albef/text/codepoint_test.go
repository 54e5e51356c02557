package text_test

import (
	"bufio"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"vlab/albef/text"
)

// newer are the code points whose properties changed from Unicode 14, of the
// Python that wrote the official tables, to Unicode 15, of Go's tables. All
// were unassigned in 14. This is the whole list of known differences.
var newer = []span{
	{0x0CF3, 0x0CF3},
	{0x0ECE, 0x0ECE},
	{0x10EFD, 0x10EFF},
	{0x1123F, 0x11241},
	{0x11B00, 0x11B09},
	{0x11F00, 0x11F10},
	{0x11F12, 0x11F3A},
	{0x11F3E, 0x11F59},
	{0x1342F, 0x1342F},
	{0x13439, 0x13455},
	{0x1B132, 0x1B132},
	{0x1B155, 0x1B155},
	{0x1D2C0, 0x1D2D3},
	{0x1DF25, 0x1DF2A},
	{0x1E030, 0x1E06D},
	{0x1E08F, 0x1E08F},
	{0x1E4D0, 0x1E4F9},
	{0x1F6DC, 0x1F6DC},
	{0x1F774, 0x1F776},
	{0x1F77B, 0x1F77F},
	{0x1F7D9, 0x1F7D9},
	{0x1FA75, 0x1FA77},
	{0x1FA87, 0x1FA88},
	{0x1FAAD, 0x1FAAF},
	{0x1FABB, 0x1FABD},
	{0x1FABF, 0x1FABF},
	{0x1FACE, 0x1FACF},
	{0x1FADA, 0x1FADB},
	{0x1FAE8, 0x1FAE8},
	{0x1FAF7, 0x1FAF8},
	{0x2B739, 0x2B739},
	{0x31350, 0x323AF},
}

type span struct{ first, last rune }

func isNewer(r rune) bool {
	return slices.ContainsFunc(newer, func(s span) bool { return s.first <= r && r <= s.last })
}

// TestParityTokenizerCodePoints tokenises each code point between two letters
// and compares with what the official tokenizer made of it.
func TestParityTokenizerCodePoints(t *testing.T) {
	tok := text.Default()
	compared, skipped := 0, 0
	for run, want := range table(t, "testdata/codepoints.txt") {
		for r := run.first; r <= run.last; r++ {
			if 0xD800 <= r && r <= 0xDFFF {
				continue
			}
			if isNewer(r) {
				skipped++
				checkNewer(t, r, want)
				continue
			}
			compared++
			got := tok.Encode("a"+string(r)+"b", 0)[1:]
			if s := strings.Trim(fmt.Sprint(got), "[]"); s != want {
				t.Errorf("%U: got %s, want %s", r, s, want)
			}
		}
	}
	t.Logf("%d code points compared, %d left out as newer than Unicode 14", compared, skipped)
	if want := 0x110000 - 0x800; compared+skipped != want {
		t.Errorf("%d code points in the table, want %d", compared+skipped, want)
	}
}

// checkNewer fails for a code point that the official tokenizer kept or that
// Go doesn't know either: it has no place in the list.
func checkNewer(t *testing.T, r rune, want string) {
	t.Helper()
	dropped := strings.Trim(fmt.Sprint(text.Default().Encode("ab", 0)[1:]), "[]")
	known := unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Cf)
	if want != dropped || !known {
		t.Errorf("%U is listed as newer, but was kept (%s) or is still unassigned (%v)", r, want, !known)
	}
}

// TestParityTextPreprocessLower compares lower case, and the final sigma's
// neighbours, on each code point with Python's str.lower.
func TestParityTextPreprocessLower(t *testing.T) {
	compared := 0
	for run, want := range table(t, "testdata/lower.txt") {
		bits, low, _ := strings.Cut(want, " ")
		for r := run.first; r <= run.last; r++ {
			if 0xD800 <= r && r <= 0xDFFF || isNewer(r) {
				continue
			}
			compared++
			checkLower(t, r, low)
			checkSigma(t, r, bits)
		}
	}
	if compared < 1_100_000 {
		t.Errorf("%d code points compared, want all", compared)
	}
}

// checkLower compares r's lower case with low: nothing for r itself, a signed
// distance, or several code points.
func checkLower(t *testing.T, r rune, low string) {
	t.Helper()
	if strings.ContainsRune(",.'!?\"()*#:;~-/ ", r) {
		return // removed before one could look
	}
	want := string(r)
	if strings.HasPrefix(low, "+") || strings.HasPrefix(low, "-") {
		var d rune
		if _, err := fmt.Sscanf(low, "%d", &d); err != nil {
			t.Fatal(err)
		}
		want = string(r + d)
	} else if low != "" {
		var a, b rune
		if _, err := fmt.Sscanf(low, "%x %x", &a, &b); err != nil {
			t.Fatal(err)
		}
		want = string([]rune{a, b})
	}
	if got := text.PreQuestion(string(r), 0); got != want {
		t.Errorf("%U: lower case %+q, want %+q", r, got, want)
	}
}

// checkSigma puts r beside a capital sigma and looks whether that became a
// final one.
func checkSigma(t *testing.T, r rune, bits string) {
	t.Helper()
	c := string(r)
	for i, s := range []string{"A" + c + "Σ", c + "Σ", "AΣ" + c, "AΣ" + c + "A"} {
		got := text.PreQuestion(s, 0)
		final := strings.HasSuffix(got, "ς")
		if i >= 2 {
			final = strings.HasPrefix(got, "aς")
		}
		if want := bits[i] == '1'; final != want {
			t.Errorf("%U: final sigma in %+q: %v, want %v", r, s, final, want)
		}
	}
}

// table yields the lines "first-last rest" of a file; "first: rest" stands for
// a single code point.
func table(t *testing.T, path string) iter.Seq2[span, string] {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(span, string) bool) {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "#") {
				continue
			}
			run, rest, _ := strings.Cut(lines.Text(), " ")
			first, last, isRange := strings.Cut(strings.TrimSuffix(run, ":"), "-")
			if !isRange {
				last = first
			}
			var s span
			if _, err := fmt.Sscanf(first+" "+last, "%x %x", &s.first, &s.last); err != nil {
				t.Fatalf("%s: %q: %v", path, lines.Text(), err)
			}
			if !yield(s, rest) {
				return
			}
		}
	}
}
