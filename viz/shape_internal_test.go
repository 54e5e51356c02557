package viz

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/bidi"
)

// TestVisualOrder compares with what the reference implementation of the Unicode bidirectional algorithm gives. Characters of runs
// from right to left are turned round one by one; brackets are left as they are, as it is the font that mirrors them.
func TestVisualOrder(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"red circle", "red circle"},
		{"שלום", "םולש"},
		{"שלום world", "world םולש"},
		{"a שלום b", "a םולש b"},
		{"a שלום עולם b", "a םלוע םולש b"},
		{"a שלום 123 עולם b", "a םלוע 123 םולש b"},
		{"a שלום 123 b", "a 123 םולש b"},
		{"a שלום 12% b", "a 12% םולש b"},
		{"a שלום 12", "a 12 םולש"},
		{"שלום 123 abc", "abc 123 םולש"},
		{"123 שלום abc", "abc םולש 123"},
		{"12: a שלום", "12: a םולש"},
		{"layer 8, שלום!", "layer 8, םולש!"},
		{"", ""},
	} {
		var s shaper
		var got []rune
		in := []rune(c.in)
		for _, run := range s.visual(in) {
			part := slices.Clone(in[run.Start:run.End])
			if !run.IsLeftToRight() {
				slices.Reverse(part)
			}
			got = append(got, part...)
		}
		if string(got) != c.want {
			t.Errorf("%q: got %q, want %q", c.in, string(got), c.want)
		}
	}
}

// TestArabicJoins tells joined letters by their glyphs: the same letter has another one at the start, in the middle, at the end, and alone.
func TestArabicJoins(t *testing.T) {
	set := newTypeset(1)
	three, one := set.shape("ببب", false).glyphs, set.shape("ب", false).glyphs
	if len(three) != 3 || len(one) != 1 {
		t.Fatalf("got %d and %d glyphs, want 3 and 1", len(three), len(one))
	}
	seen := map[uint32]bool{}
	for _, g := range append(three, one...) {
		seen[uint32(g.id)] = true
	}
	if len(seen) != 4 {
		t.Errorf("got %d forms of beh, want 4", len(seen))
	}
	if l := set.shape("لا", true).glyphs; len(l) != 1 {
		t.Errorf("lam and alef: got %d glyphs, want one ligature", len(l))
	}
}

// TestSecondFontFillsGaps looks for characters that the Go fonts lack, in both weights, and leaves all others to the Go fonts.
func TestSecondFontFillsGaps(t *testing.T) {
	set := newTypeset(1)
	for _, bold := range []bool{false, true} {
		faces := set.regular
		if bold {
			faces = set.bold
		}
		for _, r := range "aé…Жω→" {
			if faces.ResolveFace(r) != faces.first {
				t.Errorf("bold %v: %q comes from the second font", bold, r)
			}
		}
		for _, r := range "אשבپəẞ✓" {
			if faces.ResolveFace(r) == faces.first {
				t.Errorf("bold %v: %q is in neither font", bold, r)
			}
		}
		if l := set.shape("a א b", bold); l.glyphs[0].face != faces.first || l.glyphs[2].face != faces.second() || l.glyphs[4].face != faces.first {
			t.Errorf("bold %v: fonts are not chosen letter by letter", bold)
		}
		if l := set.shape("漢", bold); len(l.glyphs) != 1 || l.glyphs[0].id != 0 || l.width == 0 {
			t.Errorf("bold %v: a character of no font: got %v, want one empty frame", bold, l.glyphs)
		}
	}
}

// TestComposedIsOneGlyph writes é as a letter and an accent, which may be in different fonts.
func TestComposedIsOneGlyph(t *testing.T) {
	set := newTypeset(1)
	if got, want := set.shape("e\u0301", false), set.shape("é", false); !slices.Equal(got.glyphs, want.glyphs) {
		t.Errorf("got %v, want %v", got.glyphs, want.glyphs)
	}
}

// TestWrappedLinesKeepTheirWay breaks a Hebrew text so that a line begins with a Latin word.
func TestWrappedLinesKeepTheirWay(t *testing.T) {
	set := newTypeset(1)
	lines := set.wrap("שלום עולם Resnet שלום", set.width("שלום עולם", titleStyle())+1, 3, titleStyle())
	if len(lines) < 2 {
		t.Fatalf("got %q, want at least two lines", lines)
	}
	for _, l := range lines {
		if p, _ := bidi.LookupRune([]rune(l)[0]); p.Class() != bidi.R {
			t.Errorf("line %q would run from left to right", l)
		}
	}
	if w := set.width("\u200fa", titleStyle()); w != set.width("a", titleStyle()) {
		t.Errorf("the mark of direction has a width: got %g", w)
	}
	if strings.Contains(strings.Join(set.wrap("plain text that is broken", 60, 9, titleStyle()), ""), "\u200e") {
		t.Error("marks in text that needs none")
	}
}
