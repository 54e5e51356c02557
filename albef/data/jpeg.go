package data

/*
#cgo CFLAGS: -O2
#cgo LDFLAGS: -ljpeg
#include "jpeg_turbo.h"
*/
import "C"

import (
	"errors"
	"unsafe"
)

// isJPEG reports whether data begins with a JPEG start-of-image marker.
func isJPEG(data []byte) bool {
	return len(data) >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff
}

// jpegHeader returns the size of the stored picture and the channels of its
// decoded rows (3 for RGB, 4 for CMYK).
func jpegHeader(data []byte) (w, h, channels int, err error) {
	var info C.vlab_jpeg_info
	var message [C.VLAB_JPEG_MESSAGE]C.char
	if C.vlab_jpeg_header(bytePointer(data), C.size_t(len(data)), &info, &message[0]) != 0 {
		return 0, 0, 0, errors.New(C.GoString(&message[0]))
	}
	return int(info.width), int(info.height), int(info.channels), nil
}

// decodeJPEG fills d.img with the picture in data, scaled down by a power of
// two where d.MinSide allows it.
func (d *Decoder) decodeJPEG(data []byte) error {
	w, h, channels, err := jpegHeader(data)
	if err != nil {
		return err
	}
	if err := checkSize(w, h); err != nil {
		return err
	}
	denominator := dctDenominator(w, h, d.MinSide)
	w, h = ceilDiv(w, denominator), ceilDiv(h, denominator)
	d.img.reset(w, h)
	out := d.img.Pix
	if channels == 4 {
		d.cmyk = grow(d.cmyk, w*h*4)
		out = d.cmyk
	}
	var message [C.VLAB_JPEG_MESSAGE]C.char
	rc := C.vlab_jpeg_decode(bytePointer(data), C.size_t(len(data)), C.int(denominator),
		bytePointer(out), C.size_t(len(out)), &message[0])
	if rc != 0 {
		return errors.New(C.GoString(&message[0]))
	}
	if channels == 4 {
		cmykToRGB(d.img.Pix, out)
	}
	return nil
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
