package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
)

// RGB is a picture of 8 bits a channel: Pix holds H rows of W pixels of three
// bytes, with no padding. It is an [image.Image].
type RGB struct {
	W, H int
	Pix  []byte
}

// NewRGB returns a black picture of w by h pixels.
func NewRGB(w, h int) *RGB {
	m := &RGB{}
	m.reset(w, h)
	return m
}

// ColorModel is color.RGBAModel: every pixel is opaque.
func (m *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds begins at 0, 0.
func (m *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At returns the pixel at x, y, or an opaque black outside of the picture.
func (m *RGB) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= m.W || y >= m.H {
		return color.RGBA{A: 255}
	}
	p := m.Pix[3*(y*m.W+x):][:3]
	return color.RGBA{R: p[0], G: p[1], B: p[2], A: 255}
}

// RGBA returns a copy as an *image.RGBA, the form that drawing code likes best.
func (m *RGB) RGBA() *image.RGBA {
	out := image.NewRGBA(m.Bounds())
	for i, o := 0, 0; i < len(m.Pix); i, o = i+3, o+4 {
		copy(out.Pix[o:o+3], m.Pix[i:i+3])
		out.Pix[o+3] = 255
	}
	return out
}

// Clone returns a copy that shares nothing with m.
func (m *RGB) Clone() *RGB {
	return &RGB{W: m.W, H: m.H, Pix: bytes.Clone(m.Pix)}
}

// reset makes m a picture of w by h with undefined pixels, keeping its memory
// where it suffices.
func (m *RGB) reset(w, h int) {
	m.W, m.H, m.Pix = w, h, grow(m.Pix, w*h*3)
}

// copyFrom makes m equal to src.
func (m *RGB) copyFrom(src *RGB) {
	m.reset(src.W, src.H)
	copy(m.Pix, src.Pix)
}

// grow returns p with length n and undefined content, or new memory where p has
// too little. There are slack bytes more behind it, see fast.
func grow(p []byte, n int) []byte {
	if cap(p) < n+slack {
		return make([]byte, n, n+slack)
	}
	return p[:n]
}

// Decoder opens image files the way the official code does, by Pillow's
// Image.open(path).convert("RGB"): the format is told from the content, alpha
// is dropped without compositing, of an animated GIF the first frame counts.
// It differs in two points: a truncated file is an error, and grey pictures of
// 16 bits are scaled to 8 where Pillow clips them to white.
//
// JPEG goes through libjpeg-turbo; PNG, GIF, WebP and BMP through Go's
// decoders. The zero Decoder is ready. A Decoder reuses its memory, so it
// serves one goroutine at a time.
type Decoder struct {
	// MinSide lets a large JPEG be decoded at 1/2, 1/4 or 1/8 of its size as
	// long as both sides stay at MinSide pixels or more; 0 means full size.
	MinSide int
	// Upright applies the EXIF orientation of a JPEG. The official code does not.
	Upright bool

	file, cmyk []byte
	img, other RGB
	jpeg       *jpegMemory // nil before the first JPEG
	plain      bool        // leave JPEG to libjpeg alone, for tests
}

// Decode reads the picture at path into memory of its own. minSide is
// [Decoder.MinSide]. Errors name the file and carry a hint.
func Decode(path string, minSide int) (*RGB, error) {
	return (&Decoder{MinSide: minSide}).Decode(path)
}

// Decode reads the picture at path. The result is valid until the next call.
// Errors name the file and carry a hint.
func (d *Decoder) Decode(path string) (*RGB, error) {
	if err := d.read(path); err != nil {
		return nil, err
	}
	return d.DecodeBytes(path, d.file)
}

// DecodeBytes is [Decoder.Decode] for a file already in memory; name is what
// errors call it.
func (d *Decoder) DecodeBytes(name string, content []byte) (*RGB, error) {
	if err := d.decode(content); err != nil {
		return nil, decodeError(name, content, err)
	}
	if d.Upright && isJPEG(content) {
		return orient(&d.other, &d.img, jpegOrientation(content)), nil
	}
	return &d.img, nil
}

// read loads the file at path into d.file.
func (d *Decoder) read(path string) error {
	if file, member, ok := splitTar(path); ok {
		t, err := openTar(file)
		if err == nil {
			d.file, err = t.read(member, d.file)
		}
		if err != nil {
			return hinted("check the path of the shard", "open image: %w", err)
		}
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return hinted("check the path and image_root", "open image: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open image %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return hinted("name a file, not a folder or a device", "open image %s: not a regular file", path)
	}
	d.file = grow(d.file, int(info.Size()))
	if _, err := io.ReadFull(f, d.file); err != nil {
		return fmt.Errorf("read image %s: %w", path, err)
	}
	return nil
}

// decode fills d.img. Go's decoders read files that anybody may have made, so
// a panic in one is an error of that file, not the end of a training run.
func (d *Decoder) decode(content []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged file: %v", r)
		}
	}()
	if isJPEG(content) {
		return d.decodeJPEG(content)
	}
	return d.decodeOther(content)
}

// maxPixels is three times what Pillow takes for an attack by default, and
// bounds a picture to 768 MB.
const maxPixels = 1 << 28

var errTooLarge = errors.New("more than 268 million pixels")

func checkSize(w, h int) error {
	if w <= 0 || h <= 0 {
		return fmt.Errorf("size %dx%d", w, h)
	}
	if w > maxPixels/h {
		return fmt.Errorf("size %dx%d: %w", w, h, errTooLarge)
	}
	return nil
}

// decodeError says which file could not be decoded, and why.
func decodeError(name string, content []byte, err error) error {
	if len(content) == 0 {
		return hinted("the file has 0 bytes; fetch or copy it again", "decode image %s: empty file", name)
	}
	return &hintError{err: fmt.Errorf("decode image %s: %w", name, err), hint: decodeHint(err, content)}
}

func decodeHint(err error, content []byte) string {
	switch {
	case errors.Is(err, errTooLarge):
		return "make the picture smaller first"
	case errors.Is(err, errNotImage) && looksLikeHTML(content):
		return "the file holds a web page: the download of the image failed"
	case errors.Is(err, errNotImage):
		return "JPEG, PNG, GIF, WebP and BMP can be read; convert the file to one of them"
	default:
		return "the file is damaged or incomplete; fetch or copy it again, or leave it out"
	}
}
