package gallery

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// File is an open gallery. It is mapped into memory, not read: what a search
// touches counts as the process's memory, and the system takes it back when it
// needs it. Several goroutines may use it.
type File struct {
	path string
	h    *header
	p    parts
	note []byte

	codes         []int8
	scales, rests []float32
	checks        []uint32
	halves        []uint16
	intact        []atomic.Bool // blocks that have been checked

	mu  sync.RWMutex
	raw []byte // nil once closed
	way way
}

// Open opens a file that [Writer] made. What is damaged in its header or cut
// off is found now, what is damaged elsewhere when it is first read.
func Open(path string) (*File, error) {
	raw, err := mapFile(path)
	if err != nil {
		return nil, fmt.Errorf("open saved gallery %s: %w", path, err)
	}
	f, err := newFile(path, raw)
	if err != nil {
		return nil, fmt.Errorf("open saved gallery %s: %w", path, errors.Join(err, unix.Munmap(raw)))
	}
	return f, nil
}

// Is reports whether a file begins as a saved gallery does.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	var begin [len(magic)]byte
	n, err := f.Read(begin[:])
	return errors.Join(err, f.Close()) == nil && string(begin[:n]) == magic
}

// mapFile maps a file, at least its header.
func mapFile(path string) (raw []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path, which the caller names
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, hinted("name a file that was saved as a gallery", "no saved gallery: it is empty or no file")
	}
	if raw, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("map %d bytes into memory: %w", info.Size(), err)
	}
	return raw, nil
}

func newFile(path string, raw []byte) (*File, error) {
	h, err := readHeader(raw, int64(len(raw)))
	if err != nil {
		return nil, err
	}
	p := layOut(h)
	f := &File{
		path: path, h: h, p: p, note: append([]byte{}, raw[p.note:p.end]...),
		codes:  numbers[int8](raw, p.codes, h.Rows*uint64(strideOf(int(h.Dim)))),
		scales: numbers[float32](raw, p.scales, h.Rows),
		rests:  numbers[float32](raw, p.rests, h.Rows),
		checks: numbers[uint32](raw, p.checks, blocksOf(h.Rows)),
		halves: numbers[uint16](raw, p.features, h.Rows*uint64(h.Dim)),
		intact: make([]atomic.Bool, blocksOf(h.Rows)),
		raw:    raw, way: bestWay(),
	}
	if crc32.Checksum(f.note, castagnoli) != h.NoteSum {
		return nil, hinted(remake, "damaged: its note doesn't add up")
	}
	// A net under a session's variables; whoever can, calls Close.
	runtime.SetFinalizer(f, (*File).Close)
	return f, nil
}

// Close gives the file's memory back. Closing twice does nothing.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.raw == nil {
		return nil
	}
	runtime.SetFinalizer(f, nil)
	raw := f.raw
	f.raw = nil
	if err := unix.Munmap(raw); err != nil {
		return fmt.Errorf("close saved gallery %s: %w", f.path, err)
	}
	return nil
}

// Len returns how many pictures there are.
func (f *File) Len() int { return int(f.h.Rows) }

// Dim returns how many numbers a feature has.
func (f *File) Dim() int { return int(f.h.Dim) }

// Model returns the hash of the model that made the features.
func (f *File) Model() Hash { return f.h.Model }

// Note returns what the file's maker says of it.
func (f *File) Note() []byte { return f.note }

// Path returns the file's name as it was opened.
func (f *File) Path() string { return f.path }

var errClosed = errors.New("the saved gallery is closed")

// Picture returns what is known of picture i.
func (f *File) Picture(i int) (Picture, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	p, _, err := f.row(i)
	return p, err
}

// Features returns the features of picture i.
func (f *File) Features(i int) ([]float32, error) {
	row, err := f.features(i)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(row))
	for j, h := range row {
		out[j] = fromHalf(h)
	}
	return out, nil
}

// features copies a row.
func (f *File) features(i int) ([]uint16, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	_, row, err := f.row(i)
	return append([]uint16{}, row...), err
}

// row reads picture i and its features in place and checks them; the caller
// holds mu.
func (f *File) row(i int) (Picture, []uint16, error) {
	if f.raw == nil {
		return Picture{}, nil, errClosed
	}
	if i < 0 || i >= f.Len() {
		return Picture{}, nil, fmt.Errorf("%s: no picture %d of %d", f.path, i, f.Len())
	}
	at := f.p.entries + int64(i)*entrySize
	e, begin := readEntry(f.raw[at:]), uint64(0)
	if i > 0 {
		begin = readEntry(f.raw[at-entrySize:]).NameEnd
	}
	features := f.halves[i*f.Dim() : (i+1)*f.Dim()]
	if begin > e.NameEnd || e.NameEnd > f.h.Names {
		return Picture{}, nil, f.damaged(fmt.Sprintf("the name of picture %d", i))
	}
	p := Picture{string(f.raw[f.p.names+int64(begin) : f.p.names+int64(e.NameEnd)]), e.Size, e.Time}
	if e.Sum != e.sumOf(p.Name, features) {
		return Picture{}, nil, f.damaged(fmt.Sprintf("picture %d", i))
	}
	return p, features, nil
}

// release takes features and what follows them out of the process's memory: a
// search needs a few rows, other ones each time, and every one would leave the
// 64 kB around it. The caller holds mu.
func (f *File) release() error {
	page := int64(os.Getpagesize())
	at := (f.p.features + page - 1) / page * page
	if at >= int64(len(f.raw)) {
		return nil
	}
	if err := unix.Madvise(f.raw[at:], unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("give the memory of %s back: %w", f.path, err)
	}
	return nil
}

// checkBlock checks a block of codes when it is first read.
func (f *File) checkBlock(b int, codes []int8, scales, rests []float32) error {
	if f.intact[b].Load() {
		return nil
	}
	if blockSum(codes, scales, rests) != f.checks[b] {
		return f.damaged(fmt.Sprintf("the codes of pictures %d to %d", b*blockRows, b*blockRows+len(scales)-1))
	}
	f.intact[b].Store(true)
	return nil
}

func (f *File) damaged(what string) error {
	return hinted(remake, "%s is damaged: %s don't add up", f.path, what)
}
