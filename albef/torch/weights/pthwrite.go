package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
)

// storageAlignment is where PyTorch lets storages start in a file, so that they
// can be mapped.
const storageAlignment = 64

// WritePTH writes v as torch.save does, for torch.load with weights_only=True.
// Tensors that share Data share a storage in the file. The bytes depend on v
// alone, and path holds the whole file or what it held before.
func WritePTH(path string, v Value) error {
	tensors, err := inspect(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	plan, err := planStorages(tensors)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	data, err := pickle(v, plan)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return writeFile(path, func(w io.Writer) error { return writeZip(w, data, plan.storages) })
}

// writeZip writes the entries of a .pth.
func writeZip(w io.Writer, pickle []byte, storages [][]byte) error {
	z := &zipWriter{counter: &counter{w: w}}
	z.zip = zip.NewWriter(z.counter)
	z.add("data.pkl", pickle)
	z.add("byteorder", []byte("little"))
	for i, data := range storages {
		z.add("data/"+strconv.Itoa(i), data)
	}
	z.add("version", []byte("3\n"))
	if z.err == nil {
		z.err = z.zip.Close()
	}
	return z.err
}

// zipWriter writes entries as they are, aligned. After an error it does nothing.
type zipWriter struct {
	zip     *zip.Writer
	counter *counter
	err     error
}

// counter counts the bytes that go to w.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func (z *zipWriter) add(name string, data []byte) {
	if z.err != nil {
		return
	}
	if z.err = z.zip.Flush(); z.err != nil {
		return
	}
	name = "archive/" + name
	header := &zip.FileHeader{
		Name:               name,
		Method:             zip.Store,
		CRC32:              crc32.ChecksumIEEE(data),
		CompressedSize64:   uint64(len(data)),
		UncompressedSize64: uint64(len(data)),
		Extra:              padding(z.counter.n, name),
	}
	var w io.Writer
	if w, z.err = z.zip.CreateRaw(header); z.err == nil {
		_, z.err = w.Write(data)
	}
}

// padding returns an extra field that makes the data of an entry, whose header
// starts at offset, start at a multiple of storageAlignment.
func padding(offset int64, name string) []byte {
	const localHeader, fieldHeader = 30, 4
	start := offset + localHeader + int64(len(name)) + fieldHeader
	n := int((storageAlignment - start%storageAlignment) % storageAlignment)
	// "FB" and fill bytes are what PyTorch writes.
	return append([]byte{'F', 'B', byte(n), 0}, bytes.Repeat([]byte{'Z'}, n)...)
}
