package data

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// The files were written by Pillow 13: kinds of JPEG that differ in what a part
// of the picture needs from around it.
func jpegs(t testing.TB) map[string][]byte {
	names, err := filepath.Glob("testdata/jpeg/*.jpg")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		if out[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// decodeBox is the part of a JPEG at 1/denominator of its size inside box.
func decodeBox(t testing.TB, d *Decoder, content []byte, denominator int, box image.Rectangle) (*RGB, error) {
	t.Helper()
	_, _, channels, err := jpegHeader(content)
	if err != nil {
		return nil, err
	}
	left, top, err := d.decodeJPEGPart(content, channels, denominator, box)
	if err != nil {
		return nil, err
	}
	from := box.Sub(image.Pt(left, top))
	if !from.In(d.img.Bounds()) {
		t.Fatalf("box %v of a picture of %dx%d from %d, %d", box, d.img.W, d.img.H, left, top)
	}
	return cut(&d.img, from), nil
}

func cut(img *RGB, box image.Rectangle) *RGB {
	out := NewRGB(box.Dx(), box.Dy())
	for y := range out.H {
		copy(out.Pix[3*y*out.W:][:3*out.W], img.Pix[3*((box.Min.Y+y)*img.W+box.Min.X):])
	}
	return out
}

func randomBox(rng *rand.Rand, w, h int) image.Rectangle {
	x0, y0 := rng.IntN(w), rng.IntN(h)
	return image.Rect(x0, y0, x0+1+rng.IntN(w-x0), y0+1+rng.IntN(h-y0))
}

func TestJPEGPartEqualsWhole(t *testing.T) {
	for name, content := range jpegs(t) {
		for _, denominator := range []int{1, 2, 4, 8} {
			t.Run(fmt.Sprintf("%s/%d", name, denominator), func(t *testing.T) {
				w, h, _, err := jpegHeader(content)
				if err != nil {
					t.Fatal(err)
				}
				w, h = ceilDiv(w, denominator), ceilDiv(h, denominator)
				whole, err := decodeBox(t, &Decoder{plain: true}, content, denominator, image.Rect(0, 0, w, h))
				if err != nil {
					t.Fatal(err)
				}
				var d Decoder
				rng := rand.New(rand.NewPCG(1, uint64(len(content))))
				for range 200 {
					box := randomBox(rng, w, h)
					got, err := decodeBox(t, &d, content, denominator, box)
					if err != nil {
						t.Fatal(err)
					}
					if want := cut(whole, box); !bytes.Equal(got.Pix, want.Pix) {
						t.Fatalf("%v of %dx%d: the pixels differ from those of the whole picture", box, w, h)
					}
				}
			})
		}
	}
}

func TestJPEGFastReaderServes(t *testing.T) {
	for name, content := range jpegs(t) {
		var d Decoder
		if _, err := d.DecodeBytes(name, content); err != nil {
			t.Fatal(err)
		}
		want := name != "420-progressive.jpg" && name != "420-restarts.jpg"
		if d.jpeg.fast != want {
			t.Errorf("%s: fast reader %v, want %v", name, d.jpeg.fast, want)
		}
	}
}

// What is damaged ends as it does with libjpeg alone, in the same error or the
// same pixels.
func checkAsPlain(t testing.TB, content []byte) {
	t.Helper()
	quick, plain := &Decoder{}, &Decoder{plain: true}
	want, wantErr := plain.DecodeBytes("a", content)
	got, gotErr := quick.DecodeBytes("a", content)
	switch {
	case (gotErr == nil) != (wantErr == nil), gotErr != nil && gotErr.Error() != wantErr.Error():
		t.Errorf("error: got %v, want %v", gotErr, wantErr)
	case gotErr == nil && !bytes.Equal(got.Pix, want.Pix):
		t.Errorf("%dx%d: the pixels differ from those of libjpeg alone", got.W, got.H)
	}
}

func TestDamagedJPEG(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for name, content := range jpegs(t) {
		for range 150 {
			damaged := bytes.Clone(content)
			for range 1 + rng.IntN(3) {
				damaged[rng.IntN(len(damaged))] = byte(rng.IntN(256))
			}
			if rng.IntN(4) == 0 {
				damaged = damaged[:rng.IntN(len(damaged))]
			}
			if w, h, _, err := jpegHeader(damaged); err == nil && w*h > 1<<20 {
				continue
			}
			if checkAsPlain(t, damaged); t.Failed() {
				t.Fatalf("%s", name)
			}
		}
	}
}

func TestTruncatedJPEGIsFoundAboveTheEnd(t *testing.T) {
	for name, content := range jpegs(t) {
		var d Decoder
		if _, err := decodeBox(t, &d, content[:len(content)*3/4], 1, image.Rect(0, 0, 20, 20)); err == nil {
			t.Errorf("%s: the upper rows of a truncated file: got no error", name)
		}
	}
}

func FuzzJPEG(f *testing.F) {
	for _, content := range jpegs(f) {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if !isJPEG(content) {
			return
		}
		if w, h, _, err := jpegHeader(content); err == nil && w*h <= 1<<18 {
			checkAsPlain(t, content)
		}
	})
}
