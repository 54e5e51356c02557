package viz_test

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlab/viz"

	"github.com/fogleman/gg"
	"golang.org/x/image/draw"
)

// TestSVGLooksLikeThePicture draws what the SVG says with other code, three pixels a point, and compares it with the picture. They
// differ where the picture has whole pixels and along the edges of letters.
func TestSVGLooksLikeThePicture(t *testing.T) {
	t.Parallel()
	big := map[string]func() image.Image{
		"curves": func() image.Image {
			return viz.Curves([]viz.Series{{Name: "itc & itm <", Y: losses(600, 4, 1.2, 1)}}, viz.CurveOptions{Title: "Pretraining", YLabel: "loss", Scale: 3})
		},
		"bars": func() image.Image {
			return viz.Bars(answers(), viz.BarsOptions{Title: "שלום", Image: scene(64, 64), Scale: 3})
		},
		"confusion": func() image.Image {
			return viz.Confusion([][]int{{5, 2}, {1, 9}}, []string{"entailment", "other"}, viz.ConfusionOptions{Scale: 3})
		},
		"grounding": func() image.Image {
			g := grounding(5, &[4]float64{.13, .35, .32, .33})
			g.Scale = 3
			return viz.Grounding(scene(64, 64), g)
		},
		"sheet": func() image.Image {
			o := sheetOptions()
			o.Scale = 3
			return viz.Sheet(sheetItems(4), o)
		},
	}
	for name, figure := range big {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := figure()
			got := redraw(t, svgElements(t, want), want.Bounds(), 3)
			sum, off, b := 0, 0, want.Bounds()
			for y := b.Min.Y; y < b.Max.Y; y++ {
				for x := b.Min.X; x < b.Max.X; x++ {
					d := distance(got.At(x, y), want.At(x, y))
					sum += d
					if d > 240 {
						off++
					}
				}
			}
			n := b.Dx() * b.Dy()
			if mean := float64(sum) / float64(3*n); mean > 1.2 || off > n/250 {
				t.Errorf("got mean difference %.3f and %d of %d pixels far off, want at most 1.2 and %d", mean, off, n, n/250)
			}
		})
	}
}

// element is a path or a picture of an SVG file.
type element struct {
	d, fill, stroke, width, dash, cap, label string
	alpha                                    float64
	picture                                  image.Image
	at                                       [4]float64
	clip                                     []float64
}

// svgElements writes a figure as SVG and reads it again.
func svgElements(t *testing.T, im image.Image) []element {
	t.Helper()
	var file bytes.Buffer
	if err := viz.SVG(&file, im, viz.PrintOptions{}); err != nil {
		t.Fatal(err)
	}
	var out []element
	clips, clip := map[string][]float64{}, []float64(nil)
	id := ""
	for d := xml.NewDecoder(&file); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.EndElement); ok && e.Name.Local == "g" {
			clip = nil
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		a := map[string]string{}
		for _, x := range e.Attr {
			a[x.Name.Local] = x.Value
		}
		number := func(name string) float64 { v, _ := strconv.ParseFloat(a[name], 64); return v }
		at := []float64{number("x"), number("y"), number("width"), number("height")}
		switch e.Name.Local {
		case "clipPath":
			id = a["id"]
		case "rect":
			clips["url(#"+id+")"] = at
		case "g":
			clip = clips[a["clip-path"]]
		case "path":
			x := element{d: a["d"], fill: a["fill"], stroke: a["stroke"], width: a["stroke-width"], dash: a["stroke-dasharray"], cap: a["stroke-linecap"], label: a["aria-label"], alpha: 1, clip: clip}
			for _, name := range []string{"fill-opacity", "stroke-opacity"} {
				if a[name] != "" {
					x.alpha = number(name)
				}
			}
			out = append(out, x)
		case "image":
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a["href"], "data:image/png;base64,"))
			if err != nil {
				t.Fatal(err)
			}
			pic, err := png.Decode(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, element{picture: pic, at: [4]float64(at), clip: clip})
		}
	}
}

// redraw draws elements at k pixels a point.
func redraw(t *testing.T, elements []element, size image.Rectangle, k float64) image.Image {
	t.Helper()
	dc := gg.NewContext(size.Dx(), size.Dy())
	dc.SetColor(color.White)
	dc.Clear()
	for _, e := range elements {
		if e.clip != nil {
			dc.DrawRectangle(e.clip[0]*k, e.clip[1]*k, e.clip[2]*k, e.clip[3]*k)
			dc.Clip()
		}
		if e.picture != nil {
			px := func(v float64) int { return int(math.Round(v * k)) }
			at := image.Rect(px(e.at[0]), px(e.at[1]), px(e.at[0]+e.at[2]), px(e.at[1]+e.at[3]))
			draw.NearestNeighbor.Scale(dc.Image().(*image.RGBA), at, e.picture, e.picture.Bounds(), draw.Src, nil)
			continue
		}
		tracePath(t, dc, e.d, k)
		dc.SetDash()
		dc.SetLineCapButt()
		if e.cap == "round" {
			dc.SetLineCapRound()
		}
		var r, g, b int
		if _, err := fmt.Sscanf(strings.TrimPrefix(e.fill, "none")+e.stroke, "#%02x%02x%02x", &r, &g, &b); err != nil {
			t.Fatalf("colours %q and %q: %v", e.fill, e.stroke, err)
		}
		dc.SetRGBA(float64(r)/255, float64(g)/255, float64(b)/255, e.alpha)
		if e.stroke == "" {
			dc.Fill()
		} else {
			width, _ := strconv.ParseFloat(e.width, 64)
			dc.SetLineWidth(width * k)
			var dash, gap float64
			if n, _ := fmt.Sscan(e.dash, &dash, &gap); n == 2 {
				dc.SetDash(dash*k, gap*k)
			}
			dc.Stroke()
		}
		dc.ResetClip()
	}
	return dc.Image()
}

func tracePath(t *testing.T, dc *gg.Context, d string, k float64) {
	t.Helper()
	for _, s := range regexp.MustCompile(`[A-Z][^A-Z]*`).FindAllString(d, -1) {
		var v []float64
		for _, n := range strings.Fields(s[1:]) {
			f, err := strconv.ParseFloat(n, 64)
			if err != nil {
				t.Fatal(err)
			}
			v = append(v, f*k)
		}
		switch s[0] {
		case 'M':
			dc.MoveTo(v[0], v[1])
		case 'L':
			dc.LineTo(v[0], v[1])
		case 'Q':
			dc.QuadraticTo(v[0], v[1], v[2], v[3])
		case 'C':
			dc.CubicTo(v[0], v[1], v[2], v[3], v[4], v[5])
		case 'Z':
			dc.ClosePath()
		default:
			t.Fatalf("unknown step %q", s)
		}
	}
}
