package data

// #include "fast.h"
import "C"

import (
	"image"
	"unsafe"
)

// fast says whether this processor has what the inner loops in C need. Where it
// has not, their plain twins in Go give the same results.
var fast = C.vlab_fast() != 0

// slack is how many bytes the loops may read behind a picture's last pixel.
const slack = C.VLAB_ROW_SLACK

func int32Pointer(p []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(p))) }

// fastRows filters the rows of box, which from begins with, into dst, and
// returns how many it has done: the last one is left where the memory of src
// ends too soon behind it.
func (t *taps) fastRows(dst, src []byte, stride int, box image.Rectangle, mirror bool) int {
	rows := box.Dy()
	if (rows-1)*stride+3*box.Dx()+slack > cap(src) {
		rows--
	}
	if !fast || rows <= 0 {
		return 0
	}
	mirrored := C.int(0)
	if mirror {
		mirrored = 1
	}
	C.vlab_resize_rows(bytePointer(dst), bytePointer(src), C.size_t(stride), C.int(rows), C.int(len(t.first)), C.int(t.width),
		int32Pointer(t.first), int32Pointer(t.count), int32Pointer(t.weights), mirrored)
	return rows
}

// fastColumns filters rows of length bytes that are stride apart into dst. It
// reports false, with nothing done, where they are too short.
func (t *taps) fastColumns(dst, src []byte, stride, length int) bool {
	if !fast || length < 32 {
		return false
	}
	C.vlab_resize_columns(bytePointer(dst), bytePointer(src), C.size_t(stride), C.int(length), C.int(len(t.first)), C.int(t.width),
		int32Pointer(t.first), int32Pointer(t.count), int32Pointer(t.weights))
	return true
}
