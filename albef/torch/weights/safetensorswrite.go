package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// WriteSafetensors writes the tensors of d and, where it is not empty, metadata.
// The header keeps the order of d. Tied tensors are written once for each name,
// since the format has no ties. The bytes depend on the arguments alone, and path
// holds the whole file or what it held before.
func WriteSafetensors(path string, d *Dict, metadata map[string]string) error {
	header, order, err := makeHeader(d, metadata)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return writeFile(path, func(w io.Writer) error {
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
			return err
		}
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, t := range order {
			if _, err := w.Write(t.Data); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeHeader returns the JSON and the tensors in the order of their data: widest
// elements first, so that each tensor is aligned to its elements.
func makeHeader(d *Dict, metadata map[string]string) ([]byte, []*Tensor, error) {
	names := d.Keys()
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int {
		return cmp.Compare(d.m[b].width(), d.m[a].width())
	})
	begin := make(map[string]int, len(names))
	order := make([]*Tensor, 0, len(names))
	at := 0
	for _, name := range sorted {
		t := d.m[name]
		if err := t.check(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if !utf8.ValidString(name) {
			return nil, nil, fmt.Errorf("the name %.100q is not valid UTF-8", name)
		}
		if name == metadataKey {
			return nil, nil, fmt.Errorf("no tensor can be called %s in a safetensors file", name)
		}
		begin[name] = at
		at += len(t.Data)
		order = append(order, t)
	}
	header, err := encodeHeader(d, begin, metadata)
	return header, order, err
}

// width is the size of an element; 0 for a nil tensor, which check reports.
func (t *Tensor) width() int {
	if t == nil {
		return 0
	}
	return t.DType.Size()
}

// encodeHeader writes the JSON object by hand, for its order, and pads it so that
// the data starts at a multiple of 8.
func encodeHeader(d *Dict, begin map[string]int, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	field := func(name string, v any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
		return nil
	}
	if len(metadata) > 0 {
		if err := field(metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	type info struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	for name, t := range d.All() {
		at := begin[name]
		v := info{t.DType.String(), append([]int{}, t.Shape...), [2]int{at, at + len(t.Data)}}
		if err := field(name, v); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	if b.Len() > maxHeader {
		return nil, fmt.Errorf("the names need a header of %d bytes, the format allows %d", b.Len(), maxHeader)
	}
	return b.Bytes(), nil
}
