package viz

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strconv"
	"strings"
)

// SVG writes a picture as SVG 1.1 with its size in millimetres. Of a [Figure] text, lines, bars and frames are vectors: text as
// outlines of its letters, which look the same everywhere and can't be searched, its words beside them for screen readers. Photographs,
// heat maps and colour bars in it are pixels, as many as the figure's Scale gave them: 4 makes 288 an inch at the figure's own size.
// Any other picture is embedded whole, as pixels, on white.
func SVG(w io.Writer, img image.Image, o PrintOptions) error {
	p, err := o.page(img)
	if err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	out := bufio.NewWriter(w)
	s := svg{out}
	s.put(`<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s">`+"\n",
		decimal(p.mm(p.w)), decimal(p.mm(p.h)), decimal(p.w), decimal(p.h))
	s.put(`<rect width="%s" height="%s" fill="#ffffff"/>`+"\n", decimal(p.w), decimal(p.h))
	for _, m := range p.marks {
		if err := s.mark(m); err != nil {
			return fmt.Errorf("write svg: %w", err)
		}
	}
	s.put("</svg>\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	return nil
}

// svg writes elements; the writer keeps the first error until it is flushed.
type svg struct{ w *bufio.Writer }

func (s svg) put(format string, args ...any) { _, _ = fmt.Fprintf(s.w, format, args...) }

func (s svg) mark(m mark) error {
	if m.clip != nil {
		x, y, w, h := decimal(m.clip.x), decimal(m.clip.y), decimal(m.clip.w), decimal(m.clip.h)
		// Named by what it is, so that figures in one document don't take each other's.
		id := strings.Join([]string{"clip", x, y, w, h}, "_")
		s.put(`<clipPath id="%s"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath><g clip-path="url(#%s)">`, id, x, y, w, h, id)
		defer s.put("</g>\n")
	}
	if m.picture != nil {
		return s.picture(m)
	}
	if len(m.path) > 0 {
		s.path(m)
	}
	return nil
}

func (s svg) picture(m mark) error {
	var file bytes.Buffer
	if err := png.Encode(&file, m.picture); err != nil {
		return err
	}
	s.put(`<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" href="data:image/png;base64,%s"/>`+"\n",
		decimal(m.at.x), decimal(m.at.y), decimal(m.at.w), decimal(m.at.h), base64.StdEncoding.EncodeToString(file.Bytes()))
	return nil
}

func (s svg) path(m mark) {
	s.put(`<path d="%s"`, svgPath(m.path))
	c := m.colour
	hex := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
	if m.pen == nil {
		s.put(` fill="%s"%s`, hex, opacity("fill", c))
	} else {
		s.put(` fill="none" stroke="%s"%s stroke-width="%s" stroke-linejoin="round"`, hex, opacity("stroke", c), decimal(m.pen.width))
		if !m.pen.flat {
			s.put(` stroke-linecap="round"`)
		}
		if m.pen.dash > 0 {
			s.put(` stroke-dasharray="%s %s"`, decimal(m.pen.dash), decimal(m.pen.gap()))
		}
	}
	if m.text != "" {
		s.put(` role="img" aria-label="`)
		_ = xml.EscapeText(s.w, []byte(m.text)) // the writer keeps the error
		s.put(`"`)
	}
	s.put("/>\n")
}

func opacity(of string, c color.NRGBA) string {
	if c.A == 255 {
		return ""
	}
	return fmt.Sprintf(` %s-opacity="%s"`, of, decimal(float64(c.A)/255))
}

func svgPath(p path) string {
	var b strings.Builder
	for _, s := range p {
		b.WriteByte(byte(s.verb))
		for k := range s.verb.points() {
			if k > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(decimal(s.at[k].x) + " " + decimal(s.at[k].y))
		}
	}
	return b.String()
}

// decimal is a number with three digits after its point at most: a thousandth of a point can't be seen.
func decimal(v float64) string {
	s := strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}
