package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxHeader is the format's own limit for the JSON at the start.
const maxHeader = 100_000_000

// metadataKey is the one name in the header that is not a tensor.
const metadataKey = "__metadata__"

// ReadSafetensors reads all tensors, in the order of the header, and the file's
// metadata, nil where it has none. Tensors are never tied in this format.
func ReadSafetensors(path string) (*Dict, map[string]string, error) {
	t, err := readFile(path, readTensors)
	return t.dict, t.meta, err
}

// tensorFile is what a .safetensors file holds.
type tensorFile struct {
	dict *Dict
	meta map[string]string
}

func readTensors(f *source) (t tensorFile, err error) {
	switch f.kind {
	case kindZip, kindLegacy:
		return t, hintf("read it as .pth", "is a file of torch.save, not safetensors")
	case kindSafetensors:
		t.dict, t.meta, err = readSafetensors(f)
		return t, err
	default:
		return t, f.unknown("safetensors")
	}
}

// looksLikeSafetensors tells from the first bytes: a length and a JSON object. A
// length beyond the file counts, too, so that a file cut short is named as such.
func looksLikeSafetensors(head []byte, size int64) bool {
	if len(head) < 9 || head[8] != '{' {
		return size >= 8 && len(head) == 8 && binary.LittleEndian.Uint64(head) <= maxHeader
	}
	return true
}

// entry is a tensor in the header.
type entry struct {
	name  string
	dtype DType
	shape []int
	begin int64 // in the data
	end   int64
}

func readSafetensors(f *source) (*Dict, map[string]string, error) {
	header, err := readHeader(f)
	if err != nil {
		return nil, nil, err
	}
	entries, meta, err := parseHeader(header)
	if err != nil {
		return nil, nil, withHint(fmt.Errorf("header: %w", err), hintDamaged)
	}
	start := 8 + int64(len(header))
	if err := checkLayout(entries, f.size-start); err != nil {
		return nil, nil, err
	}
	d := NewDict()
	for _, e := range entries {
		data, err := f.bytes(start+e.begin, e.end-e.begin, e.dtype.Size())
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", e.name, err)
		}
		t := &Tensor{DType: e.dtype, Shape: e.shape, Data: data}
		f.mapping.own(t)
		d.Set(e.name, t)
	}
	return d, meta, nil
}

// readHeader returns the JSON at the start, after its length.
func readHeader(f *source) ([]byte, error) {
	n := binary.LittleEndian.Uint64(f.head)
	if n > maxHeader {
		return nil, hintf(hintHostile, "the header claims %d bytes, more than the format's limit of %d", n, maxHeader)
	}
	if int64(n) > f.size-8 {
		return nil, hintf(hintDamaged, "ends early: the header claims %d bytes, the file has %d", n, f.size)
	}
	header := make([]byte, n)
	_, err := io.ReadFull(io.NewSectionReader(f, 8, int64(n)), header)
	return header, err
}

// parseHeader reads the JSON object name by name, since a Go map would lose the
// order and hide doubles.
func parseHeader(header []byte) ([]entry, map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.Join(errors.New("is not a JSON object"), err)
	}
	var entries []entry
	var meta map[string]string
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, nil, fmt.Errorf("two tensors are called %.100q", name)
		}
		seen[name] = true
		if name == metadataKey {
			err = dec.Decode(&meta)
		} else {
			var e entry
			e, err = parseEntry(dec, name)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%.100s: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if rest := bytes.TrimSpace(header[dec.InputOffset():]); len(rest) > 0 {
		return nil, nil, fmt.Errorf("has %d bytes after its end", len(rest))
	}
	return entries, meta, nil
}

func parseEntry(dec *json.Decoder, name string) (entry, error) {
	var raw struct {
		DType   string  `json:"dtype"`
		Shape   []int   `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := dec.Decode(&raw); err != nil {
		return entry{}, err
	}
	d, ok := ParseDType(raw.DType)
	if !ok {
		return entry{}, hintf("convert the file to F32, F16 or BF16", "the type %.50q is not known here", raw.DType)
	}
	if len(raw.Offsets) != 2 || raw.Offsets[0] < 0 || raw.Offsets[1] < raw.Offsets[0] {
		return entry{}, hintf(hintHostile, "data_offsets are %v", raw.Offsets)
	}
	if raw.Shape == nil || len(raw.Shape) > maxRank {
		return entry{}, hintf(hintHostile, "there is no shape, or one of %d sizes", len(raw.Shape))
	}
	size, err := numBytes(raw.Shape, d)
	if err != nil {
		return entry{}, withHint(err, hintHostile)
	}
	if size != raw.Offsets[1]-raw.Offsets[0] {
		return entry{}, hintf(hintHostile, "shape %v of %v needs %d bytes, data_offsets are %v", raw.Shape, d, size, raw.Offsets)
	}
	return entry{name, d, raw.Shape, raw.Offsets[0], raw.Offsets[1]}, nil
}

// checkLayout demands that the tensors fill the data, side by side, without gaps.
func checkLayout(entries []entry, size int64) error {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	at := int64(0)
	for _, e := range sorted {
		if e.begin != at {
			return hintf(hintHostile, "tensor %.100s starts at byte %d of the data, the one before ends at %d", e.name, e.begin, at)
		}
		at = e.end
	}
	if at > size {
		return hintf(hintDamaged, "ends early: the tensors need %d bytes, the file has %d for them", at, size)
	}
	if at < size {
		return hintf(hintDamaged, "has %d bytes after the last tensor", size-at)
	}
	return nil
}
