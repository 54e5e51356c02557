package viz

import (
	"slices"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// shaper turns characters into glyphs from left to right: it orders what runs from right to left, joins Arabic letters and places marks.
type shaper struct {
	paragraph bidi.Paragraph
	segments  shaping.Segmenter
	harfbuzz  shaping.HarfbuzzShaper
}

// shapedLine is a line of glyphs at a size of 1.
type shapedLine struct {
	glyphs []placedGlyph
	width  float64
}

// placedGlyph is a glyph and where it begins on the base line, y growing upwards.
type placedGlyph struct {
	face *font.Face
	id   font.GID
	x, y float64
}

type shapedKey struct {
	text string
	bold bool
}

// shape sets one line. Lines once set are remembered, as they are measured more often than drawn.
func (t *typeset) shape(text string, bold bool) shapedLine {
	key := shapedKey{text, bold}
	if l, ok := t.shaped[key]; ok {
		return l
	}
	faces := t.regular
	if bold {
		faces = t.bold
	}
	l := t.shaping.line([]rune(norm.NFC.String(text)), faces)
	t.shaped[key] = l
	return l
}

func (s *shaper) line(text []rune, faces typeface) (out shapedLine) {
	for _, run := range s.visual(text) {
		direction := di.DirectionLTR
		if !run.IsLeftToRight() {
			direction = di.DirectionRTL
		}
		parts := s.segments.Split(shaping.Input{Text: text, RunStart: run.Start, RunEnd: run.End, Direction: direction}, faces)
		parts = slices.Clone(parts)
		if direction == di.DirectionRTL {
			slices.Reverse(parts)
		}
		for _, part := range parts {
			// Looked at alone, a number among Hebrew letters or the brackets around them might turn the other way.
			part.Direction = direction
			s.add(&out, part)
		}
	}
	return out
}

// add sets one part, all of one font, script and direction, after what is set already.
func (s *shaper) add(out *shapedLine, part shaping.Input) {
	em := float64(part.Face.Upem())
	part.Size = fixed.I(int(em))
	for _, g := range s.harfbuzz.Shape(part).Glyphs {
		x, y := float64(g.XOffset)/64/em, float64(g.YOffset)/64/em
		out.glyphs = append(out.glyphs, placedGlyph{part.Face, g.GlyphID, out.width + x, y})
		out.width += float64(g.Advance) / 64 / em
	}
}

// outline is the path of a line whose base line begins at 0, 0.
func (t *typeset) outline(text string, s style) (out path) {
	for _, g := range t.shape(text, s.bold).glyphs {
		shape, ok := g.face.GlyphDataOutline(g.id)
		if !ok {
			continue
		}
		k := s.size / float64(g.face.Upem())
		for i, seg := range shape.Segments {
			at := make([]point, 0, 3)
			for _, a := range seg.ArgsSlice() {
				at = append(at, point{g.x*s.size + float64(a.X)*k, -g.y*s.size - float64(a.Y)*k})
			}
			if seg.Op == opentype.SegmentOpMoveTo && i > 0 {
				out.add(shut)
			}
			out.add(segmentVerb(seg.Op), at...)
		}
		if len(shape.Segments) > 0 {
			out.add(shut)
		}
	}
	return out
}

func segmentVerb(op opentype.SegmentOp) verb {
	switch op {
	case opentype.SegmentOpMoveTo:
		return moveTo
	case opentype.SegmentOpQuadTo:
		return quadTo
	case opentype.SegmentOpCubeTo:
		return cubeTo
	case opentype.SegmentOpLineTo:
	}
	return lineTo
}
