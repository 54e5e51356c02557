package viz_test

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/viz"
)

var update = flag.Bool("update", false, "rewrite the golden pictures")

// TestGolden compares every kind of figure with the picture of it in testdata.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, draw := range figures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, path := draw(), filepath.Join("testdata", name+".png")
			if *update {
				writePNG(t, path, got)
				return
			}
			samePicture(t, got, readPNG(t, path))
		})
	}
}

func figures() map[string]func() image.Image {
	truth := [4]float64{.13, .35, .32, .33}
	return map[string]func() image.Image{
		"overlay_plain": func() image.Image {
			return viz.Overlay(scene(64, 64), bump(4, 4, .3, .5, .2, 1, 1), viz.OverlayOptions{Size: 200})
		},
		"overlay_full": func() image.Image {
			m := bump(24, 16, .28, .5, .1, .013, 1)
			x, y := m.Peak()
			return viz.Overlay(scene(192, 128), m, viz.OverlayOptions{
				Box: [4]float64{.16, .33, .24, .35}, Truth: &[4]float64{.17, .3, .22, .4}, Peak: &[2]float64{x, y},
				Title: "the red circle to the left of the blue square, below the yellow triangle", ColorBar: true,
			})
		},
		"overlay_pixels": func() image.Image {
			return viz.Overlay(scene(24, 36), bump(3, 5, .7, .6, .2, 1, 1),
				viz.OverlayOptions{Interpolation: viz.Pixels, Size: 180, Colormap: viz.Magma, ColorBar: true, Fade: true, Title: "pixels"})
		},
		"attmap":    func() image.Image { return viz.AttMap(scene(96, 64), bump(6, 4, .28, .5, .12, 1, 1)) },
		"grounding": func() image.Image { return viz.Grounding(scene(64, 64), grounding(5, &truth)) },
		"grounding_shared": func() image.Image {
			g := grounding(9, nil)
			g.SharedRange = true
			return viz.Grounding(scene(120, 80), g)
		},
		"sheet":       func() image.Image { return viz.Sheet(sheetItems(7), sheetOptions()) },
		"sheet_empty": func() image.Image { return viz.Sheet(nil, viz.SheetOptions{Title: "a red circle"}) },
		"bars":        func() image.Image { return viz.Bars(answers(), viz.BarsOptions{Title: "what colour is the circle?"}) },
		"bars_picture": func() image.Image {
			return viz.Bars(answers(), viz.BarsOptions{Title: "what colour is the circle?", Image: scene(64, 64)})
		},
		"compare":         comparison,
		"curves":          curves,
		"curves_log":      curvesLog,
		"curves_empty":    func() image.Image { return viz.Curves(nil, viz.CurveOptions{Title: "loss", Width: 320, Height: 200}) },
		"panels":          panels,
		"layer_head_grid": layerHeads,
		"colormaps":       colormapStrips,
		"confusion": func() image.Image {
			return viz.Confusion([][]int{{86, 9, 5}, {12, 71, 17}, {0, 4, 1296}}, []string{"entailment", "neutral", "contradiction"}, viz.ConfusionOptions{Title: "SNLI-VE, test"})
		},
		"confusion_many": confusionMany,
		"other_scripts":  otherScripts,
		"overlay_scale2": func() image.Image {
			return viz.Overlay(scene(64, 64), bump(8, 8, .7, .6, .12, 1, 3), viz.OverlayOptions{Size: 140, Scale: 2, Title: "the blue square", ColorBar: true, Box: [4]float64{.58, .44, .28, .28}})
		},
	}
}

func grounding(n int, truth *[4]float64) viz.GroundingFigure {
	places := [][3]float64{{.5, .5, .5}, {.28, .5, .13}, {.3, .52, .12}, {.5, .4, .2}, {.72, .58, .14}, {.7, .6, .12}, {.5, .8, .3}, {.55, .2, .1}, {.54, .22, .1}}
	words := strings.Fields("the red circle near blue square beside yellow triangularly##shaped")
	g := viz.GroundingFigure{Text: "the red circle near the blue square", Box: sceneBox(), Truth: truth, Score: .982, Mode: "itm", Head: "mean", Layer: 8}
	for i, p := range places[:n] {
		g.Words = append(g.Words, viz.WordMap{Word: words[i], Map: bump(8, 8, p[0], p[1], p[2], .001+.01*float64(i%4), uint64(i))})
	}
	return g
}

func sheetItems(n int) []viz.SheetItem {
	sizes := [][2]int{{64, 64}, {96, 64}, {64, 96}, {64, 64}, {64, 64}, {200, 40}, {64, 64}}
	var items []viz.SheetItem
	for i := range n {
		item := viz.SheetItem{Image: scene(sizes[i][0], sizes[i][1]), Title: "itm 0.98 · itc 0.41", Lines: []string{"scene 0012: a red circle left of a blue square on a green meadow"}, Share: .9 / float64(i+1)}
		if i == 0 {
			item.Mark = viz.Right
		}
		if i == 2 {
			item.Mark = viz.Wrong
		}
		items = append(items, item)
	}
	items[3].Image = nil
	return items
}

func sheetOptions() viz.SheetOptions {
	return viz.SheetOptions{Title: "“a red circle left of a blue square”", Subtitle: "7 of 1000 pictures, re-ranked from 128", Ranked: true}
}

func answers() []viz.Bar {
	return []viz.Bar{{"red", .87, viz.Right}, {"blue", .08, viz.NoMark}, {"a rather long answer that nobody would give", .03, viz.NoMark}, {"yellow", .0004, viz.NoMark}, {"unknown", math.NaN(), viz.NoMark}}
}

func comparison() image.Image {
	return viz.Compare([]viz.CompareSide{
		{Image: scene(64, 64), Caption: "left picture, before training", Map: bump(8, 8, .5, .5, .4, 1, 4)},
		{Image: scene(96, 64), Caption: "right picture, after training", Map: bump(8, 8, .3, .5, .1, 1, 4), Box: [4]float64{.16, .33, .24, .34}},
	}, viz.CompareOptions{Title: "both pictures show a red circle to the left of a blue square", Verdict: "true", Probability: .934, Mark: viz.Right, Size: 220})
}

func curves() image.Image {
	return viz.Curves([]viz.Series{{Name: "itc", Y: losses(600, 4, 1.2, 1)}, {Name: "itm", Y: losses(600, .7, .3, 2)}, {Name: "mlm", Y: losses(600, 6, 2, 3)}},
		viz.CurveOptions{Title: "Pretraining losses", XLabel: "step", YLabel: "loss"})
}

func curvesLog() image.Image {
	y := []float64{3, 1, .4, .15, math.NaN(), .03, 0, .008}
	return viz.Curves([]viz.Series{{Name: "validation", X: []float64{0, 1000, 2000, 3000, 4000, 5000, 6000, 7000}, Y: y}},
		viz.CurveOptions{LogY: true, Width: 400, Height: 240, XLabel: "step", YLabel: "loss, logarithmic"})
}

func panels() image.Image {
	steps := viz.Series{X: []float64{4, 16, 32}, Y: []float64{60, 240, 480}}
	return viz.Panels([]viz.Panel{
		{
			Title: "batch", Note: "14 ms an image + 20 ms, R² 0.998", XLabel: "images", YLabel: "time of a step (ms)", Line: steps,
			Points: []viz.Measured{{4, 80, 70, 95}, {16, 240, 235, 300}, {32, 470, 465, 473}},
		},
		{Title: "pixels", XLabel: "pixels a side", Points: []viz.Measured{{64, 100, 100, 100}, {256, 900, math.NaN(), 1}}},
		{Title: "none", XLabel: "layers", YLabel: "time of a step (ms)"},
	}, viz.PanelsOptions{Title: "A step's cost", Points: "measured: median, fastest to slowest", Line: "expected", Width: 300, Height: 220})
}

func layerHeads() image.Image {
	maps := make([][]viz.Map, 3)
	for l := range maps {
		for h := range 5 {
			maps[l] = append(maps[l], bump(8, 8, .2+.15*float64(h), .3+.2*float64(l), .12, 1, uint64(9*l+h)))
		}
	}
	return viz.LayerHeadGrid(scene(64, 64), maps, viz.GridOptions{Title: "“circle” by layer and head", FirstLayer: 6, Cell: 64, Best: &[2]int{1, 1}})
}

func confusionMany() image.Image {
	counts, names := make([][]int, 14), make([]string, 14)
	for i := range counts {
		names[i] = []string{"red circle", "blue square", "a yellow triangle with a long name indeed", "star"}[i%4]
		for j := range counts {
			counts[i] = append(counts[i], 140/(1+7*max(i-j, j-i))*(i%5))
		}
	}
	return viz.Confusion(counts, names, viz.ConfusionOptions{Truth: "what it is", Predicted: "what the model says", Colormap: viz.Viridis})
}

// otherScripts has text that runs from right to left, alone and mixed, joined Arabic letters, vowel points, and letters that the Go
// fonts lack.
func otherScripts() image.Image {
	return viz.Bars([]viz.Bar{
		{"עיגול אדום", .62, viz.Right},
		{"دائرة حمراء", .2, viz.NoMark},
		{"a שלום 123 עולם b", .08, viz.NoMark},
		{"שָׁלוֹם (12%)", .05, viz.NoMark},
		{"Ĝis revido, əẞ ✓", .03, viz.Chosen},
		{"լուսին → солнце", .02, viz.NoMark},
	}, viz.BarsOptions{Title: "מה צבע העיגול שליד הריבוע הכחול, לפי ALBEF בשכבה 8? ما لون الدائرة؟"})
}

func colormapStrips() image.Image {
	im := image.NewRGBA(image.Rect(0, 0, 256, 16*len(viz.Colormaps())))
	for i, name := range viz.Colormaps() {
		cm, err := viz.ColormapNamed(name)
		if err != nil {
			panic(err)
		}
		for x := range 256 {
			for y := range 16 {
				im.SetRGBA(x, 16*i+y, cm(float64(x)/255))
			}
		}
	}
	return im
}

// samePicture allows what rounding differently on another processor may do: half a grey level on average, and one pixel in five
// thousand clearly different.
func samePicture(t *testing.T, got, want image.Image) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Fatalf("got a picture of %v, want %v", got.Bounds(), want.Bounds())
	}
	b, sum, off := want.Bounds(), 0, 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			d := distance(got.At(x, y), want.At(x, y))
			sum += d
			if d > 48 {
				off++
			}
		}
	}
	n := b.Dx() * b.Dy()
	if mean := float64(sum) / float64(3*n); mean > .5 || off > n/5000 {
		t.Errorf("got mean difference %.3f and %d of %d pixels clearly different, want at most 0.5 and %d", mean, off, n, n/5000)
	}
}

// distance is the sum of the differences of red, green and blue, each 0 to 255.
func distance(a, b color.Color) int {
	c, d := color.RGBAModel.Convert(a).(color.RGBA), color.RGBAModel.Convert(b).(color.RGBA)
	abs := func(v int) int { return max(v, -v) }
	return abs(int(c.R)-int(d.R)) + abs(int(c.G)-int(d.G)) + abs(int(c.B)-int(d.B))
}

func writePNG(t *testing.T, path string, im image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(f, im); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return im
}
