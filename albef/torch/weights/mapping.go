package weights

import (
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"golang.org/x/sys/unix"
)

// Mapping is a file of weights in memory: the system brings in those pages that
// are looked at, and may take them away again, so that a file costs no memory of
// its own. Tensors lie in it where the file has them in one piece, not packed
// and aligned; the others are read.
//
// The file may be replaced by another of its name, and writing to a tensor
// changes memory alone. But it must not be cut short or written over in place
// before Close: the system ends a process that looks at bytes that are gone. So
// close it as soon as the tensors are where they are needed.
//
// The nil Mapping is closed.
type Mapping struct {
	data    []byte
	tensors []*Tensor
}

// MapPTH is [ReadPTH] without a copy of the tensors' bytes. The caller closes the
// mapping, after which tensors have no Data.
func MapPTH(path string) (Value, *Mapping, error) { return mapFile(path, readPTH) }

// MapSafetensors is [ReadSafetensors] without a copy of the tensors' bytes. The
// caller closes the mapping, after which tensors have no Data.
func MapSafetensors(path string) (*Dict, map[string]string, *Mapping, error) {
	t, m, err := mapFile(path, readTensors)
	return t.dict, t.meta, m, err
}

// mapFile calls read with a mapping. A file system that can't map a file has it
// read.
func mapFile[T any](path string, read func(*source) (T, error)) (T, *Mapping, error) {
	var m *Mapping
	v, err := readFile(path, func(f *source) (v T, err error) {
		if f.size > 0 && f.size <= math.MaxInt {
			data, err := unix.Mmap(int(f.Fd()), 0, int(f.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
			if err == nil {
				m = &Mapping{data: data}
			}
		}
		f.mapping = m
		return read(f)
	})
	if err != nil {
		m.Close()
		return v, nil, err
	}
	return v, m, nil
}

// Close takes the bytes from all tensors that lie in the mapping, and ends it.
// Slices of Tensor.Data that were kept must not be looked at any more.
func (m *Mapping) Close() {
	if m == nil || m.data == nil {
		return
	}
	for _, t := range m.tensors {
		t.Data = nil
	}
	data := m.data
	m.data, m.tensors = nil, nil
	if err := unix.Munmap(data); err != nil { // only of what is no mapping
		panic(fmt.Sprintf("weights: end a mapping: %v", err))
	}
}

// own notes a tensor that may lie in the mapping.
func (m *Mapping) own(t *Tensor) {
	if m != nil {
		m.tensors = append(m.tensors, t)
	}
}

// alignment is what every element type is content with, in bytes.
const alignment = 8

// at returns the file's bytes from offset on, or nil where they can't be used in
// place. The caller has checked that the file has them.
func (m *Mapping) at(offset, size int64, align int) []byte {
	if m == nil || size == 0 || offset%int64(align) != 0 {
		return nil
	}
	return m.data[offset : offset+size : offset+size]
}

// bytes returns the file's bytes from offset on, in the mapping where that can
// be. The caller has checked the size against the file's.
func (s *source) bytes(offset, size int64, align int) ([]byte, error) {
	if data := s.mapping.at(offset, size, align); data != nil {
		return data, nil
	}
	return s.read(offset, size)
}

// read reads the file's bytes from offset on into memory of their own. The caller
// has checked the size against the file's.
func (s *source) read(offset, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(s, offset, size), data)
	return data, err
}

// checksum returns the CRC-32 of a part of the file. It reads instead of looking
// at the mapping, whose pages would count as the process's memory.
func (s *source) checksum(offset, size int64) (uint32, error) {
	if s.buffer == nil {
		s.buffer = make([]byte, 256<<10) // stays in a core's cache
	}
	sum := crc32.NewIEEE()
	n, err := io.CopyBuffer(sum, io.NewSectionReader(s, offset, size), s.buffer)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return sum.Sum32(), err
}
