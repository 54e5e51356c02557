package viz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// WriteNPY writes the map as numpy.save does: NumPy format 1.0, float32, rows first, shape (H, W). Missing cells stay NaN or infinite.
func (m Map) WriteNPY(w io.Writer) error {
	m.check()
	return writeNPY(w, []int{m.H, m.W}, m.V)
}

// WriteNPYStack writes maps of one size as one array of the shape (N, H, W). Maps of different sizes, or none, are an error.
func WriteNPYStack(w io.Writer, maps []Map) error {
	if len(maps) == 0 {
		return errors.New("write npy: no maps, whose size would be unknown")
	}
	var all []float32
	for i, m := range maps {
		m.check()
		if m.W != maps[0].W || m.H != maps[0].H {
			return fmt.Errorf("write npy: map %d has %d by %d cells, the first %d by %d", i, m.W, m.H, maps[0].W, maps[0].H)
		}
		all = append(all, m.V...)
	}
	return writeNPY(w, []int{len(maps), maps[0].H, maps[0].W}, all)
}

// ReadNPY reads a map out of an array of two dimensions, (H, W), as numpy.save writes it: little-endian float32 or float64, rows first.
func ReadNPY(r io.Reader) (Map, error) {
	shape, v, err := readNPY(r)
	if err != nil {
		return Map{}, fmt.Errorf("read npy: %w", err)
	}
	if len(shape) != 2 {
		return Map{}, fmt.Errorf("read npy: the array has %d dimensions, want 2: height and width", len(shape))
	}
	return Map{W: shape[1], H: shape[0], V: v}, nil
}

// ReadNPYStack reads maps of one size out of an array of three dimensions, (N, H, W), of the kinds that [ReadNPY] reads.
func ReadNPYStack(r io.Reader) ([]Map, error) {
	shape, v, err := readNPY(r)
	if err != nil {
		return nil, fmt.Errorf("read npy: %w", err)
	}
	if len(shape) != 3 {
		return nil, fmt.Errorf("read npy: the array has %d dimensions, want 3: number, height and width", len(shape))
	}
	size := shape[1] * shape[2]
	if size == 0 {
		return nil, fmt.Errorf("read npy: maps of %d by %d cells", shape[2], shape[1])
	}
	var maps []Map
	for part := range slices.Chunk(v, size) {
		maps = append(maps, Map{W: shape[2], H: shape[1], V: slices.Clip(part)})
	}
	return maps, nil
}

// The magic of the format and its version, 1.0.
const (
	npyMagic   = "\x93NUMPY"
	npyVersion = "\x01\x00"
)

func writeNPY(w io.Writer, shape []int, v []float32) error {
	sizes := make([]string, len(shape))
	for i, n := range shape {
		sizes[i] = strconv.Itoa(n)
	}
	head := "{'descr': '<f4', 'fortran_order': False, 'shape': (" + strings.Join(sizes, ", ") + "), }"
	// Spaces and an end of line fill the head up, so that the numbers begin at a multiple of 64 bytes.
	before := len(npyMagic) + len(npyVersion) + 2
	head += strings.Repeat(" ", (64-(before+len(head)+1)%64)%64) + "\n"
	out := []byte(npyMagic + npyVersion)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(head)))
	out = append(out, head...)
	for _, f := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write npy: %w", err)
	}
	return nil
}

// npyHead finds the entries of the head, a Python dict whose keys stand in any order.
var npyHead = regexp.MustCompile(`'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([0-9, ]*\))`)

func readNPY(r io.Reader) (shape []int, v []float32, err error) {
	start := make([]byte, len(npyMagic)+len(npyVersion)+2)
	if _, err := io.ReadFull(r, start); err != nil || !bytes.HasPrefix(start, []byte(npyMagic)) {
		return nil, nil, errors.New("the file does not begin as a .npy file does")
	}
	if got := start[len(npyMagic):][:2]; string(got) != npyVersion {
		return nil, nil, fmt.Errorf("format version %d.%d, want 1.0", got[0], got[1])
	}
	head := make([]byte, binary.LittleEndian.Uint16(start[len(start)-2:]))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, nil, fmt.Errorf("the head ends early: %w", err)
	}
	entries := map[string]string{}
	for _, e := range npyHead.FindAllStringSubmatch(string(head), -1) {
		entries[e[1]] = strings.Trim(e[2], "'")
	}
	wide := entries["descr"] == "<f8"
	switch {
	case len(entries) != 3:
		return nil, nil, fmt.Errorf("the head %q lacks descr, fortran_order or shape", strings.TrimSpace(string(head)))
	case !wide && entries["descr"] != "<f4":
		return nil, nil, fmt.Errorf("numbers of the kind %s, want <f4 or <f8", entries["descr"])
	case entries["fortran_order"] != "False":
		return nil, nil, errors.New("columns first, want rows first: numpy.ascontiguousarray turns them round")
	}
	shape, count, err := npyShape(entries["shape"])
	if err != nil {
		return nil, nil, err
	}
	v, err = npyNumbers(r, count, wide)
	return shape, v, err
}

// npyShape reads "(2, 3)" and says how many numbers it takes, at most 2^31 or so that no product overflows.
func npyShape(text string) (shape []int, count int, err error) {
	count = 1
	for _, n := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("(), ", r) }) {
		size, err := strconv.Atoi(n)
		if err != nil || size > math.MaxInt32 || count*size > math.MaxInt32 {
			return nil, 0, fmt.Errorf("the shape %s is too large", text)
		}
		shape, count = append(shape, size), count*size
	}
	return shape, count, nil
}

// npyNumbers reads count numbers and the end of the file. It takes memory only for what is there.
func npyNumbers(r io.Reader, count int, wide bool) ([]float32, error) {
	size := 4
	if wide {
		size = 8
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(count*size)+1))
	if err != nil {
		return nil, fmt.Errorf("read the numbers: %w", err)
	}
	if len(data) != count*size {
		return nil, fmt.Errorf("%s%d bytes of numbers, want %d", map[bool]string{true: "at least "}[len(data) > count*size], len(data), count*size)
	}
	v := make([]float32, count)
	for i := range v {
		if wide {
			v[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		} else {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return v, nil
}
