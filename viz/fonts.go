package viz

import (
	"bytes"
	_ "embed" // for the second font
	"sync"

	"github.com/go-text/typesetting/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// What the Go fonts lack comes out of DejaVu Sans 2.37, cut to Latin, Greek, Cyrillic, Armenian, Hebrew and Arabic letters and to signs,
// of which the fonts folder tells more.
var (
	//go:embed fonts/DejaVuSans.ttf
	dejavuRegular []byte
	//go:embed fonts/DejaVuSans-Bold.ttf
	dejavuBold []byte
)

// fontPair is one weight: the font that text is set in, and the one for what it lacks. Both are read once, the second when it is needed.
type fontPair struct{ first, second func() *font.Font }

var (
	regularFonts = fontPair{sync.OnceValue(parse(goregular.TTF)), sync.OnceValue(parse(dejavuRegular))}
	boldFonts    = fontPair{sync.OnceValue(parse(gobold.TTF)), sync.OnceValue(parse(dejavuBold))}
)

func parse(ttf []byte) func() *font.Font {
	return func() *font.Font {
		f, err := font.ParseTTF(bytes.NewReader(ttf))
		if err != nil {
			panic("viz: embedded font: " + err.Error())
		}
		return f.Font
	}
}

func (p fontPair) face() typeface {
	return typeface{first: font.NewFace(p.first()), second: sync.OnceValue(func() *font.Face { return font.NewFace(p.second()) })}
}

// typeface picks the font of each character.
type typeface struct {
	first  *font.Face
	second func() *font.Face
}

// ResolveFace is the second font where it alone has the character. A character that none has shows as the first font's empty frame.
func (f typeface) ResolveFace(r rune) *font.Face {
	if _, ok := f.first.NominalGlyph(r); ok {
		return f.first
	}
	if _, ok := f.second().NominalGlyph(r); ok {
		return f.second()
	}
	return f.first
}
