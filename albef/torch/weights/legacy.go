package weights

import (
	"encoding/binary"
	"fmt"
	"io"
)

// legacyMagic starts the files of torch.save before PyTorch 1.6 (the published
// bert-base-uncased is one): the pickle of a magic number.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// legacyProtocol is the one version of that form.
const legacyProtocol = 1001

// legacyFile is a file of that form: pickles of the magic number, the version,
// the system, the value and the storages' keys, and then the storages.
type legacyFile struct {
	source   *source
	head     []byte // as much of the file as its pickles can have
	pos      int    // in head
	refs     map[string]storageRef
	storages map[string]*storage
}

// readLegacy runs the value's pickle twice: the storages lie behind it, and where
// they do is known only after a first run.
func readLegacy(f *source) (Value, error) {
	l := &legacyFile{source: f, refs: map[string]storageRef{}, storages: map[string]*storage{}}
	l.head = make([]byte, min(f.size, 2*maxPickle))
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, f.size), l.head); err != nil {
		return nil, err
	}
	if err := l.readPreamble(); err != nil {
		return nil, err
	}
	start := l.pos
	if _, err := l.next(l.noteStorage); err != nil {
		return nil, err
	}
	keys, err := l.next(noStorage)
	if err != nil {
		return nil, err
	}
	if err := l.readStorages(keys); err != nil {
		return nil, err
	}
	l.pos = start
	v, err := l.next(l.findStorage)
	if err != nil {
		return nil, err
	}
	if _, err := inspect(v); err != nil {
		return nil, err
	}
	return v, nil
}

// next runs the pickle at pos.
func (l *legacyFile) next(load func(storageRef) (*storage, error)) (Value, error) {
	m := newMachine(l.head[l.pos:], load, newViewer(l.source.size, l.source.mapping))
	v, err := m.run()
	l.pos += m.pos
	return v, err
}

// readPreamble reads the magic number, the version and the system.
func (l *legacyFile) readPreamble() error {
	l.pos = len(legacyMagic)
	version, err := l.next(noStorage)
	if err != nil {
		return err
	}
	if version != int64(legacyProtocol) {
		return hintf(hintResave, "version %v of the old format is not known", version)
	}
	system, err := l.next(noStorage)
	if err != nil {
		return err
	}
	if info, ok := system.(*OrderedMap); ok {
		if little, _ := info.Get("little_endian"); little == true {
			return nil
		}
	}
	return hintf("save it again on a little-endian machine", "the byte order is not little")
}

func noStorage(storageRef) (*storage, error) {
	return nil, hintf(hintDamaged, "stands where none can be")
}

// noteStorage takes down which storages there are.
func (l *legacyFile) noteStorage(ref storageRef) (*storage, error) {
	if old, ok := l.refs[ref.key]; ok && old != ref {
		return nil, hintf(hintHostile, "is used with two types or sizes")
	}
	l.refs[ref.key] = ref
	return &storage{storageRef: ref, pending: true}, nil
}

func (l *legacyFile) findStorage(ref storageRef) (*storage, error) {
	s := l.storages[ref.key]
	if s == nil {
		return nil, hintf(hintDamaged, "is missing at the end of the file")
	}
	return s, nil
}

// readStorages reads, in the order of keys, each storage after the number of its
// elements.
func (l *legacyFile) readStorages(keys Value) error {
	list, ok := keys.(*List)
	if !ok {
		return hintf(hintDamaged, "the keys of the storages are a %s", kindOf(keys))
	}
	at := int64(l.pos)
	for _, item := range list.Items {
		key, _ := item.(string)
		ref, ok := l.refs[key]
		if !ok || l.storages[key] != nil {
			return hintf(hintDamaged, "the storage %.50v is there twice or belongs to nothing", item)
		}
		data, err := l.readStorage(ref, at)
		if err != nil {
			return withHint(fmt.Errorf("storage %.50q: %w", key, err), hintDamaged)
		}
		l.storages[key] = &storage{storageRef: ref, data: data}
		at += 8 + int64(len(data))
	}
	return nil
}

func (l *legacyFile) readStorage(ref storageRef, at int64) ([]byte, error) {
	var count [8]byte
	if _, err := l.source.ReadAt(count[:], at); err != nil {
		return nil, err
	}
	if n := int64(binary.LittleEndian.Uint64(count[:])); n != ref.numel {
		return nil, fmt.Errorf("%d elements, want %d", n, ref.numel)
	}
	size, _ := ref.size()
	if left := l.source.size - at - 8; size > left {
		return nil, fmt.Errorf("ends early: %d bytes wanted, %d left", size, left)
	}
	return l.source.bytes(at+8, size, alignment)
}
