package data

/*
#cgo noescape vlab_resize_rows
#cgo nocallback vlab_resize_rows
#cgo noescape vlab_resize_columns
#cgo nocallback vlab_resize_columns
#cgo noescape vlab_look_up
#cgo nocallback vlab_look_up
#cgo noescape vlab_normalise_tables
#cgo nocallback vlab_normalise_tables
#cgo noescape vlab_normalise
#cgo nocallback vlab_normalise
#cgo noescape vlab_histograms
#cgo nocallback vlab_histograms
#cgo noescape vlab_extremes
#cgo nocallback vlab_extremes
#cgo noescape vlab_sharpen_row
#cgo nocallback vlab_sharpen_row
#cgo noescape vlab_warp
#cgo nocallback vlab_warp
#include "fast.h"
*/
import "C"

import (
	"image"
	"math"
	"unsafe"
)

// fast says whether this processor has what the inner loops in C need. Where it
// has not, their plain twins in Go give the same results. Only tests change it.
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
		int32Pointer(t.first), int32Pointer(t.count), int32Pointer(t.splitWeights()), mirrored)
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

func fastLookUp(dst, src []byte, t *tables) {
	C.vlab_look_up(bytePointer(dst), bytePointer(src), C.size_t(len(src)/3), (*C.uint8_t)(&t[0][0]))
}

func fastHistograms(h *counts, pix []byte) {
	C.vlab_histograms((*C.int64_t)(&h[0][0]), bytePointer(pix), C.size_t(len(pix)/3))
}

func fastExtremes(pix []byte) (low, high [3]byte) {
	C.vlab_extremes((*C.uint8_t)(&low[0]), (*C.uint8_t)(&high[0]), bytePointer(pix), C.size_t(len(pix)/3))
	return low, high
}

// fastSharpen writes bytes of a row into dst, from the third on, and returns
// where it stopped. above is the row above, with the row itself and the one
// below behind it.
func fastSharpen(dst, above []byte, stride int, factor float32) int {
	return int(C.vlab_sharpen_row(bytePointer(dst), bytePointer(above[stride:]), C.int(stride), C.float(factor)))
}

// fastLookUpFloats writes pix into dst channel by channel, through table.
func fastLookUpFloats(dst []float32, pix []byte, table *[3][256]float32) {
	C.vlab_normalise_tables((*C.float)(unsafe.SliceData(dst)), bytePointer(pix), C.size_t(len(pix)/3), (*C.float)(&table[0][0]))
}

// fastApply normalises most pixels and returns how many.
func (n *normaliser) fastApply(dst []float32, pix []byte) int {
	return int(C.vlab_normalise((*C.float)(unsafe.SliceData(dst)), bytePointer(pix), C.size_t(len(pix)/3),
		(*C.float)(&n.mean[0]), (*C.float)(&n.deviation[0])))
}

// fast fills dst; it reports false, with nothing done, where it can't.
func (w *warping) fast(dst, src *RGB) bool {
	if !fast || cap(src.Pix) < len(src.Pix)+slack || len(src.Pix) > math.MaxInt32 {
		return false
	}
	C.vlab_warp(bytePointer(dst.Pix), bytePointer(src.Pix), C.int(src.W), C.int(src.H),
		int32Pointer(w.dx), int32Pointer(w.dy), int32Pointer(w.x), int32Pointer(w.y))
	return true
}
