package lab_test

import (
	"encoding/base64"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/viz"

	"golang.org/x/image/draw"
)

func ground(t *testing.T, m *lab.Model, img image.Image, sentence string) *lab.Grounding {
	t.Helper()
	g, err := m.Ground(t.Context(), img, sentence)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGroundHasAMapForEveryWord checks the words, and that the text's map is
// the mean over tokens, [CLS] included: so it is no mean of the words' maps.
func TestGroundHasAMapForEveryWord(t *testing.T) {
	m := tiny(t)
	g := ground(t, m, lab.Scenes(1, 1).Scene(0).Render(64), "The red, large circle")
	var words []string
	for _, w := range g.Maps() {
		words = append(words, w.Word)
		if w.Map.W != 8 || w.Map.H != 8 {
			t.Errorf("%s: map of %dx%d, want 8x8", w.Word, w.Map.W, w.Map.H)
		}
	}
	if want := []string{"the", "red", "large", "circle"}; !slices.Equal(words, want) {
		t.Fatalf("words: got %q, want %q", words, want)
	}
	var rest viz.Map // what [CLS] brings to the mean over five tokens
	rest.W, rest.H = 8, 8
	for i, v := range g.Map().V {
		sum := v * 5
		for _, w := range g.Maps() {
			sum -= w.Map.V[i]
		}
		rest.V = append(rest.V, sum)
	}
	if rest.Max() <= 0 || rest.Min() < -1e-7 {
		t.Errorf("five times the text's map less the words' is %g to %g, want the map of [CLS], which is positive", rest.Min(), rest.Max())
	}
	one, err := g.Word("CIRCLE")
	if err != nil {
		t.Fatal(err)
	}
	if w := g.Maps()[3]; !slices.Equal(one.Map().V, w.Map.V) || one.Peak != w.Peak || one.Box != w.Box {
		t.Errorf("Word: got peak %v and box %v, want %v and %v", one.Peak, one.Box, w.Peak, w.Box)
	}
	if _, err := g.Word("square"); err == nil || !strings.Contains(hint(err), "circle") {
		t.Errorf("a word that isn't there: got %v (%s), want the words there are", err, hint(err))
	}
}

// TestWordOfSeveralPiecesIsTheirMean uses the vocabulary of BERT, where a rare
// word has pieces.
func TestWordOfSeveralPiecesIsTheirMean(t *testing.T) {
	c := albef.Tiny()
	c.VisionDepth, c.QueueSize = 1, 4
	core, err := albef.New(c, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	tok := text.Default()
	m := lab.FromTrained(&task.Trained{Model: core, Tokenizer: tok})
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	const sentence = "a zyzzyva circle"
	g := ground(t, m, img, sentence)
	if len(g.Maps()) != 3 || len(tok.Tokenize(sentence)) <= 3 {
		t.Fatalf("%d maps of %q", len(g.Maps()), tok.Tokenize(sentence))
	}
	pieces := tokenMaps(t, core, tok, img, sentence, m.Layer())
	mean := viz.MeanMap(pieces[2 : len(pieces)-1]...)
	for i, v := range g.Maps()[1].Map.V {
		if math.Abs(float64(v-mean.V[i])) > 1e-6 {
			t.Fatalf("cell %d: got %g, want the mean of the pieces %g", i, v, mean.V[i])
		}
	}
}

// tokenMaps is Grad-CAM by hand, a map for each token.
func tokenMaps(t *testing.T, core *albef.Model, tok *text.Tokenizer, img image.Image, sentence string, layer int) []viz.Map {
	t.Helper()
	var out []viz.Map
	ids := tok.Batch([]string{sentence}, text.BatchOptions{})
	var inner error
	err := torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			x := s.Floats(pixels(t, img, core.Config().ImageRes), 1, 3, core.Config().ImageRes, core.Config().ImageRes)
			var maps albef.Maps
			maps, inner = core.GradCAM(core.Image.Forward(x), s.Ints(ids.IDs, 1, ids.T), s.Ints(ids.Mask, 1, ids.T), layer)
			if inner != nil {
				return
			}
			v, grid := maps.Tokens.Floats(), core.Config().Grid()
			for i := range ids.T {
				out = append(out, viz.Map{W: grid, H: grid, V: v[i*grid*grid : (i+1)*grid*grid]})
			}
		})
	})
	if err != nil || inner != nil {
		t.Fatal(err, inner)
	}
	return out
}

// TestGroundMapsBackToThePicture stretches a picture: the model sees the same
// square, so peaks and boxes must lie at the same share of the sides.
func TestGroundMapsBackToThePicture(t *testing.T) {
	m := tiny(t)
	square := lab.Scenes(2, 1).Scene(0).Render(64)
	wide := image.NewRGBA(image.Rect(0, 0, 192, 64))
	draw.NearestNeighbor.Scale(wide, wide.Bounds(), square, square.Bounds(), draw.Src, nil)
	// Squashing repeated columns back is not exact, so neither are the maps: half a patch is allowed.
	a, b := ground(t, m, square, "the red circle"), ground(t, m, wide, "the red circle")
	if math.Abs(a.Peak[0]*3-b.Peak[0]) > 12 || math.Abs(a.Peak[1]-b.Peak[1]) > 4 {
		t.Errorf("peak: got %v, want 3 times the x of %v", b.Peak, a.Peak)
	}
	for i, scale := range []float64{3, 1, 3, 1} {
		if math.Abs(a.Box[i]*scale-b.Box[i]) > 6*scale {
			t.Errorf("box: got %v, want %v with x and width 3 times", b.Box, a.Box)
		}
	}
	if p := b.Peak; p[0] < b.Box[0] || p[0] > b.Box[0]+b.Box[2] || p[1] < b.Box[1] || p[1] > b.Box[1]+b.Box[3] {
		t.Errorf("the peak %v is outside of the box %v", p, b.Box)
	}
	if ratio := float64(b.Image().Bounds().Dx()) / float64(b.Image().Bounds().Dy()); ratio <= 0 {
		t.Errorf("figure of %v", b.Image().Bounds())
	}
}

// TestGroundReadsLayersHeadsAndITC checks that heads average to the mean and
// that layers differ, and what is refused.
func TestGroundReadsLayersHeadsAndITC(t *testing.T) {
	m := tiny(t)
	g := ground(t, m, lab.Scenes(1, 1).Scene(0).Render(64), "the red circle")
	var heads []viz.Map
	for h := range 4 {
		one, err := g.Head(h)
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, one.Map())
	}
	mean := viz.MeanMap(heads...)
	for i, v := range g.Map().V {
		if math.Abs(float64(v-mean.V[i])) > 1e-6 {
			t.Fatalf("cell %d: got %g, want the heads' mean %g", i, v, mean.V[i])
		}
	}
	other, err := g.Layer(2)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(other.Map().V, g.Map().V) || math.Abs(other.Logit-g.Logit) > 1e-4 {
		t.Errorf("layer 2: logit %g for %g, or the same map as layer 3", other.Logit, g.Logit)
	}
	itc, err := g.ITC()
	if err != nil {
		t.Fatal(err)
	}
	if itc.Mode != "itc" || len(itc.Maps()) != 0 || itc.Map().Max() <= 0 || math.Abs(itc.Logit-g.Logit) > 1e-4 {
		t.Errorf("itc: mode %s, %d words, highest %g, logit %g for %g", itc.Mode, len(itc.Maps()), itc.Map().Max(), itc.Logit, g.Logit)
	}
	if itc.PNG() == nil {
		t.Error("itc draws nothing")
	}
	for name, run := range map[string]func() error{
		"layer 1":     func() error { _, err := g.Layer(1); return err },
		"layer 5":     func() error { _, err := g.Layer(5); return err },
		"head 4":      func() error { _, err := g.Head(4); return err },
		"head -2":     func() error { _, err := g.Head(-2); return err },
		"word in itc": func() error { _, err := itc.Word("red"); return err },
		"block 4":     func() error { _, err := itc.Layer(4); return err },
		"nil":         func() error { _, err := (*lab.Grounding)(nil).Head(0); return err },
	} {
		if err := run(); err == nil || hint(err) == "" {
			t.Errorf("%s: got %v, want an error with a hint", name, err)
		}
	}
}

// TestExploreHasEveryLayerAndHead compares an explorer's page with what layers and heads
// give one by one.
func TestExploreHasEveryLayerAndHead(t *testing.T) {
	m := tiny(t)
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	e, err := m.Explore(t.Context(), img, "red circle")
	if err != nil {
		t.Fatal(err)
	}
	g := ground(t, m, img, "red circle")
	if e.Peak != g.Peak || !slices.Equal(e.Map().V, g.Map().V) {
		t.Errorf("the explorer's own map is not that of Ground")
	}
	for layer := m.Config().FusionLayer; layer < m.Config().Layers; layer++ {
		of, err := g.Layer(layer)
		if err != nil {
			t.Fatal(err)
		}
		for head := -1; head < m.Config().Heads; head++ {
			of, err := of.Head(head)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range of.Maps() {
				cells := make([]byte, len(w.Map.V))
				for i, v := range w.Map.V {
					cells[i] = byte(max(0, min(255, 255*float64(v)/w.Map.Max()+.5)))
				}
				if !strings.Contains(e.HTML(), base64.StdEncoding.EncodeToString(cells)) {
					t.Errorf("no map of %q by layer %d, head %d", w.Word, layer, head)
				}
			}
		}
	}
}
