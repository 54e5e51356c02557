package data

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -ljpeg
#cgo noescape vlab_jpeg_header
#cgo nocallback vlab_jpeg_header
#cgo noescape vlab_jpeg_decode
#cgo nocallback vlab_jpeg_decode
#include "jpeg_turbo.h"
*/
import "C"

import (
	"errors"
	"image"
	"runtime"
	"strings"
	"unsafe"
)

// isJPEG reports whether data begins with a JPEG start-of-image marker.
func isJPEG(data []byte) bool {
	return len(data) >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff
}

// jpegHeader returns the size of the stored picture, which is one that may be
// decoded, and the channels of its decoded rows (3 for RGB, 4 for CMYK).
func jpegHeader(data []byte) (w, h, channels int, err error) {
	var info C.vlab_jpeg_info
	var message jpegMessage
	if C.vlab_jpeg_header(bytePointer(data), C.size_t(len(data)), &info, &message[0]) != 0 {
		return 0, 0, 0, message.err()
	}
	w, h = int(info.width), int(info.height)
	return w, h, int(info.channels), checkSize(w, h)
}

// decodeJPEG fills d.img with the picture in data, scaled down by a power of
// two where d.MinSide allows it.
func (d *Decoder) decodeJPEG(data []byte) error {
	w, h, channels, err := jpegHeader(data)
	if err != nil {
		return err
	}
	denominator := dctDenominator(w, h, d.MinSide)
	_, _, err = d.decodeJPEGPart(data, channels, denominator, image.Rect(0, 0, ceilDiv(w, denominator), ceilDiv(h, denominator)))
	return err
}

// decodeJPEGPart fills d.img with the pixels of the picture in data, scaled
// down by denominator, that box holds and perhaps some to the left and right.
// left and top are where in the scaled picture d.img begins.
func (d *Decoder) decodeJPEGPart(data []byte, channels, denominator int, box image.Rectangle) (left, top int, err error) {
	if d.jpeg == nil {
		d.jpeg = newJPEGMemory()
	}
	part := C.vlab_jpeg_part{
		denominator: C.int(denominator), x: C.int(box.Min.X), y: C.int(box.Min.Y),
		width: C.int(box.Dx()), height: C.int(box.Dy()),
	}
	if d.plain {
		part.plain = 1
	}
	d.img.reset(box.Dx()+C.VLAB_JPEG_EXTRA, box.Dy())
	out := d.img.Pix
	if channels == 4 {
		d.cmyk = grow(d.cmyk, len(out)/3*4)
		out = d.cmyk
	}
	var message jpegMessage
	rc := C.vlab_jpeg_decode(d.jpeg.memory, bytePointer(data), C.size_t(len(data)), &part,
		bytePointer(out), C.size_t(len(out)), &message[0])
	runtime.KeepAlive(d.jpeg)
	if rc != 0 {
		return 0, 0, message.err()
	}
	d.jpeg.fast = part.fast != 0
	d.img.reset(int(part.stride), box.Dy())
	if channels == 4 {
		cmykToRGB(d.img.Pix, out[:len(d.img.Pix)/3*4])
	}
	return int(part.left), box.Min.Y, nil
}

// jpegMemory is what C keeps between pictures. It is freed when the decoder is
// collected.
type jpegMemory struct {
	memory *C.vlab_jpeg_memory
	fast   bool // whether the last picture went through the fast reader
}

func newJPEGMemory() *jpegMemory {
	m := &jpegMemory{memory: C.vlab_jpeg_new()}
	if m.memory == nil {
		panic("data: out of memory")
	}
	runtime.AddCleanup(m, func(p *C.vlab_jpeg_memory) { C.vlab_jpeg_free(p) }, m.memory)
	return m
}

// held is the number of bytes in use.
func (m *jpegMemory) held() int {
	if m == nil {
		return 0
	}
	defer runtime.KeepAlive(m)
	return int(C.vlab_jpeg_held(m.memory))
}

// jpegMessage is where C writes what is wrong.
type jpegMessage [C.VLAB_JPEG_MESSAGE]C.char

func (m *jpegMessage) err() error {
	var b strings.Builder
	for _, c := range m {
		if c == 0 {
			break
		}
		b.WriteByte(byte(c))
	}
	return errors.New(b.String())
}

func bytePointer(p []byte) *C.uchar { return (*C.uchar)(unsafe.Pointer(unsafe.SliceData(p))) }

// dctDenominator is the largest of 1, 2, 4 and 8 that leaves both sides at
// minSide or more. The inverse DCT itself then makes the smaller picture.
func dctDenominator(w, h, minSide int) int {
	d := 1
	for minSide > 0 && d < 8 && ceilDiv(min(w, h), 2*d) >= minSide {
		d *= 2
	}
	return d
}

// cmykToRGB converts the inverted CMYK that Adobe's programs store, which is
// the only kind Pillow expects, with Pillow's rounding.
func cmykToRGB(dst, src []byte) {
	for i, o := 0, 0; i+3 < len(src); i, o = i+4, o+3 {
		white := int(src[i+3]) // 255 - K, K being stored inverted
		for c := range 3 {
			ink := 255 - int(src[i+c])
			t := ink*white + 128
			dst[o+c] = byte(white - (t>>8+t)>>8)
		}
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
