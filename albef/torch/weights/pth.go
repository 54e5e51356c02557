package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadPTH reads a whole file of torch.save: for an ALBEF checkpoint a dict with
// "model" (a state dict), "optimizer", "lr_scheduler", "config" and "epoch".
//
// Tensors come back contiguous and on the CPU, whatever they were; tied ones have
// the same Data. A torch.Size becomes a Tuple, a torch.device its name, an
// argparse.Namespace a dict, a numpy scalar a plain number, a Parameter a tensor.
// A file that wants anything else from Python is refused, with the name in the
// error.
func ReadPTH(path string) (Value, error) { return readFile(path, readPTH) }

func readPTH(f *source) (Value, error) {
	switch f.kind {
	case kindZip:
		return readZip(f)
	case kindLegacy:
		return readLegacy(f)
	case kindSafetensors:
		return nil, hintf("read it as safetensors", "is a safetensors file, not one of torch.save")
	default:
		return nil, f.unknown("torch.save")
	}
}

// source is an open file whose kind was told from its first bytes.
type source struct {
	*os.File
	size int64
	kind fileKind
	head []byte // the first bytes, up to 64
	// mapping is what storages may lie in; nil where they are read.
	mapping *Mapping
	buffer  []byte // for checksums
}

// fileKind is a format that this package can tell from a file's content.
type fileKind uint8

const (
	kindUnknown fileKind = iota
	kindZip
	kindLegacy
	kindSafetensors
)

// readFile opens path, calls read, and puts the path before its errors.
func readFile[T any](path string, read func(*source) (T, error)) (v T, err error) {
	defer func() {
		if err != nil {
			var zero T
			v, err = zero, withHint(fmt.Errorf("read %s: %w", path, pathless(err)), systemHint(err))
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	src, err := newSource(f)
	if err != nil {
		return v, err
	}
	return read(src)
}

// pathless takes the path out of an error of package os, which the caller adds.
func pathless(err error) error {
	if p, ok := err.(*os.PathError); ok { //nolint:errorlint // only when it is the outermost
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

func newSource(f *os.File) (*source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, hintf("name a file, not a folder or a device", "is not a regular file")
	}
	head := make([]byte, 64)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	s := &source{File: f, size: info.Size(), head: head[:n]}
	switch {
	case bytes.HasPrefix(s.head, []byte("PK\x03\x04")):
		s.kind = kindZip
	case bytes.HasPrefix(s.head, []byte(legacyMagic)):
		s.kind = kindLegacy
	case looksLikeSafetensors(s.head, s.size):
		s.kind = kindSafetensors
	}
	return s, nil
}

// unknown explains a file that is not of the wanted format.
func (s *source) unknown(want string) error {
	switch {
	case s.size == 0:
		return hintf(hintDamaged, "is empty")
	case bytes.HasPrefix(s.head, []byte("version https://git-lfs")):
		return hintf("fetch the file itself with `git lfs pull`", "is a pointer of git-lfs, not the weights")
	case bytes.HasPrefix(bytes.TrimLeft(s.head, " \r\n\t"), []byte("<")):
		return hintf("download the file again; the address may need a login", "is a web page, not weights")
	case len(s.head) > 1 && s.head[0] == byte(opProto):
		return hintf(hintResave, "is a plain pickle, not a file of torch.save")
	default:
		return hintf("it should be a .pth of torch.save or a .safetensors file", "is not a file of %s: it starts with %q", want, s.head[:min(8, len(s.head))])
	}
}

// readZip reads the form that torch.save writes since PyTorch 1.6.
func readZip(f *source) (Value, error) {
	a, err := openArchive(f)
	if err != nil {
		return nil, err
	}
	pickle, err := a.read("data.pkl", maxPickle, nil)
	if err != nil {
		return nil, err
	}
	v, err := newMachine(pickle, a.loadStorage, newViewer(f.size, f.mapping)).run()
	if err != nil {
		return nil, err
	}
	if _, err := inspect(v); err != nil {
		return nil, err
	}
	return v, nil
}
