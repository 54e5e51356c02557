package viz_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vlab/viz"
)

// pdfPage is the page's size in points and what is drawn on it.
func pdfPage(t *testing.T, im image.Image, o viz.PrintOptions) (w, h float64, content string) {
	t.Helper()
	var file bytes.Buffer
	if err := viz.PDF(&file, im, o); err != nil {
		t.Fatal(err)
	}
	box := regexp.MustCompile(`/MediaBox ?\[0 0 ([0-9.]+) ([0-9.]+)\]`).FindSubmatch(file.Bytes())
	if box == nil {
		t.Fatal("the page has no size")
	}
	w, _ = strconv.ParseFloat(string(box[1]), 64)
	h, _ = strconv.ParseFloat(string(box[2]), 64)
	_, rest, _ := bytes.Cut(file.Bytes(), []byte("stream\n"))
	r, err := zlib.NewReader(bytes.NewReader(rest))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return w, h, string(raw)
}

// TestPDFDrawsWhatSVGDraws counts: as many filled paths, stroked paths and pictures, and as many steps of each kind in the paths.
func TestPDFDrawsWhatSVGDraws(t *testing.T) {
	t.Parallel()
	for name, figure := range figures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			im := figure()
			want, got := map[string]int{}, map[string]int{}
			for _, e := range svgElements(t, im) {
				switch {
				case e.picture != nil:
					want["Do"]++
				case e.stroke != "":
					want["S"]++
				default:
					want["f"]++
				}
				want["m"] += strings.Count(e.d, "M")
				want["l"] += strings.Count(e.d, "L")
				want["c"] += strings.Count(e.d, "Q") + strings.Count(e.d, "C")
				want["h"] += strings.Count(e.d, "Z")
			}
			_, _, content := pdfPage(t, im, viz.PrintOptions{})
			for _, m := range regexp.MustCompile(`(?m)(?:^|\s)(Do|[Sfmlch])(?:\s|$)`).FindAllStringSubmatch(strings.ReplaceAll(content, "\n", " \n "), -1) {
				got[m[1]]++
			}
			for op, n := range want {
				if got[op] != n {
					t.Errorf("operator %s: got %d, want %d", op, got[op], n)
				}
			}
		})
	}
}

func TestChartsHoldNoPixels(t *testing.T) {
	steps := []viz.Series{{Name: "itc", Y: losses(60, 4, 1, 1)}}
	for name, im := range map[string]image.Image{
		"curves": viz.Curves(steps, viz.CurveOptions{Title: "loss"}), "bars": viz.Bars(answers(), viz.BarsOptions{}), "panels": panels(),
	} {
		for _, e := range svgElements(t, im) {
			if e.picture != nil {
				t.Errorf("%s: holds a picture at %v", name, e.at)
			}
		}
	}
}

func TestPrintSize(t *testing.T) {
	curve, photo := viz.Curves(nil, viz.CurveOptions{Width: 360, Height: 180}), scene(300, 150)
	for _, c := range []struct {
		name string
		im   image.Image
		o    viz.PrintOptions
		w, h float64 // in millimetres
	}{
		{"figure's own", curve, viz.PrintOptions{}, 127, 63.5},
		{"photograph's own", photo, viz.PrintOptions{}, 25.4, 12.7},
		{"width", curve, viz.PrintOptions{Width: 170}, 170, 85},
		{"height", photo, viz.PrintOptions{Height: 20}, 40, 20},
		{"fits the height", curve, viz.PrintOptions{Width: 170, Height: 50}, 100, 50},
		{"fits the width", photo, viz.PrintOptions{Width: 60, Height: 50}, 60, 30},
	} {
		w, h, _ := pdfPage(t, c.im, c.o)
		if k := 25.4 / 72; math.Abs(w*k-c.w) > .01 || math.Abs(h*k-c.h) > .01 {
			t.Errorf("%s: got a page of %.2f by %.2f mm, want %g by %g", c.name, w*k, h*k, c.w, c.h)
		}
		var file bytes.Buffer
		if err := viz.SVG(&file, c.im, c.o); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`width="%gmm" height="%gmm"`, c.w, c.h); !strings.Contains(file.String(), want) {
			t.Errorf("%s: got %.140q, want %s in it", c.name, file.String(), want)
		}
	}
}

// TestPhotographsAreEmbedded reads a picture out of the SVG again; transparent parts have become white.
func TestPhotographsAreEmbedded(t *testing.T) {
	e := svgElements(t, scene(30, 20))
	if len(e) != 1 {
		t.Fatalf("got %d elements, want one", len(e))
	}
	samePicture(t, e[0].picture, scene(30, 20))
	e = svgElements(t, solid(4, 4, color.Transparent))
	if d := distance(e[0].picture.At(1, 1), color.White); d != 0 {
		t.Errorf("transparent: got %v, want white", e[0].picture.At(1, 1))
	}
}

// brokenPipe fails after n bytes.
type brokenPipe struct{ n int }

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestPrintErrors(t *testing.T) {
	for name, write := range map[string]func(io.Writer, image.Image, viz.PrintOptions) error{"svg": viz.SVG, "pdf": viz.PDF} {
		for _, c := range []struct {
			im   image.Image
			o    viz.PrintOptions
			want string
		}{
			{nil, viz.PrintOptions{}, "empty"},
			{image.NewRGBA(image.Rectangle{}), viz.PrintOptions{}, "empty"},
			{scene(9, 9), viz.PrintOptions{Width: -3}, "-3 by 0 mm"},
			{scene(9, 9), viz.PrintOptions{Height: math.NaN()}, "0 by NaN mm"},
		} {
			if err := write(io.Discard, c.im, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q in it", name, err, c.want)
			}
		}
		if err := write(&brokenPipe{n: 50}, panels(), viz.PrintOptions{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s to a closed pipe: got %v", name, err)
		}
	}
}
