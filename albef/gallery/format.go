package gallery

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"unsafe"
)

// A file is, in little-endian numbers and each part at a multiple of 64 bytes:
//
//	header    128 bytes, see header
//	codes     room × stride int8, stride being dim filled up to a multiple of 64
//	scales    room float32
//	rests     room float32
//	checks    a CRC-32C for each 1024 rows of the three above
//	features  room × dim float16
//	entries   room × 32 bytes, see entry
//	names     the pictures' names, one after another
//	note      what the program that made the file says of it
//
// There is room for at least as many rows as there are; the rest is a hole.
const (
	magic      = "VLABgal\n"
	version    = 1
	headerSize = 128
	entrySize  = 32
	blockRows  = 1024
	mostDim    = 1 << 14
	mostRows   = 1 << 40
)

// Hash tells the model that made a file's features.
type Hash [32]byte

// String is the hash's beginning, as people compare it.
func (h Hash) String() string { return fmt.Sprintf("%x", h[:6]) }

type header struct {
	Magic      [8]byte
	Version    uint32
	Dim        uint32
	Rows, Room uint64
	Names      uint64 // bytes
	Note       uint64 // bytes
	Reach      float64
	Model      Hash
	NoteSum    uint32 // CRC-32C
	Sum        uint32 // CRC-32C of the header before it
}

// entry is what a file knows of a picture.
type entry struct {
	Size, Time int64  // of the picture's file: bytes, and nanoseconds since 1970
	NameEnd    uint64 // in the names; it begins where the one before ends
	Sum        uint32 // CRC-32C of size, time, name and features
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parts are the places of a file's parts.
type parts struct {
	codes, scales, rests, checks, features, entries, names, note, end int64
}

func layOut(h *header) parts {
	at := int64(headerSize)
	next := func(bytes uint64) int64 {
		begin := at
		at = (at + int64(bytes) + lane - 1) / lane * lane
		return begin
	}
	p := parts{
		codes:    next(h.Room * uint64(strideOf(int(h.Dim)))),
		scales:   next(h.Room * 4),
		rests:    next(h.Room * 4),
		checks:   next(blocksOf(h.Room) * 4),
		features: next(h.Room * uint64(h.Dim) * 2),
		entries:  next(h.Room * entrySize),
		names:    next(h.Names),
	}
	p.note = at
	p.end = at + int64(h.Note)
	return p
}

func blocksOf(rows uint64) uint64 { return (rows + blockRows - 1) / blockRows }

// bytes is the header as it is written, with its sum.
func (h *header) bytes() []byte {
	out := make([]byte, headerSize)
	n, err := binary.Encode(out, binary.LittleEndian, h)
	if err != nil {
		panic(err) // its size is fixed
	}
	h.Sum = crc32.Checksum(out[:n-4], castagnoli)
	binary.LittleEndian.PutUint32(out[n-4:], h.Sum)
	return out
}

// remake is the hint for what can't be used.
const remake = "make the file anew from the pictures"

// readHeader reads the header of a file of so many bytes.
func readHeader(raw []byte, size int64) (*header, error) {
	if !bytes.HasPrefix(raw, []byte(magic)) {
		return nil, hinted("name a file that was saved as a gallery", "no saved gallery: it begins otherwise")
	}
	var h header
	if len(raw) < headerSize {
		return nil, hinted(remake, "cut off within its header, at byte %d", size)
	}
	n, err := binary.Decode(raw[:headerSize], binary.LittleEndian, &h)
	switch {
	case err != nil:
		return nil, fmt.Errorf("its header: %w", err)
	case h.Sum != crc32.Checksum(raw[:n-4], castagnoli):
		return nil, hinted(remake, "damaged: its header doesn't add up")
	case h.Version != version:
		return nil, hinted("make the file anew, or use the vlab that made it", "of version %d of the format, this vlab reads %d", h.Version, version)
	case h.Dim == 0 || h.Dim > mostDim || h.Rows > h.Room || h.Room > mostRows || h.Names > 1<<50 || h.Note > 1<<30,
		!(h.Reach >= 0 && h.Reach < math.MaxFloat32):
		return nil, hinted(remake, "damaged: %d features of %d numbers, room for %d", h.Rows, h.Dim, h.Room)
	}
	if end := layOut(&h).end; end != size {
		return nil, hinted(remake, "damaged: it has %d bytes, and should have %d", size, end)
	}
	return &h, nil
}

// numbers reads a part of a file in place.
func numbers[T int8 | uint16 | uint32 | float32](raw []byte, at int64, count uint64) []T {
	if count == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&raw[at])), count)
}

// raw is the memory of numbers.
func raw[T int8 | uint16 | uint32 | float32](numbers []T) []byte {
	if len(numbers) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&numbers[0])), len(numbers)*int(unsafe.Sizeof(numbers[0])))
}

// blockSum is the check of a block of rows.
func blockSum(codes []int8, scales, rests []float32) uint32 {
	sum := crc32.Checksum(raw(codes), castagnoli)
	sum = crc32.Update(sum, castagnoli, raw(scales))
	return crc32.Update(sum, castagnoli, raw(rests))
}

// sumOf is the check of an entry.
func (e entry) sumOf(name string, features []uint16) uint32 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(e.Size))
	binary.LittleEndian.PutUint64(b[8:], uint64(e.Time))
	sum := crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, []byte(name))
	return crc32.Update(sum, castagnoli, raw(features))
}

func (e entry) put(to []byte) {
	binary.LittleEndian.PutUint64(to, uint64(e.Size))
	binary.LittleEndian.PutUint64(to[8:], uint64(e.Time))
	binary.LittleEndian.PutUint64(to[16:], e.NameEnd)
	binary.LittleEndian.PutUint32(to[24:], e.Sum)
}

func readEntry(from []byte) entry {
	return entry{
		Size: int64(binary.LittleEndian.Uint64(from)), Time: int64(binary.LittleEndian.Uint64(from[8:])),
		NameEnd: binary.LittleEndian.Uint64(from[16:]), Sum: binary.LittleEndian.Uint32(from[24:]),
	}
}
