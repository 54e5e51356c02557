package gallery_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef/gallery"
)

// TestFileKeepsWhatIsAdded over the borders of blocks and with room left over.
func TestFileKeepsWhatIsAdded(t *testing.T) {
	draw := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{0, 1, 1023, 1024, 1025, 2500} {
		path := filepath.Join(t.TempDir(), "new", "a.vgal")
		w, err := gallery.Create(path, n+700, 5, gallery.Hash{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		var pictures []gallery.Picture
		var rows [][]float32
		for i := range n {
			pictures = append(pictures, gallery.Picture{Name: strings.Repeat("é", i%9), Size: draw.Int64(), Time: -draw.Int64()})
			rows = append(rows, direction(draw, 5))
			if err := w.Add(pictures[i], rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("the file is there before it is whole")
		}
		if err := w.Finish([]byte("note")); err != nil {
			t.Fatal(err)
		}
		f, err := gallery.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() != n || f.Dim() != 5 || f.Model() != (gallery.Hash{1, 2}) || string(f.Note()) != "note" || !gallery.Is(path) {
			t.Errorf("got %d pictures of %d features, model %v, note %q", f.Len(), f.Dim(), f.Model(), f.Note())
		}
		for i, want := range pictures {
			got, err := f.Picture(i)
			feats, err2 := f.Features(i)
			if err != nil || err2 != nil || got != want || feats[3] != gallery.FromHalf(gallery.ToHalf(rows[i][3])) {
				t.Fatalf("picture %d of %d: got %v %v (%v, %v), want %v", i, n, got, feats, err, err2, want)
			}
		}
		if _, err := f.Picture(n); err == nil {
			t.Errorf("picture %d of %d: no error", n, n)
		}
		if hits, err := f.Search(t.Context(), [][]float32{make([]float32, 5)}, 3); err != nil || len(hits[0]) != min(n, 3) {
			t.Errorf("search of %d: %v, %v", n, hits, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(left) != 1 {
			t.Errorf("the folder holds %v (%v), want the file alone", left, err)
		}
	}
}

// TestCopyKeepsFeatures: a copied row is the same, bit by bit.
func TestCopyKeepsFeatures(t *testing.T) {
	from := fileOf(t, [][]float32{{0.1, 0.2}, {0.3, -0.7}})
	path := filepath.Join(t.TempDir(), "b.vgal")
	w, err := gallery.Create(path, 1, 2, gallery.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Copy(gallery.Picture{Name: "x"}, from, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(nil); err != nil {
		t.Fatal(err)
	}
	f, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	got, err := f.Features(0)
	want, err2 := from.Features(1)
	if err != nil || err2 != nil || !slices.Equal(got, want) {
		t.Errorf("got %v (%v), want %v (%v)", got, err, want, err2)
	}
}

// TestDamageIsFound flips a bit at every place of a file that counts: opening
// it, searching it or reading its pictures says so.
func TestDamageIsFound(t *testing.T) {
	f := fileOf(t, [][]float32{{0.1, 0.2}, {0.3, -0.7}, {0.5, 0.5}})
	whole, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.vgal")
	read := func(content []byte) error {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := gallery.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		_, err = f.Search(t.Context(), [][]float32{{1, 1}}, 3)
		for i := range f.Len() {
			_, one := f.Picture(i)
			err = errors.Join(err, one)
		}
		return err
	}
	if err := read(whole); err != nil {
		t.Fatalf("undamaged: %v", err)
	}
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 4
		// Bytes between the parts, and those that fill an entry up, count for nothing.
		if err := read(damaged); err == nil && whole[at] != 0 {
			t.Errorf("byte %d of %d (%#x) changed: no error", at, len(whole), whole[at])
		} else if err != nil && !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "no saved gallery") &&
			!strings.Contains(err.Error(), "version") && !strings.Contains(err.Error(), "add up") {
			t.Errorf("byte %d: got %v, want that it is damaged", at, err)
		}
		if err := read(whole[:at]); err == nil {
			t.Errorf("cut off at %d of %d: no error", at, len(whole))
		}
	}
	if err := read(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("a byte too many: no error")
	}
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "photo.png")
	if err := os.WriteFile(path, []byte("\x89PNG\r\n\x1a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, dir, filepath.Join(dir, "none")} {
		if _, err := gallery.Open(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: got %v, want an error with the path", p, err)
		}
		if gallery.Is(p) {
			t.Errorf("%s is taken for a gallery", p)
		}
	}
}

func TestWriterRefusesNonsense(t *testing.T) {
	dir := t.TempDir()
	if _, err := gallery.Create(filepath.Join(dir, "a"), 1, 0, gallery.Hash{}); err == nil {
		t.Error("features of no numbers: no error")
	}
	w, err := gallery.Create(filepath.Join(dir, "a"), 1, 2, gallery.Hash{})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string][]float32{
		"too short": {1}, "no number": {float32(math.NaN()), 1}, "infinite": {1, float32(math.Inf(-1))}, "too large": {1, 70000},
	} {
		if err := w.Add(gallery.Picture{}, row); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := w.Add(gallery.Picture{}, []float32{1, 0}); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(gallery.Picture{}, []float32{1, 0}); err == nil {
		t.Error("two where there is room for one: no error")
	}
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("discarded, and %v is left (%v)", left, err)
	}
}

// TestHalf: all numbers of half precision come back, and what lies between two
// goes to the nearer one, to the even one from the middle.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		x := gallery.FromHalf(uint16(h))
		if got := gallery.ToHalf(x); got != uint16(h) && x == x {
			t.Fatalf("%#04x is %g, and comes back as %#04x", h, x, got)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		next := gallery.FromHalf(uint16(h + 1))
		middle := (x + next) / 2 // exact in float32
		even := uint16(h + h&1)
		if got := gallery.ToHalf(middle); got != even {
			t.Fatalf("%g is %#04x, want %#04x", middle, got, even)
		}
		if got := gallery.ToHalf(math.Nextafter32(middle, x)); got != uint16(h) {
			t.Fatalf("just under %g: %#04x, want %#04x", middle, got, h)
		}
		if got := gallery.ToHalf(math.Nextafter32(middle, next)); got != uint16(h+1) {
			t.Fatalf("just over %g: %#04x, want %#04x", middle, got, h+1)
		}
	}
	for x, want := range map[float32]uint16{65504: 0x7bff, 65519.99: 0x7bff, 65520: 0x7c00, -1e9: 0xfc00, float32(math.Inf(1)): 0x7c00, 1e-9: 0} {
		if got := gallery.ToHalf(x); got != want {
			t.Errorf("%g is %#04x, want %#04x", x, got, want)
		}
	}
}
