package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Tensor is a named value of a weights file: contiguous little-endian elements in
// row-major order.
type Tensor struct {
	DType DType
	// Shape holds the sizes, outermost first; nil or empty for a scalar.
	Shape []int
	// Data holds Numel() * DType.Size() bytes. Tied tensors have the same Data, so
	// writing through one changes the other.
	Data []byte
}

// FromFloat32s returns an F32 tensor with a copy of v. The product of shape must
// be len(v); writing the tensor reports it otherwise.
func FromFloat32s(shape []int, v []float32) *Tensor {
	data := make([]byte, 0, 4*len(v))
	for _, f := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return &Tensor{DType: F32, Shape: slices.Clone(shape), Data: data}
}

// FromInt64s returns an I64 tensor with a copy of v. The product of shape must be
// len(v); writing the tensor reports it otherwise.
func FromInt64s(shape []int, v []int64) *Tensor {
	data := make([]byte, 0, 8*len(v))
	for _, n := range v {
		data = binary.LittleEndian.AppendUint64(data, uint64(n))
	}
	return &Tensor{DType: I64, Shape: slices.Clone(shape), Data: data}
}

// Numel returns the number of elements that Shape asks for; 1 for a scalar.
func (t *Tensor) Numel() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32s returns the elements as float32, a copy: halves are widened, float64
// and integers rounded, booleans become 0 and 1.
func (t *Tensor) Float32s() []float32 {
	out := make([]float32, t.stored())
	switch t.DType {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		}
	case F16:
		for i := range out {
			out[i] = f16ToF32(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = bf16ToF32(binary.LittleEndian.Uint16(t.Data[2*i:]))
		}
	default:
		for i := range out {
			if t.DType == F64 {
				out[i] = float32(t.float64At(i))
			} else {
				out[i] = float32(t.int64At(i))
			}
		}
	}
	return out
}

// Float64s returns the elements as float64, a copy.
func (t *Tensor) Float64s() []float64 {
	out := make([]float64, t.stored())
	for i := range out {
		out[i] = t.float64At(i)
	}
	return out
}

// Int64s returns the elements as int64, a copy: fractions are cut off, booleans
// become 0 and 1.
func (t *Tensor) Int64s() []int64 {
	out := make([]int64, t.stored())
	for i := range out {
		if t.DType.isFloat() {
			out[i] = int64(t.float64At(i))
		} else {
			out[i] = t.int64At(i)
		}
	}
	return out
}

// Bools returns for each element whether it is not zero.
func (t *Tensor) Bools() []bool {
	out := make([]bool, t.stored())
	for i := range out {
		out[i] = t.float64At(i) != 0
	}
	return out
}

// To returns the tensor with elements of type d: t itself when it has that type,
// else a copy that is tied to nothing. Floats are rounded to nearest even.
func (t *Tensor) To(d DType) *Tensor {
	if t.DType == d {
		return t
	}
	n := t.stored()
	out := &Tensor{DType: d, Shape: slices.Clone(t.Shape), Data: make([]byte, n*d.Size())}
	for i := range n {
		out.put(i, t)
	}
	return out
}

// Clone returns a copy with Data of its own.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{DType: t.DType, Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// String describes the tensor without its elements, such as "F32[3 4]".
func (t *Tensor) String() string { return fmt.Sprintf("%v%v", t.DType, t.Shape) }

// stored returns the number of elements that Data holds.
func (t *Tensor) stored() int {
	if !t.DType.IsValid() {
		return 0
	}
	return len(t.Data) / t.DType.Size()
}

func (d DType) isFloat() bool { return d >= F64 && d <= BF16 }

func (t *Tensor) float64At(i int) float64 {
	switch t.DType {
	case F64:
		return math.Float64frombits(binary.LittleEndian.Uint64(t.Data[8*i:]))
	case F32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:])))
	case F16:
		return float64(f16ToF32(binary.LittleEndian.Uint16(t.Data[2*i:])))
	case BF16:
		return float64(bf16ToF32(binary.LittleEndian.Uint16(t.Data[2*i:])))
	default:
		return float64(t.int64At(i))
	}
}

func (t *Tensor) int64At(i int) int64 {
	switch t.DType {
	case I64:
		return int64(binary.LittleEndian.Uint64(t.Data[8*i:]))
	case I32:
		return int64(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
	case I16:
		return int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
	case I8:
		return int64(int8(t.Data[i]))
	case Bool:
		if t.Data[i] != 0 {
			return 1
		}
		return 0
	default:
		return int64(t.Data[i])
	}
}

// put sets element i to element i of src, converted.
func (t *Tensor) put(i int, src *Tensor) {
	if t.DType.isFloat() {
		t.putFloat(i, src.float64At(i))
		return
	}
	if t.DType == Bool {
		t.Data[i] = 0
		if src.float64At(i) != 0 {
			t.Data[i] = 1
		}
		return
	}
	n := int64(0)
	if src.DType.isFloat() {
		n = int64(src.float64At(i))
	} else {
		n = src.int64At(i)
	}
	switch t.DType {
	case I64:
		binary.LittleEndian.PutUint64(t.Data[8*i:], uint64(n))
	case I32:
		binary.LittleEndian.PutUint32(t.Data[4*i:], uint32(n))
	case I16:
		binary.LittleEndian.PutUint16(t.Data[2*i:], uint16(n))
	default:
		t.Data[i] = byte(n)
	}
}

func (t *Tensor) putFloat(i int, v float64) {
	switch t.DType {
	case F64:
		binary.LittleEndian.PutUint64(t.Data[8*i:], math.Float64bits(v))
	case F32:
		binary.LittleEndian.PutUint32(t.Data[4*i:], math.Float32bits(float32(v)))
	case F16:
		binary.LittleEndian.PutUint16(t.Data[2*i:], f32ToF16(float32(v)))
	default:
		binary.LittleEndian.PutUint16(t.Data[2*i:], f32ToBF16(float32(v)))
	}
}

// check reports a shape that is negative or too large, or that does not agree
// with the bytes in Data.
func (t *Tensor) check() error {
	if t == nil {
		return fmt.Errorf("tensor is nil")
	}
	if !t.DType.IsValid() {
		return fmt.Errorf("tensor has the invalid type %v", t.DType)
	}
	n, err := numBytes(t.Shape, t.DType)
	if err != nil {
		return err
	}
	if n != int64(len(t.Data)) {
		return fmt.Errorf("shape %v of %v needs %d bytes, Data has %d", t.Shape, t.DType, n, len(t.Data))
	}
	return nil
}

// numBytes returns the bytes of a tensor, or an error where the product of the
// sizes is negative or too large for the machine.
func numBytes(shape []int, d DType) (int64, error) {
	n := int64(d.Size())
	empty := false
	for _, s := range shape {
		if s < 0 {
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		}
		if s == 0 {
			empty = true
			continue
		}
		if n > math.MaxInt64/2/int64(s) {
			return 0, fmt.Errorf("shape %v of %v is too large", shape, d)
		}
		n *= int64(s)
	}
	if empty {
		return 0, nil
	}
	return n, nil
}
