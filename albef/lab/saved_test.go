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
	"time"

	"vlab/albef/lab"
)

// save saves a gallery, and opens the file.
func save(t *testing.T, m *lab.Model, g *lab.Images, path string) (*lab.Images, *lab.SavedGallery) {
	t.Helper()
	done, err := m.SaveGallery(t.Context(), g, path)
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, path), done
}

func reopen(t *testing.T, path string) *lab.Images {
	t.Helper()
	g, err := lab.OpenGallery(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func retrieve(t *testing.T, m *lab.Model, g *lab.Images, text string, k int) *lab.Ranking {
	t.Helper()
	found, err := m.Retrieve(t.Context(), g, text, k)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sameHits compares hits: ITM is the same, ITC but for half precision.
func sameHits(t *testing.T, got, want []lab.Hit) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d hits, want %d", len(got), len(want))
	}
	for i, h := range got {
		w := want[i]
		if h.Image != w.Image || math.Abs(h.ITM-w.ITM) > 1e-4 || math.Abs(h.ITC-w.ITC) > 1e-3 {
			t.Errorf("hit %d: got %+v, want %+v", i, h, w)
		}
	}
}

// TestSavedGalleryFindsTheSame compares a saved gallery, searched by a model of
// its own, with one in memory: of files, of scenes, and after what the session
// knew already.
func TestSavedGalleryFindsTheSame(t *testing.T) {
	const text = "a red circle"
	dir := folder(t, 20)
	files, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]*lab.Images{"files": files, "scenes": lab.Scenes(5, 20)} {
		m := opened(t)
		path := filepath.Join(dir, name+".vgal")
		saved, done := save(t, m, g, path)
		if saved.Len() != 20 || done.Pictures != 20 || done.Encoded != 20 || !done.Written {
			t.Errorf("%s: got %d pictures, %+v", name, saved.Len(), done)
		}
		want := retrieve(t, m, g, text, 20)
		got := retrieve(t, opened(t), saved, text, 20)
		sameHits(t, got.Hits, want.Hits)
		if got.Searched != 20 || len(got.Changed) > 0 || got.PNG() == nil {
			t.Errorf("%s: searched %d, changed %v", name, got.Searched, got.Changed)
		}
		known, err := m.SaveGallery(t.Context(), g, filepath.Join(dir, "known.vgal"))
		if err != nil || known.Encoded != 0 || known.Pictures != 20 {
			t.Errorf("%s: searched before, saving says %v (%v), want nothing encoded", name, known, err)
		}
		sameHits(t, retrieve(t, m, reopen(t, filepath.Join(dir, "known.vgal")), text, 20).Hits, want.Hits)
		again, err := m.SaveGallery(t.Context(), saved, path)
		if err != nil || again.Written || again.Pictures != 20 || !strings.Contains(again.String(), "up to date") {
			t.Errorf("%s: saving it again: %v (%v), want that it is up to date", name, again, err)
		}
		if err := os.Remove(filepath.Join(dir, "known.vgal")); err != nil {
			t.Fatal(err)
		}
	}
	if g, err := lab.Gallery(filepath.Join(dir, "files.vgal")); err != nil || g.Len() != 20 {
		t.Errorf("lab.Gallery of a saved one: %v, %v", g, err)
	} else if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// TestSavedGalleryMoves with its pictures.
func TestSavedGalleryMoves(t *testing.T) {
	m, dir := opened(t), folder(t, 3)
	g, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	save(t, m, g, filepath.Join(dir, "a.vgal"))
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	saved := reopen(t, filepath.Join(moved, "a.vgal"))
	if got := retrieve(t, m, saved, "a circle", 3).Hits; len(got) != 3 || filepath.Dir(got[0].Image) != moved {
		t.Errorf("got %v, want three pictures in %s", got, moved)
	}
}

// drawn writes a picture of a scene, at a time of its own.
func drawn(t *testing.T, path string, scene int, when time.Time) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, lab.Scenes(77, scene+1).Scene(scene).Render(64)); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

// TestChangedAndGonePictures are told of when they are found, and put right when
// the gallery is saved again.
func TestChangedAndGonePictures(t *testing.T) {
	const text = "a red circle"
	m, dir := opened(t), folder(t, 6)
	path := filepath.Join(dir, "a.vgal")
	g, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	saved, done := save(t, m, g, path)
	if len(done.Bad) != 1 || !strings.Contains(done.String(), "b-empty.png") {
		t.Errorf("got %v, want that b-empty.png is bad", done)
	}
	drawn(t, filepath.Join(dir, "b.png"), 3, time.Now().Add(time.Hour))
	drawn(t, filepath.Join(dir, "new.png"), 4, time.Now())
	if err := os.Remove(filepath.Join(dir, "c.png")); err != nil {
		t.Fatal(err)
	}
	found := retrieve(t, m, saved, text, 3)
	if want := []string{filepath.Join(dir, "b.png")}; !slices.Equal(found.Changed, want) || !strings.Contains(found.String(), "b.png: save it again") {
		t.Errorf("changed: got %v, want %v\n%s", found.Changed, want, found)
	}
	if bad := saved.Bad(); len(bad) != 2 || !strings.Contains(bad[0], "b-empty.png") || !strings.Contains(bad[1], "c.png has gone") {
		t.Errorf("got %q, want that b-empty.png can't be read and c.png has gone", bad)
	}
	now, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := retrieve(t, opened(t), now, text, 6)
	for _, h := range found.Hits {
		i := slices.IndexFunc(want.Hits, func(w lab.Hit) bool { return w.Image == h.Image })
		if i < 0 || math.Abs(h.ITM-want.Hits[i].ITM) > 1e-4 || math.Abs(h.ITC-want.Hits[i].ITC) > 1e-3 {
			t.Errorf("got %+v, want what it is now, %+v", h, want.Hits)
		}
	}
	saved, done = save(t, opened(t), now, path)
	if done.Pictures != 6 || done.Encoded != 2 || done.Changed != 1 || done.Gone != 1 || len(done.Bad) != 1 {
		t.Errorf("saved again: %+v, want 6 pictures, 2 encoded, 1 changed, 1 gone, 1 bad", done)
	}
	found = retrieve(t, m, saved, text, 6)
	sameHits(t, found.Hits, want.Hits)
	if len(found.Changed) > 0 || len(saved.Bad()) != 1 {
		t.Errorf("after that: changed %v, bad %v", found.Changed, saved.Bad())
	}
	if done, err := m.SaveGallery(t.Context(), now, path); err != nil || done.Written || len(done.Bad) != 1 {
		t.Errorf("a third time: %+v (%v), want that it is up to date, with a bad picture", done, err)
	}
}

// TestSavedGalleryLooksFurther where all that is near has gone.
func TestSavedGalleryLooksFurther(t *testing.T) {
	m, dir := opened(t), folder(t, 26)
	g, err := lab.Gallery(dir)
	if err != nil {
		t.Fatal(err)
	}
	saved, _ := save(t, m, g, filepath.Join(dir, "a.vgal"))
	first := retrieve(t, m, saved, "a red circle", 16)
	for _, h := range first.Hits {
		if err := os.Remove(h.Image); err != nil {
			t.Fatal(err)
		}
	}
	if got := retrieve(t, m, saved, "a red circle", 16); len(got.Hits) != 10 || len(saved.Bad()) != 17 {
		t.Errorf("got %d hits and %d bad, want 10, and 16 gone beside the empty one", len(got.Hits), len(saved.Bad()))
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Retrieve(t.Context(), saved, "a red circle", 16); err == nil || !strings.Contains(err.Error(), "can be read") {
		t.Errorf("without any: got %v, %v", got, err)
	}
}

// TestSavedGalleryOfAnotherModel is refused, and left as it is.
func TestSavedGalleryOfAnotherModel(t *testing.T) {
	m, g := opened(t), lab.Scenes(5, 4)
	path := filepath.Join(t.TempDir(), "a.vgal")
	saved, _ := save(t, m, g, path)
	other, err := lab.Untrained(m, 99)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	larger, err := lab.Open(saveOf(t, m), lab.WithDevice("cpu"), lab.WithImageRes(96))
	if err != nil {
		t.Fatal(err)
	}
	defer larger.Close()
	for name, other := range map[string]*lab.Model{"other weights": other, "another picture size": larger} {
		_, searching := other.Retrieve(t.Context(), saved, "a circle", 3)
		_, saving := other.SaveGallery(t.Context(), g, path)
		for _, err := range []error{searching, saving} {
			if err == nil || !strings.Contains(err.Error(), m.FeatureHash()) || !strings.Contains(err.Error(), other.FeatureHash()) ||
				!strings.Contains(hint(err), "make it anew") {
				t.Errorf("%s: got %v (%s), want both hashes and a hint", name, err, hint(err))
			}
		}
	}
	retrieve(t, m, reopen(t, path), "a circle", 3)
}

func saveOf(t *testing.T, m *lab.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFeatureHash is one model's whatever its precision and however often it is
// opened, and another's is another.
func TestFeatureHash(t *testing.T) {
	m := tiny(t)
	want := m.FeatureHash()
	if got := opened(t).FeatureHash(); got != want {
		t.Errorf("through a file in half precision: got %s, want %s", got, want)
	}
	demo, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer demo.Close()
	// Whoever changes the demo model or what the hash is over changes this too:
	// people's saved galleries have to be made anew then.
	if got := demo.FeatureHash(); got == want || got != demoHash {
		t.Errorf("the demo model: got %s, want %s", got, demoHash)
	}
}

const demoHash = "a313f44dbbea"

// countdown is a context that ends after it was asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}

// TestInterruptedSavingGoesOn: the file has what was done, and the next call the
// rest.
func TestInterruptedSavingGoesOn(t *testing.T) {
	m, g := opened(t), lab.Scenes(5, 60)
	path := filepath.Join(t.TempDir(), "a.vgal")
	_, err := m.SaveGallery(&countdown{t.Context(), 30}, g, path)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 60 pictures are in") || hint(err) == "" {
		t.Errorf("interrupted: got %v (%s)", err, hint(err))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.SaveGallery(ended, g, filepath.Join(t.TempDir(), "b.vgal")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before it began: got %v", err)
	}
	had := reopen(t, path).Len()
	if had < 10 || had > 30 {
		t.Errorf("the file has %d pictures, want 10 to 30", had)
	}
	saved, done := save(t, m, g, path)
	if saved.Len() != 60 || done.Encoded != 60-had {
		t.Errorf("of 60 pictures %d were saved, then %d encoded; %d are in the file", had, done.Encoded, saved.Len())
	}
	sameHits(t, retrieve(t, m, saved, "a red circle", 5).Hits, retrieve(t, m, g, "a red circle", 5).Hits)
}

func TestSavedGalleryErrors(t *testing.T) {
	m, g, dir := opened(t), lab.Scenes(5, 4), t.TempDir()
	path := filepath.Join(dir, "a.vgal")
	saved, _ := save(t, m, g, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	short, photo := filepath.Join(dir, "short.vgal"), filepath.Join(dir, "photo.png")
	write(t, short, whole[:len(whole)/2])
	write(t, photo, []byte("a photo"))
	if err := saved.Close(); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"cut off":         func() error { _, err := lab.OpenGallery(short); return err },
		"cut off, saving": func() error { _, err := m.SaveGallery(t.Context(), g, short); return err },
		"foreign":         func() error { _, err := lab.OpenGallery(photo); return err },
		"not there":       func() error { _, err := lab.OpenGallery(photo + "x"); return err },
		"over a photo":    func() error { _, err := m.SaveGallery(t.Context(), g, photo); return err },
		"an empty one":    func() error { _, err := m.SaveGallery(t.Context(), lab.Scenes(1, 0), path+"x"); return err },
		"closed":          func() error { _, err := m.Retrieve(t.Context(), saved, "a circle", 2); return err },
		"a vqa model":     func() error { _, err := asker(t, "yes").SaveGallery(t.Context(), g, path); return err },
	} {
		if err := run(); err == nil || name != "closed" && name != "not there" && hint(err) == "" {
			t.Errorf("%s: got %v, want an error with a hint", name, err)
		}
	}
	if left, _ := os.ReadFile(photo); string(left) != "a photo" {
		t.Error("the photo has been written over")
	}
	if g.Close() != nil || g.Len() != 4 {
		t.Error("closing drawn scenes does something")
	}
	var img image.Image
	if img, err = reopen(t, path).Image(1); err != nil || img.Bounds().Dx() != 256 {
		t.Errorf("a scene of a saved gallery: %v, %v", img, err)
	}
}
