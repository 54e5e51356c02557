package lab_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef/lab"
)

// folder writes n drawn pictures, and a file of 0 bytes that looks like one.
func folder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	g := lab.Scenes(5, n)
	for i := range n {
		var b bytes.Buffer
		if err := png.Encode(&b, g.Scene(i).Render(64)); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, string(rune('a'+i))+".png"), b.Bytes())
	}
	write(t, filepath.Join(dir, "b-empty.png"), nil)
	return dir
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRetrieveEqualsBruteForce compares the hits with ITC over single pictures
// and ITM on every one of them, the best of ITC ranked by both.
func TestRetrieveEqualsBruteForce(t *testing.T) {
	const n, text = 40, "a red circle left of a blue square"
	m, g := tiny(t), lab.Scenes(5, n)
	got, err := m.Retrieve(t.Context(), g, text, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got.Searched != n || len(got.Hits) != 5 {
		t.Fatalf("got %d hits of %d, want 5 of %d", len(got.Hits), got.Searched, n)
	}
	type scored struct {
		index           int
		itc, itm, score float64
	}
	var all []scored
	for i := range n {
		one, err := m.Describe(t.Context(), g.Scene(i).Render(64), []string{text}, 1)
		if err != nil {
			t.Fatal(err)
		}
		hit := one.Hits[0]
		all = append(all, scored{i, hit.ITC, hit.ITM, both(hit.Probability, hit.ITC)})
	}
	slices.SortFunc(all, func(a, b scored) int { return compare(b.itc, a.itc) })
	short := all[:lab.Shortlisted]
	slices.SortFunc(short, func(a, b scored) int { return compare(b.score, a.score) })
	for i, h := range got.Hits {
		if want := short[i]; h.Index != want.index || math.Abs(h.ITM-want.itm) > 1e-4 || math.Abs(h.ITC-want.itc) > 1e-4 || h.Rank != i+1 {
			t.Errorf("hit %d: got %+v, want %+v", i, h, want)
		}
	}
}

// both is what ranks a shortlist: ITM's log-probability, and ITC over the
// temperature that an untrained model has.
func both(probability, itc float64) float64 { return math.Log(probability) + itc/0.07 }

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// TestDescribeRanksByBoth checks that texts are ordered by what ITM and ITC say
// together.
func TestDescribeRanksByBoth(t *testing.T) {
	m, g := tiny(t), lab.Scenes(9, 30)
	captions := g.AllCaptions()
	img := g.Scene(4).Render(100)
	got, err := m.Describe(t.Context(), img, captions, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Hits) != 30 || got.Searched != 30 {
		t.Fatalf("asked for 100 of 30: got %d of %d", len(got.Hits), got.Searched)
	}
	for i, h := range got.Hits {
		if h.Caption != captions[h.Index] {
			t.Errorf("hit %d: caption %q is not number %d", i, h.Caption, h.Index)
		}
		if i > 0 {
			before := got.Hits[i-1]
			if now, then := both(h.Probability, h.ITC), both(before.Probability, before.ITC); now > then+1e-5 {
				t.Errorf("hit %d: score %v, above that of the one before, %v", i, now, then)
			}
		}
		if alone, err := m.Describe(t.Context(), img, []string{h.Caption}, 1); err != nil || math.Abs(alone.Hits[0].ITM-h.ITM) > 1e-4 {
			t.Errorf("%q: ITM %v among all, %v alone (%v)", h.Caption, h.ITM, alone, err)
		}
	}
	few, err := m.Describe(t.Context(), img, captions, 3)
	if err != nil || len(few.Hits) != 3 {
		t.Fatalf("3 captions: %v, %v", few, err)
	}
}

// TestGalleryIsReadOnce removes the files after the first search.
func TestGalleryIsReadOnce(t *testing.T) {
	m := opened(t)
	dir := folder(t, 20)
	g, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Retrieve(t.Context(), g, "a red circle", 20)
	if err != nil {
		t.Fatal(err)
	}
	if first.Searched != 20 {
		t.Errorf("searched %d pictures, want 20", first.Searched)
	}
	if bad := g.Bad(); len(bad) != 1 || !strings.Contains(bad[0], "b-empty.png") {
		t.Errorf("bad pictures: got %q, want b-empty.png alone", bad)
	}
	if text := first.String(); !strings.Contains(text, "b-empty.png") {
		t.Errorf("the table does not name the bad picture:\n%s", text)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	second, err := m.Retrieve(t.Context(), g, "a red circle", 20)
	if err != nil {
		t.Fatalf("second search: %v", err)
	}
	if !slices.Equal(first.Hits, second.Hits) {
		t.Errorf("second search: got %v, want %v", second.Hits, first.Hits)
	}
}

// TestInterruptedReadingGoesOn cancels while the gallery is read for the first
// time; the next search finds everything.
func TestInterruptedReadingGoesOn(t *testing.T) {
	m, g := opened(t), lab.Scenes(5, 60)
	ctx, cancel := context.WithCancel(t.Context())
	sink := &recorder{onUpdate: cancel}
	if _, err := m.Retrieve(lab.WithSink(ctx, sink), g, "a red circle", 3); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(sink.ids) != 1 {
		t.Errorf("reading 60 pictures showed %d displays, want one bar", len(sink.ids))
	}
	got, err := m.Retrieve(t.Context(), g, "a red circle", 3)
	if err != nil || got.Searched != 60 {
		t.Fatalf("after the interrupt: %v, %v", got, err)
	}
	fresh, err := opened(t).Retrieve(t.Context(), g, "a red circle", 3)
	if err != nil || !slices.Equal(got.Hits, fresh.Hits) {
		t.Errorf("after the interrupt: got %v, want %v (%v)", got, fresh, err)
	}
}

func TestGalleryOfJSON(t *testing.T) {
	dir := folder(t, 3)
	path := filepath.Join(dir, "captions.json")
	write(t, path, []byte(`[{"image":"a.png","caption":"one"},{"image":"b.png","caption":["two","three"]},{"image":"a.png","caption":"four"}]`))
	g, err := lab.Gallery(path)
	if err != nil {
		t.Fatal(err)
	}
	if g.Len() != 2 || !slices.Equal(g.Captions(0), []string{"one", "four"}) || !slices.Equal(g.AllCaptions(), []string{"one", "four", "two", "three"}) {
		t.Errorf("got %d pictures, captions %q", g.Len(), g.AllCaptions())
	}
	write(t, path, []byte(`[{"image":"nowhere/a.png","caption":"one"}]`))
	if _, err := lab.Gallery(path); err == nil || !strings.Contains(hint(err), "folder") {
		t.Errorf("json without its images: got %v (%s), want a hint on the folder", err, hint(err))
	}
	write(t, path, []byte(`[{"image":"a.png","caption":"one"}]`))
	if g, err := lab.Gallery(path, t.TempDir()); err == nil {
		t.Errorf("images under another root: got %v, want an error", g)
	}
}

func TestQueriesRefuseNonsense(t *testing.T) {
	m, g := tiny(t), lab.Scenes(1, 3)
	img := g.Scene(0).Render(64)
	var noImage *image.RGBA
	var noModel *lab.Model
	empty := filepath.Join(t.TempDir(), "empty.png")
	write(t, empty, nil)
	ctx := t.Context()
	for name, run := range map[string]func() error{
		"0-byte picture":     func() error { _, err := lab.Load(empty); return err },
		"no such picture":    func() error { _, err := lab.Load(empty + "x"); return err },
		"no such gallery":    func() error { _, err := lab.Gallery(empty + "x"); return err },
		"picture as gallery": func() error { _, err := lab.Gallery(empty); return err },
		"empty gallery":      func() error { _, err := m.Retrieve(ctx, lab.Scenes(1, 0), "a circle", 3); return err },
		"no gallery":         func() error { _, err := m.Retrieve(ctx, nil, "a circle", 3); return err },
		"empty text":         func() error { _, err := m.Retrieve(ctx, g, " ", 3); return err },
		"text of signs":      func() error { _, err := m.Ground(ctx, img, "?!"); return err },
		"endless text":       func() error { _, err := m.Ground(ctx, img, strings.Repeat("red ", 300)); return err },
		"nil picture":        func() error { _, err := m.Ground(ctx, nil, "a circle"); return err },
		"nil pointer":        func() error { _, err := m.Describe(ctx, noImage, []string{"a circle"}, 3); return err },
		"no pixels":          func() error { _, err := m.Ground(ctx, image.NewRGBA(image.Rect(0, 0, 0, 5)), "a circle"); return err },
		"no captions":        func() error { _, err := m.Describe(ctx, img, nil, 3); return err },
		"an empty caption":   func() error { _, err := m.Describe(ctx, img, []string{"a circle", ""}, 3); return err },
		"picture 9 of 3":     func() error { _, err := g.Image(9); return err },
	} {
		if err := run(); err == nil || hint(err) == "" {
			t.Errorf("%s: got %v, want an error with a hint", name, err)
		}
	}
	if _, err := noModel.Retrieve(ctx, g, "a circle", 3); err == nil {
		t.Error("no model: no error")
	}
	if got, err := m.Retrieve(nil, g, "a circle", 3); err != nil || len(got.Hits) != 3 { //nolint:staticcheck // cells may pass nil
		t.Errorf("nil context: %v, %v", got, err)
	}
}

// TestUnknownWordsAreNamed: all of them look like one word to the model.
func TestUnknownWordsAreNamed(t *testing.T) {
	m, g := tiny(t), lab.Scenes(1, 3)
	got, err := m.Retrieve(t.Context(), g, "a turquoise circle near a Zebra, turquoise", 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"turquoise", "near", "zebra"}; !slices.Equal(got.Unknown, want) {
		t.Errorf("got %q, want %q", got.Unknown, want)
	}
	if text := got.String(); !strings.Contains(text, "vocabulary: turquoise, near, zebra") {
		t.Errorf("the table does not name them:\n%s", text)
	}
}

// TestResultsDrawThemselves decodes what a notebook would show.
func TestResultsDrawThemselves(t *testing.T) {
	m, g := tiny(t), lab.Scenes(1, 5)
	img := g.Scene(0).Render(64)
	hits, err := m.Retrieve(t.Context(), g, "a circle", 3)
	if err != nil {
		t.Fatal(err)
	}
	captions, err := m.Describe(t.Context(), img, g.AllCaptions(), 3)
	if err != nil {
		t.Fatal(err)
	}
	ground, err := m.Ground(t.Context(), img, "the red circle")
	if err != nil {
		t.Fatal(err)
	}
	for name, figure := range map[string][]byte{"ranking": hits.PNG(), "captions": captions.PNG(), "grounding": ground.PNG()} {
		pic, err := png.Decode(bytes.NewReader(figure))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if b := pic.Bounds(); b.Dx() < 100 || b.Dy() < 100 {
			t.Errorf("%s: a figure of %v", name, b)
		}
	}
	var none *lab.Ranking
	if none.PNG() != nil || none.String() == "" {
		t.Error("a nil ranking draws something or has no text")
	}
}

// recorder is a sink that counts.
type recorder struct {
	ids      []string
	updates  int
	pictures int
	last     map[string]any
	onUpdate func()
}

func (r *recorder) Show(id string, mime map[string]any) {
	r.ids = append(r.ids, id)
	r.Update(id, mime)
}

func (r *recorder) Update(_ string, mime map[string]any) {
	r.updates++
	if mime["image/png"] != nil {
		r.pictures++
	} else {
		r.last = mime
	}
	if r.onUpdate != nil {
		r.onUpdate()
	}
}
