package data_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/data"
)

// scene draws smooth blobs with a little noise: something like a photograph.
func scene(w, h int, seed uint64) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			p := img.Pix[img.PixOffset(x, y):]
			noise := rng.IntN(8)
			p[0] = byte(128 + 100*x/max(w, 1) - 50*y/max(h, 1) + noise)
			p[1] = byte(120 + int(90*math.Sin(float64(x)/17)*math.Cos(float64(y)/23)) + noise)
			p[2] = byte(120 + int(90*math.Sin(float64(x+y)/31)) + noise)
			p[3] = 255
		}
	}
	return img
}

func encodeJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The files in testdata were written by Pillow 11.3, and so was what each
// should decode to: convert("RGB"), and exif_transpose for the upright ones.
func TestParityTransformDecode(t *testing.T) {
	tests := []struct {
		folder  string
		decoder data.Decoder
	}{
		{"testdata/decode", data.Decoder{}},
		{"testdata/upright", data.Decoder{Upright: true}},
	}
	for _, tt := range tests {
		wants, err := filepath.Glob(tt.folder + "/*.want.png")
		if err != nil || len(wants) == 0 {
			t.Fatalf("%s: %d files, %v", tt.folder, len(wants), err)
		}
		for _, want := range wants {
			t.Run(filepath.Base(want), func(t *testing.T) {
				got, err := tt.decoder.Decode(strings.TrimSuffix(want, ".want.png"))
				if err != nil {
					t.Fatal(err)
				}
				checkPixels(t, got, mustDecode(t, want), 0)
			})
		}
	}
}

func TestOrientationIsIgnoredByDefault(t *testing.T) {
	img := mustDecode(t, "testdata/upright/6.jpg")
	if img.W != 9 || img.H != 5 {
		t.Errorf("size: got %dx%d, want 9x5 as stored", img.W, img.H)
	}
}

func TestDecodeScalesJPEG(t *testing.T) {
	path := writeFile(t, "a.jpg", encodeJPEG(t, scene(401, 200, 1)))
	tests := []struct{ min, w, h int }{
		{0, 401, 200}, {101, 401, 200}, {100, 201, 100}, {26, 101, 50}, {25, 51, 25}, {1, 51, 25},
	}
	for _, tt := range tests {
		img, err := data.Decode(path, tt.min)
		if err != nil {
			t.Fatal(err)
		}
		if img.W != tt.w || img.H != tt.h {
			t.Errorf("min %d: got %dx%d, want %dx%d", tt.min, img.W, img.H, tt.w, tt.h)
		}
	}
	full, half := mustDecode(t, path), new(data.RGB)
	if h, err := data.Decode(path, 100); err != nil {
		t.Fatal(err)
	} else {
		half = h
	}
	if d := meanDifference(half, data.Resize(full, half.W, half.H)); d > 4 {
		t.Errorf("half size differs from the resized picture by %.1f grey levels on average, want at most 4", d)
	}
}

func meanDifference(a, b *data.RGB) float64 {
	sum := 0
	for i := range a.Pix {
		d := int(a.Pix[i]) - int(b.Pix[i])
		sum += max(d, -d)
	}
	return float64(sum) / float64(len(a.Pix))
}

func TestDecodeExtremeSizes(t *testing.T) {
	for _, size := range []image.Point{{X: 1, Y: 1}, {X: 20000, Y: 10}, {X: 3, Y: 5000}} {
		img := scene(size.X, size.Y, 2)
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{"a.jpg": encodeJPEG(t, img), "a.png": b.Bytes()} {
			got := mustDecode(t, writeFile(t, name, content))
			if got.W != size.X || got.H != size.Y {
				t.Errorf("%s: got %dx%d, want %v", name, got.W, got.H, size)
			}
			out := make([]float32, 3*32*32)
			for _, tf := range []data.Transform{data.NewResized(32), data.NewAugmented(data.PretrainAugment(32))} {
				if err := tf.Apply(got, rand.New(rand.NewPCG(1, 1)), out); err != nil {
					t.Errorf("%s %v: %v", name, size, err)
				}
			}
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	photo := encodeJPEG(t, scene(120, 90, 3))
	var b bytes.Buffer
	if err := png.Encode(&b, scene(120, 90, 3)); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(b.Bytes()[:33])
	copy(bomb[16:24], "\x00\x00\xff\xff\x00\x00\xff\xff")
	copy(bomb[29:33], "\x39\x67\x4e\x07") // checksum of the changed header
	tests := []struct {
		name, want, hint string
		content          []byte
	}{
		{"empty.jpg", "empty file", "0 bytes", nil},
		{"half.jpg", "Premature end", "incomplete", photo[:len(photo)/2]},
		{"almost.jpg", "Premature end", "incomplete", photo[:len(photo)-40]},
		{"head.jpg", "", "incomplete", photo[:20]},
		{"three.jpg", "", "incomplete", photo[:3]},
		{"half.png", "not enough pixel data", "incomplete", b.Bytes()[:b.Len()/2]},
		{"page.jpg", "not an image", "web page", []byte("<!DOCTYPE html><html></html>")},
		{"text.png", "not an image", "convert", []byte("hello, this is no picture")},
		{"bomb.png", "65535x65535", "smaller", bomb},
		{"cut.webp", "", "incomplete", []byte("RIFF\x10\x00\x00\x00WEBPVP8 ")},
		{"cut.gif", "", "incomplete", []byte("GIF89a\x01\x00")},
		{"cut.bmp", "", "incomplete", []byte("BM\x01\x00")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img, err := data.Decode(writeFile(t, tt.name, tt.content), 0)
			if err == nil {
				t.Fatalf("got a picture of %dx%d, want an error", img.W, img.H)
			}
			if !strings.Contains(err.Error(), tt.name) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to name %s and say %q", err, tt.name, tt.want)
			}
			checkHint(t, err, tt.hint)
		})
	}
}

func checkHint(t testing.TB, err error, want string) {
	t.Helper()
	var h interface{ Hint() string }
	if !errors.As(err, &h) {
		t.Errorf("%q has no hint, want one with %q", err, want)
	} else if !strings.Contains(h.Hint(), want) {
		t.Errorf("hint: got %q, want it to contain %q", h.Hint(), want)
	}
}

func TestDecodeMissingFile(t *testing.T) {
	_, err := data.Decode("testdata/none.jpg", 0)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.jpg") {
		t.Errorf("got %v, want a not-exist error that names the file", err)
	}
	checkHint(t, err, "image_root")
	if _, err := data.Decode("testdata", 0); err == nil {
		t.Error("decoding a folder: got no error")
	}
}

func TestGrey16IsScaled(t *testing.T) {
	img := image.NewGray16(image.Rect(0, 0, 2, 1))
	img.SetGray16(0, 0, color.Gray16{Y: 0x1234})
	img.SetGray16(1, 0, color.Gray16{Y: 0xffff})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	got := mustDecode(t, writeFile(t, "g.png", b.Bytes()))
	if want := []byte{0x12, 0x12, 0x12, 255, 255, 255}; !bytes.Equal(got.Pix, want) {
		t.Errorf("got %v, want %v", got.Pix, want)
	}
}

func TestFromImage(t *testing.T) {
	src := scene(13, 7, 4)
	sub := src.SubImage(image.Rect(3, 2, 9, 6))
	got := data.FromImage(sub)
	for y := range 4 {
		for x := range 6 {
			want := src.RGBAAt(3+x, 2+y)
			if got.At(x, y) != color.Color(want) {
				t.Fatalf("pixel %d,%d: got %v, want %v", x, y, got.At(x, y), want)
			}
		}
	}
	checkPixels(t, data.FromImage(got.RGBA()), got, 0)
	checkPixels(t, data.FromImage(got), got, 0)
}

func TestDecoderReusesMemory(t *testing.T) {
	path := writeFile(t, "a.jpg", encodeJPEG(t, scene(200, 150, 5)))
	var d data.Decoder
	decode := func() {
		if _, err := d.Decode(path); err != nil {
			t.Fatal(err)
		}
	}
	decode()
	// Opening a file costs a few small ones; the 90 kB of pixels must not be among them.
	if n := testing.AllocsPerRun(20, decode); n > 12 {
		t.Errorf("got %.0f allocations, want at most 12", n)
	}
}

func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob("testdata/decode/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, 0)
		f.Add(content[:len(content)/2], 4)
	}
	f.Fuzz(func(t *testing.T, content []byte, side int) {
		if len(content) > 1<<16 {
			return
		}
		d := data.Decoder{MinSide: side, Upright: side&1 != 0}
		img, err := d.DecodeBytes("fuzz", content)
		if err == nil && (img.W <= 0 || img.H <= 0 || len(img.Pix) != 3*img.W*img.H) {
			t.Errorf("size %dx%d with %d bytes", img.W, img.H, len(img.Pix))
		}
	})
}
