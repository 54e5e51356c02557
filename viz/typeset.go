package viz

import (
	"image/color"
	"sort"
	"strings"
)

// style is how a line of text looks: its size in points, its weight and its colour.
type style struct {
	size float64
	bold bool
	ink  color.Color
}

// line is the height in points that a line of text takes.
func (s style) line() float64 { return s.size * 1.35 }

// The styles of every figure.
func titleStyle() style   { return style{15, true, inkColour} }
func headStyle() style    { return style{12, true, inkColour} }
func captionStyle() style { return style{11.5, false, inkColour} }
func noteStyle() style    { return style{10.5, false, mutedColour} }

// typeset measures and breaks text. It belongs to one figure, as faces may not be shared between goroutines.
type typeset struct {
	scale         float64
	regular, bold typeface
	shaped        map[shapedKey]shapedLine
	shaping       shaper
}

// newTypeset prepares text at scale pixels a point; 0 means 1.
func newTypeset(scale float64) *typeset {
	if !(scale > 0) {
		scale = 1
	}
	return &typeset{scale: scale, regular: regularFonts.face(), bold: boldFonts.face(), shaped: map[shapedKey]shapedLine{}}
}

// width is how wide a line of text is, in points.
func (t *typeset) width(text string, s style) float64 { return t.shape(text, s.bold).width * s.size }

// fit is text in one line of at most width points, its end replaced by an ellipsis where it is too long, and empty where
// not even one character fits.
func (t *typeset) fit(text string, width float64, s style) string {
	text = strings.Join(strings.Fields(text), " ")
	if t.width(text, s) <= width {
		return text
	}
	runes := []rune(text)
	short := func(n int) string { return strings.TrimRight(string(runes[:n]), " ") + "…" }
	n := sort.Search(len(runes), func(n int) bool { return t.width(short(n), s) > width }) - 1
	if n < 1 {
		return ""
	}
	return short(n)
}

// wrap breaks text into at most lines lines of at most width points, at spaces where it can; what is left over ends in an ellipsis.
func (t *typeset) wrap(text string, width float64, lines int, s style) []string {
	var out []string
	rest := strings.Join(strings.Fields(text), " ")
	for rest != "" {
		if len(out) == lines-1 {
			return sameWay(text, append(out, t.fit(rest, width, s)))
		}
		n := t.breakAt(rest, width, s)
		out = append(out, strings.TrimRight(rest[:n], " "))
		rest = strings.TrimLeft(rest[n:], " ")
	}
	return sameWay(text, out)
}

// breakAt is how many bytes of text go on a line: up to the last space that fits, or, in a word wider than the line, to the last
// character that fits, at least one.
func (t *typeset) breakAt(text string, width float64, s style) int {
	if t.width(text, s) <= width {
		return len(text)
	}
	space, char := 0, 0
	for i, r := range text {
		if i > 0 && t.width(text[:i], s) > width {
			break
		}
		if char = i; r == ' ' {
			space = i
		}
	}
	if space > 0 {
		return space
	}
	if char > 0 {
		return char
	}
	return len(string([]rune(text)[:1]))
}
