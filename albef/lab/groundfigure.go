package lab

import (
	"fmt"
	"image"
	"strconv"
	"strings"

	"vlab/viz"
)

// Image draws the picture with its maps.
func (g *Grounding) Image() image.Image {
	if g == nil || g.picture == nil {
		return nil
	}
	f := viz.GroundingFigure{
		Text: g.title(), Phrase: g.whole, Box: g.share(g.Box), Peak: g.sharePoint(g.Peak),
		Score: g.Probability, Mode: g.Mode, Head: g.headName(), Layer: g.layer,
	}
	for _, w := range g.words {
		f.Words = append(f.Words, viz.WordMap{Word: w.Word, Map: w.Map, Peak: g.sharePoint(w.Peak)})
	}
	return viz.Grounding(g.picture, f)
}

// PNG is the figure as a file.
func (g *Grounding) PNG() []byte { return encodePNG(g.Image()) }

// title is the text, with the word that is looked at and unknown words.
func (g *Grounding) title() string {
	out := g.Text
	if g.at >= 0 {
		out = fmt.Sprintf("%q in %q", g.words[g.at].Word, g.Text)
	}
	if note := unknownNote(g.Unknown); note != "" {
		out += " (" + note + ")"
	}
	return out
}

func (g *Grounding) headName() string {
	if g.head == meanHead {
		return "mean"
	}
	return strconv.Itoa(g.head)
}

// share turns pixels of the picture into shares of its sides.
func (g *Grounding) share(box [4]float64) [4]float64 {
	size := g.picture.Bounds().Size()
	w, h := float64(size.X), float64(size.Y)
	return [4]float64{box[0] / w, box[1] / h, box[2] / w, box[3] / h}
}

func (g *Grounding) sharePoint(p [2]float64) [2]float64 {
	b := g.share([4]float64{p[0], p[1]})
	return [2]float64{b[0], b[1]}
}

// String is a table of peaks and boxes.
func (g *Grounding) String() string {
	if g == nil || g.picture == nil {
		return "no grounding"
	}
	var b strings.Builder
	where := "fusion layer"
	if g.Mode == modeITC {
		where = "image block"
	}
	fmt.Fprintf(&b, "%s: match %.1f %% (mode %s, %s %d, head %s)\n", g.title(), 100*g.Probability, g.Mode, where, g.layer, g.headName())
	fmt.Fprintf(&b, "%-12s %-14s %-24s %s\n", "", "peak x, y", "box x, y, w, h", "highest")
	line := func(name string, peak [2]float64, box [4]float64, m viz.Map) {
		fmt.Fprintf(&b, "%-12s %-14s %-24s %.2g\n", name, fmt.Sprintf("%.0f, %.0f", peak[0], peak[1]),
			fmt.Sprintf("%.0f, %.0f, %.0f, %.0f", box[0], box[1], box[2], box[3]), m.Max())
	}
	if g.at < 0 {
		line("(all)", g.Peak, g.Box, g.whole)
	}
	for i, w := range g.words {
		if g.at < 0 || i == g.at {
			line(w.Word, w.Peak, w.Box, w.Map)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}
