package viz

import (
	"fmt"
	"image"
	"math"
	"strconv"
	"strings"
)

// WordMap is where the model looked for one token of a phrase.
type WordMap struct {
	Word string
	Map  Map
	Peak [2]float64 // in 0..1; [Map.Peak] of the map when both are 0
}

// GroundingFigure is what [Grounding] draws: a phrase, its map and box, and a map for each of its words.
type GroundingFigure struct {
	Text   string
	Words  []WordMap
	Phrase Map         // the mean over tokens; the zero Map means the mean of Words
	Box    [4]float64  // predicted x, y, width, height in 0..1; without extent none is drawn
	Peak   [2]float64  // in 0..1; [Map.Peak] of the phrase's map when both are 0
	Truth  *[4]float64 // the true box; nil when unknown
	Score  float64     // how well text and picture match, 0..1; 0 leaves it out
	Mode   string      // "itm" or "itc"; empty leaves it out
	Head   string      // "mean" or a head's number; empty leaves layer and head out
	Layer  int         // the layer that the maps come from, told together with Head

	Width         float64 // of the figure in points; 0 means 680, and 400 is the least
	Scale         float64 // pixels a point; 0 means 1, 2 suits print
	Colormap      Colormap
	Interpolation Interpolation
	SharedRange   bool // all maps on one scale of values; otherwise each has its own, and its peak value is written below it
}

// Grounding draws the picture with its boxes, the phrase's map with box and peak, and one map a word below, with one colour bar for
// all. The figure is as wide as its Width and as high as it needs to be.
func Grounding(img image.Image, g GroundingFigure) image.Image {
	g = g.complete()
	l := g.layout(img)
	c := newCanvas(l.set, g.Width, l.height)
	c.lines(l.title, l.pad, l.pad, titleStyle())
	c.text(c.fit(g.subtitle(), g.Width-2*l.pad, noteStyle()), l.pad, l.subtitle, noteStyle(), left)
	g.drawTop(c, img, l)
	for i, w := range g.Words {
		g.drawWord(c, img, w, l.word(i))
	}
	return c.figure()
}

// complete fills in what the figure may leave out.
func (g GroundingFigure) complete() GroundingFigure {
	if g.Phrase.IsEmpty() && len(g.Words) > 0 {
		maps := make([]Map, len(g.Words))
		for i, w := range g.Words {
			maps[i] = w.Map
		}
		g.Phrase = MeanMap(maps...)
	}
	if g.Peak == [2]float64{} && !g.Phrase.IsEmpty() {
		g.Peak[0], g.Peak[1] = g.Phrase.Peak()
	}
	if !(g.Width > 0) {
		g.Width = 680
	}
	g.Width = max(g.Width, 400)
	return g
}

// subtitle tells, as far as known, how well text and picture match and where the maps come from.
func (g GroundingFigure) subtitle() string {
	var parts []string
	if g.Score != 0 {
		parts = append(parts, "match "+strconv.FormatFloat(g.Score, 'f', 3, 64))
	}
	if g.Mode != "" {
		parts = append(parts, g.Mode)
	}
	switch {
	case g.Head == "mean":
		parts = append(parts, fmt.Sprintf("layer %d", g.Layer), "mean over heads")
	case g.Head != "":
		parts = append(parts, fmt.Sprintf("layer %d", g.Layer), "head "+g.Head)
	}
	return strings.Join(parts, "  ·  ")
}

// groundingLayout has the places of a figure's parts, in points.
type groundingLayout struct {
	set              *typeset
	title            []string
	pad, gap         float64
	subtitle         float64
	picture, phrase  frame
	slot             float64 // the width of the captions below picture and phrase
	cols             int
	cell             frame // of the first word
	step             [2]float64
	height, captions float64
}

func (g GroundingFigure) layout(img image.Image) groundingLayout {
	l := groundingLayout{set: newTypeset(g.Scale), pad: 16, gap: 12}
	low, high := g.ends()
	if text := strings.TrimSpace(g.Text); text != "" {
		l.title = l.set.wrap("“"+text+"”", g.Width-2*l.pad, 3, titleStyle())
	}
	l.subtitle = l.pad + float64(len(l.title))*titleStyle().line()
	y := l.subtitle + 8
	if g.subtitle() != "" {
		y = l.subtitle + noteStyle().line() + 10
	}
	half := (g.Width - 2*l.pad - l.gap - l.set.colorBarWidth(low, high)) / 2
	// A tall picture is kept within a square and a half, so that the figure still fits a screen.
	w, h := fitSize(img, half, 1.5*half)
	l.picture = frame{l.pad, y, w, h}
	// Under a narrow picture the captions still need room.
	l.slot = min(half, max(w, 170))
	l.phrase = frame{l.pad + l.slot + l.gap, y, w, h}
	y += h + 4 + 2*captionStyle().line() + 10

	l.cols = wordColumns(len(g.Words))
	cw := (g.Width - 2*l.pad - float64(l.cols-1)*l.gap) / float64(l.cols)
	w, h = fitSize(img, cw, 1.5*cw)
	l.captions = 3 + captionStyle().line() + noteStyle().line()
	l.cell, l.step = frame{l.pad + (cw-w)/2, y, w, h}, [2]float64{cw + l.gap, h + l.captions + 8}
	if rows := (len(g.Words) + l.cols - 1) / l.cols; rows > 0 {
		y += float64(rows) * l.step[1]
	}
	l.height = y + l.pad - 8
	return l
}

// word is the frame of word i's map.
func (l groundingLayout) word(i int) frame {
	f := l.cell
	f.x += float64(i%l.cols) * l.step[0]
	f.y += float64(i/l.cols) * l.step[1]
	return f
}

// wordColumns spreads n maps over rows of four to six, leaving few gaps in the last row.
func wordColumns(n int) int {
	best := 4
	for c := 5; c <= 6; c++ {
		if empty := func(c int) int { return (c - n%c) % c }; n > 4 && empty(c) < empty(best) {
			best = c
		}
	}
	return best
}

// drawTop draws the two large pictures, their captions and the colour bar.
func (g GroundingFigure) drawTop(c *canvas, img image.Image, l groundingLayout) {
	o := OverlayOptions{Box: g.Box, Truth: g.Truth, Interpolation: g.Interpolation, Colormap: g.Colormap}
	c.overlay(img, Map{}, l.picture, o)
	o.Truth, o.Fade, o.Range = nil, true, g.span(g.Phrase)
	if !g.Phrase.IsEmpty() {
		o.Peak = &g.Peak
	}
	c.overlay(img, g.Phrase, l.phrase, o)

	y := l.picture.y + l.picture.h + 4
	c.text(c.fit("picture", l.slot, captionStyle()), l.picture.x, y, captionStyle(), left)
	c.text(c.fit("phrase: mean of its tokens", l.slot, captionStyle()), l.phrase.x, y, captionStyle(), left)
	y += captionStyle().line()
	g.legend(c, l.picture, y)
	c.text(c.fit(peakNote(g.Phrase), l.slot, noteStyle()), l.phrase.x, y, noteStyle(), left)

	low, high := g.ends()
	c.colorBar(frame{l.phrase.x + l.phrase.w + 10, l.phrase.y, 12, l.phrase.h}, o.colormap(), low, high)
}

// ends names the ends of the colour bar.
func (g GroundingFigure) ends() (low, high string) {
	if !g.SharedRange {
		return "min", "max"
	}
	r := g.span(g.Phrase)
	return number(r[0]), number(r[1])
}

// legend explains the boxes below the picture.
func (g GroundingFigure) legend(c *canvas, f frame, y float64) {
	x, s := f.x, noteStyle()
	entry := func(name string, col rgb, dashed bool) {
		mid := y + s.line()/2 - .5
		var edge, inside path
		edge.segment(x, mid, x+20, mid)
		inside.segment(x+1, mid, x+19, mid)
		c.stroke(edge, rgb(0x30363d), pen{width: 4.5, flat: true})
		with := pen{width: 2, flat: true}
		if dashed {
			with.dash = 6
		}
		c.stroke(inside, col, with)
		c.text(name, x+26, y, s, left)
		x += 26 + c.width(name, s) + 14
	}
	if g.Box[2] > 0 && g.Box[3] > 0 {
		entry("predicted", paperColour, false)
	}
	if g.Truth != nil {
		entry("true", truthColour, true)
	}
}

// drawWord draws one word's map with its captions.
func (g GroundingFigure) drawWord(c *canvas, img image.Image, w WordMap, f frame) {
	o := OverlayOptions{Fade: true, Interpolation: g.Interpolation, Colormap: g.Colormap, Range: g.span(w.Map)}
	if w.Peak == [2]float64{} && !w.Map.IsEmpty() {
		w.Peak[0], w.Peak[1] = w.Map.Peak()
	}
	if !w.Map.IsEmpty() {
		o.Peak = &w.Peak
	}
	c.overlay(img, w.Map, f, o)
	s := captionStyle()
	s.bold = true
	room := max(f.w, 60)
	c.text(c.fit(w.Word, room, s), f.x+f.w/2, f.y+f.h+3, s, middle)
	c.text(c.fit(peakNote(w.Map), room, noteStyle()), f.x+f.w/2, f.y+f.h+3+s.line(), noteStyle(), middle)
}

// peakNote tells the highest value of a map, or that it has no peak.
func peakNote(m Map) string {
	lo, hi := m.bounds()
	switch {
	case m.IsEmpty():
		return "no map"
	case lo == hi:
		return "flat"
	}
	return "max " + number(hi)
}

// span is the range of values that a map's colours stand for.
func (g GroundingFigure) span(m Map) [2]float64 {
	lo, hi := m.bounds()
	if !g.SharedRange {
		return [2]float64{lo, hi}
	}
	lo, hi = g.Phrase.bounds()
	for _, w := range g.Words {
		if !w.Map.IsEmpty() {
			l, h := w.Map.bounds()
			lo, hi = math.Min(lo, l), math.Max(hi, h)
		}
	}
	return [2]float64{lo, hi}
}
