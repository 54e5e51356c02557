package weights

import (
	"archive/zip"
	"cmp"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// archive is the zip inside a .pth: a folder with data.pkl and the storages in
// data/0, data/1, ...
type archive struct {
	source   *source
	entries  map[string]*zip.File // by the name within the folder
	storages map[string]*storage
}

// openArchive reads the zip's directory and checks that its entries can be what
// they claim.
func openArchive(f *source) (*archive, error) {
	z, err := zip.NewReader(f, f.size)
	if err != nil {
		return nil, hintf(hintDamaged, "the zip has no whole directory at its end: %w", err)
	}
	root, err := findRoot(z.File)
	if err != nil {
		return nil, err
	}
	a := &archive{source: f, entries: map[string]*zip.File{}, storages: map[string]*storage{}}
	for _, e := range z.File {
		name, ok := strings.CutPrefix(e.Name, root)
		if !ok {
			continue
		}
		if a.entries[name] != nil {
			return nil, hintf(hintHostile, "the zip has two entries %q", e.Name)
		}
		a.entries[name] = e
	}
	if err := a.checkSizes(); err != nil {
		return nil, err
	}
	if a.overlaps() {
		f.mapping = nil // two storages would be one
	}
	return a, a.checkKind()
}

// overlaps reports whether two stored entries claim the same bytes, as only a
// file that was made to do so has it.
func (a *archive) overlaps() bool {
	if a.source.mapping == nil {
		return false
	}
	var spans [][2]int64
	for _, e := range a.entries {
		offset, err := e.DataOffset()
		if err != nil {
			continue // its reading will say so
		}
		spans = append(spans, [2]int64{offset, offset + int64(e.CompressedSize64)})
	}
	slices.SortFunc(spans, func(x, y [2]int64) int { return cmp.Compare(x[0], y[0]) })
	for i := 1; i < len(spans); i++ {
		if spans[i][0] < spans[i-1][1] {
			return true
		}
	}
	return false
}

// findRoot returns the folder of data.pkl with its slash; torch names it after
// the file.
func findRoot(files []*zip.File) (string, error) {
	for _, f := range files {
		root, ok := strings.CutSuffix(f.Name, "data.pkl")
		if ok && (root == "" || strings.Index(root, "/") == len(root)-1) {
			return root, nil
		}
	}
	return "", hintf("it should be a file of torch.save; if it holds one, unpack it first", "the zip has no entry data.pkl")
}

// checkSizes holds the entries' sizes against the file's: stored entries cannot
// be more than the file, and packed ones not much more.
func (a *archive) checkSizes() error {
	const packing = 100 // real weights hardly shrink at all
	var stored, packed uint64
	size := uint64(a.source.size)
	for name, e := range a.entries {
		n := e.UncompressedSize64
		switch {
		case e.Method == zip.Store && n == e.CompressedSize64 && n <= size:
			stored += n
		case e.Method == zip.Deflate && n <= baseBudget+packing*size:
			packed += n
		default:
			return hintf(hintHostile, "entry %q claims %d bytes of a file of %d (method %d)", name, n, size, e.Method)
		}
		if stored > size || packed > baseBudget+packing*size {
			return hintf(hintHostile, "the zip's entries claim more bytes than the file can have")
		}
	}
	return nil
}

// checkKind refuses what data.pkl alone would not tell: the other byte order and
// programs in TorchScript.
func (a *archive) checkKind() error {
	if a.entries["constants.pkl"] != nil {
		return hintf("save its state_dict() with torch.save", "is a TorchScript program, not a file of weights")
	}
	if a.entries["byteorder"] == nil {
		return nil // before PyTorch 2.1, always little
	}
	order, err := a.read("byteorder", 16, nil)
	if err != nil {
		return err
	}
	if string(order) != "little" {
		return hintf("save it again on a little-endian machine", "the byte order is %q; only little is read", order)
	}
	return nil
}

// read returns the bytes of an entry of at most limit bytes, checked against its
// checksum: a piece of the mapping where one is given and can be used.
func (a *archive) read(name string, limit int64, in *Mapping) ([]byte, error) {
	e := a.entries[name]
	if e == nil {
		return nil, hintf(hintDamaged, "the zip has no entry %s", name)
	}
	if e.UncompressedSize64 > uint64(limit) {
		return nil, hintf(hintHostile, "entry %s has %d bytes, more than %d", name, e.UncompressedSize64, limit)
	}
	var data []byte
	var sum uint32
	var err error
	if e.Method == zip.Store {
		data, sum, err = a.readStored(e, in)
	} else {
		data, err = readPacked(e)
		sum = crc32.ChecksumIEEE(data)
	}
	if err != nil {
		return nil, withHint(fmt.Errorf("entry %s: %w", name, err), hintDamaged)
	}
	// PyTorch can be told to leave checksums out; the field is then 0.
	if sum != e.CRC32 && e.CRC32 != 0 {
		return nil, hintf(hintDamaged, "entry %s: checksum %08x, want %08x", name, sum, e.CRC32)
	}
	return data, nil
}

// readStored takes an entry straight from the file, and returns its checksum,
// too. The caller has checked the size against the file's.
func (a *archive) readStored(e *zip.File, in *Mapping) (data []byte, sum uint32, err error) {
	offset, err := e.DataOffset()
	if err != nil {
		return nil, 0, err
	}
	size := int64(e.UncompressedSize64)
	if size > a.source.size-offset {
		return nil, 0, io.ErrUnexpectedEOF
	}
	if data = in.at(offset, size, alignment); data == nil {
		data, err = a.source.read(offset, size)
		return data, crc32.ChecksumIEEE(data), err
	}
	if e.CRC32 != 0 {
		sum, err = a.source.checksum(offset, size)
	}
	return data, sum, err
}

// readPacked unpacks an entry; the buffer grows with what is really there.
func readPacked(e *zip.File) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(e.UncompressedSize64)+1))
	if err == nil && uint64(len(data)) != e.UncompressedSize64 {
		err = fmt.Errorf("%d bytes, want %d", len(data), e.UncompressedSize64)
	}
	return data, err
}

// loadStorage reads a storage at its first use.
func (a *archive) loadStorage(ref storageRef) (*storage, error) {
	if s := a.storages[ref.key]; s != nil && s.storageRef == ref {
		return s, nil
	} else if s != nil {
		return nil, hintf(hintHostile, "is used with two types or sizes")
	}
	want, _ := ref.size()
	name := "data/" + ref.key
	if e := a.entries[name]; e != nil && e.UncompressedSize64 != uint64(want) {
		return nil, hintf(hintDamaged, "entry %s has %d bytes, want %d", name, e.UncompressedSize64, want)
	}
	data, err := a.read(name, want, a.source.mapping)
	if err != nil {
		return nil, err
	}
	s := &storage{storageRef: ref, data: data}
	a.storages[ref.key] = s
	return s, nil
}
