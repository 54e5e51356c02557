package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

var errNotImage = errors.New("not an image in a known format")

// format is one of the file formats read by Go's decoders.
type format struct {
	matches func(content []byte) bool
	config  func(io.Reader) (image.Config, error)
	decode  func(content []byte) (image.Image, error)
}

func reading(decode func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(content []byte) (image.Image, error) { return decode(bytes.NewReader(content)) }
}

func prefix(magic string) func([]byte) bool {
	return func(content []byte) bool { return bytes.HasPrefix(content, []byte(magic)) }
}

func isWebP(content []byte) bool {
	return len(content) >= 12 && string(content[:4]) == "RIFF" && string(content[8:12]) == "WEBP"
}

func formatOf(content []byte) (format, error) {
	for _, f := range []format{
		{prefix("\x89PNG\r\n\x1a\n"), png.DecodeConfig, reading(png.Decode)},
		{prefix("GIF8"), gif.DecodeConfig, decodeGIF},
		{isWebP, webp.DecodeConfig, decodeWebP},
		{prefix("BM"), bmp.DecodeConfig, reading(bmp.Decode)},
	} {
		if f.matches(content) {
			return f, nil
		}
	}
	return format{}, fmt.Errorf("%w (begins with %q)", errNotImage, content[:min(len(content), 12)])
}

// decodeOther fills d.img from any format but JPEG.
func (d *Decoder) decodeOther(content []byte) error {
	f, err := formatOf(content)
	if err != nil {
		return err
	}
	config, err := f.config(bytes.NewReader(content))
	if err != nil {
		return truncation(err)
	}
	if err := checkSize(config.Width, config.Height); err != nil {
		return err
	}
	img, err := f.decode(content)
	if err != nil {
		return truncation(err)
	}
	d.img.SetImage(img)
	return nil
}

// truncation words the error of a decoder that ran out of bytes.
func truncation(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("truncated file: %w", err)
	}
	return err
}

func looksLikeHTML(content []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(content[:min(len(content), 256)]))
	return bytes.HasPrefix(head, []byte("<!doctype")) || bytes.HasPrefix(head, []byte("<html"))
}
