package gallery

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
)

// Picture is what a file knows of a picture beside its features.
type Picture struct {
	Name string
	Size int64 // of the picture's file, in bytes
	Time int64 // when it was last written, in nanoseconds since 1970
}

// Writer makes a file, which appears under its name when [Writer.Finish] is
// called and not before.
type Writer struct {
	path  string
	f     *os.File
	h     header
	p     parts
	block []rowOf // what isn't written yet
	names []byte
	first uint64 // the block's first row
	err   error  // of the first write that went wrong
}

// rowOf is a row on its way.
type rowOf struct {
	features []uint16
	codes    []int8
	coded    coded
	entry    entry
}

// Create begins a file for at most room features of dim numbers, made by a
// model. The caller ends with [Writer.Finish] or [Writer.Discard].
func Create(path string, room, dim int, model Hash) (*Writer, error) {
	if dim < 1 || dim > mostDim || room < 0 || room > mostRows {
		return nil, fmt.Errorf("create gallery %s: %d features of %d numbers, want up to %d of 1 to %d", path, room, dim, mostRows, mostDim)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("create gallery: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return nil, fmt.Errorf("create gallery: %w", err)
	}
	w := &Writer{path: path, f: f, h: header{Version: version, Dim: uint32(dim), Room: uint64(room), Model: model}}
	copy(w.h.Magic[:], magic)
	w.p = layOut(&w.h)
	return w, nil
}

// Add adds a picture and its features, which are rounded to half precision.
func (w *Writer) Add(p Picture, features []float32) error {
	row := make([]uint16, len(features))
	for i, x := range features {
		row[i] = toHalf(x)
	}
	return w.add(p, row)
}

// Copy adds a picture with the features that row i of another file has.
func (w *Writer) Copy(p Picture, from *File, i int) error {
	row, err := from.features(i)
	if err != nil {
		return err
	}
	return w.add(p, row)
}

func (w *Writer) add(p Picture, features []uint16) error {
	dim := int(w.h.Dim)
	switch {
	case w.err != nil:
		return w.err
	case len(features) != dim:
		return fmt.Errorf("picture %s: %d features, want %d", p.Name, len(features), dim)
	case w.h.Rows == w.h.Room:
		return fmt.Errorf("picture %s: there is room for %d", p.Name, w.h.Room)
	}
	for i, h := range features {
		if h&0x7c00 == 0x7c00 {
			return fmt.Errorf("picture %s: feature %d is %g in half precision, want a finite number", p.Name, i, fromHalf(h))
		}
	}
	row := rowOf{features: features, codes: make([]int8, strideOf(dim))}
	row.coded = encode(features, row.codes)
	w.names = append(w.names, p.Name...)
	row.entry = entry{Size: p.Size, Time: p.Time, NameEnd: w.h.Names + uint64(len(w.names))}
	row.entry.Sum = row.entry.sumOf(p.Name, features)
	w.block = append(w.block, row)
	w.h.Reach = max(w.h.Reach, row.coded.reach)
	if w.h.Rows++; w.h.Rows%blockRows == 0 {
		w.err = w.flush()
	}
	return w.err
}

// flush writes the block.
func (w *Writer) flush() error {
	n, dim := len(w.block), int(w.h.Dim)
	if n == 0 {
		return nil
	}
	codes, scales, rests := make([]int8, 0, n*strideOf(dim)), make([]float32, n), make([]float32, n)
	features, entries := make([]uint16, 0, n*dim), make([]byte, n*entrySize)
	for i, row := range w.block {
		codes, features = append(codes, row.codes...), append(features, row.features...)
		scales[i], rests[i] = row.coded.scale, row.coded.rest
		row.entry.put(entries[i*entrySize:])
	}
	at := int64(w.first)
	err := errors.Join(
		w.write(raw(codes), w.p.codes+at*int64(strideOf(dim))),
		w.write(raw(scales), w.p.scales+at*4),
		w.write(raw(rests), w.p.rests+at*4),
		w.write(raw([]uint32{blockSum(codes, scales, rests)}), w.p.checks+at/blockRows*4),
		w.write(raw(features), w.p.features+at*int64(dim)*2),
		w.write(entries, w.p.entries+at*entrySize),
		w.write(w.names, w.p.names+int64(w.h.Names)),
	)
	w.first += uint64(n)
	w.h.Names += uint64(len(w.names))
	w.block, w.names = w.block[:0], w.names[:0]
	return err
}

func (w *Writer) write(b []byte, at int64) error {
	_, err := w.f.WriteAt(b, at)
	return err
}

// Finish ends the file, with a note for whoever opens it.
func (w *Writer) Finish(note []byte) error {
	err := w.err
	if err == nil {
		err = w.flush()
	}
	w.h.Note, w.h.NoteSum = uint64(len(note)), crc32.Checksum(note, castagnoli)
	p := layOut(&w.h)
	if math.IsInf(w.h.Reach, 0) {
		err = errors.Join(err, errors.New("features of infinite length"))
	}
	err = errors.Join(err, w.f.Truncate(p.end))
	err = errors.Join(err, w.write(note, p.note), w.write(w.h.bytes(), 0), w.f.Chmod(0o644), w.f.Sync(), w.f.Close())
	if err == nil {
		err = os.Rename(w.f.Name(), w.path)
	}
	if err != nil {
		return fmt.Errorf("write gallery %s: %w", w.path, errors.Join(err, os.Remove(w.f.Name())))
	}
	return nil
}

// Discard ends a file that isn't wanted any more.
func (w *Writer) Discard() error {
	if err := errors.Join(w.f.Close(), os.Remove(w.f.Name())); err != nil {
		return fmt.Errorf("discard gallery %s: %w", w.path, err)
	}
	return nil
}
