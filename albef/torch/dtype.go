package torch

import "fmt"

// DType is the element type of a tensor, with libtorch's own numbers.
type DType int32

// The element types in use. Parameters are Float32; BFloat16 appears under
// [Autocast] and, like Float16, in checkpoints.
const (
	Uint8    DType = 0
	Int32    DType = 3
	Int64    DType = 4
	Float16  DType = 5
	Float32  DType = 6
	Float64  DType = 7
	Bool     DType = 11
	BFloat16 DType = 15
)

// String returns PyTorch's name of the type, such as "float32".
func (d DType) String() string {
	switch d {
	case Uint8:
		return "uint8"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Float16:
		return "float16"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Bool:
		return "bool"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("dtype(%d)", int32(d))
}

// Bytes returns the size of one element.
func (d DType) Bytes() int {
	switch d {
	case Uint8, Bool:
		return 1
	case Float16, BFloat16:
		return 2
	case Int64, Float64:
		return 8
	default: // Int32, Float32
		return 4
	}
}
