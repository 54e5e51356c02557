package weights

import "fmt"

// DType is the element type of a [Tensor]. The zero DType is not valid.
type DType uint8

// The element types that both file formats share.
const (
	F64 DType = iota + 1
	F32
	F16
	BF16
	I64
	I32
	I16
	I8
	U8
	Bool
)

// dtypeInfo describes an element type in the words of each format.
type dtypeInfo struct {
	dtype   DType
	size    int
	scalar  int    // libtorch's c10::ScalarType
	name    string // safetensors
	storage string // class of the storage in torch's pickles
	torch   string // attribute of the module torch
}

// dtypeTable returns the row of every element type. It is a function because a
// package variable could be changed.
func dtypeTable() [10]dtypeInfo {
	return [10]dtypeInfo{
		{F64, 8, 7, "F64", "DoubleStorage", "float64"},
		{F32, 4, 6, "F32", "FloatStorage", "float32"},
		{F16, 2, 5, "F16", "HalfStorage", "float16"},
		{BF16, 2, 15, "BF16", "BFloat16Storage", "bfloat16"},
		{I64, 8, 4, "I64", "LongStorage", "int64"},
		{I32, 4, 3, "I32", "IntStorage", "int32"},
		{I16, 2, 2, "I16", "ShortStorage", "int16"},
		{I8, 1, 1, "I8", "CharStorage", "int8"},
		{U8, 1, 0, "U8", "ByteStorage", "uint8"},
		{Bool, 1, 11, "BOOL", "BoolStorage", "bool"},
	}
}

// IsValid reports whether d is one of the element types above.
func (d DType) IsValid() bool { return d >= F64 && d <= Bool }

// Size returns the bytes of one element, or 0 for an invalid DType.
func (d DType) Size() int {
	if !d.IsValid() {
		return 0
	}
	return dtypeTable()[d-1].size
}

// String returns the name that safetensors uses, such as "F32" or "BF16".
func (d DType) String() string {
	if !d.IsValid() {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypeTable()[d-1].name
}

// TorchScalarType returns libtorch's number for d (c10::ScalarType), or -1 for an
// invalid DType.
func (d DType) TorchScalarType() int {
	if !d.IsValid() {
		return -1
	}
	return dtypeTable()[d-1].scalar
}

// DTypeOfTorch returns the element type with libtorch's number n; ok is false
// for types that have no place in these files (complex, quantised, float8).
func DTypeOfTorch(n int) (d DType, ok bool) {
	return findDType(func(i dtypeInfo) bool { return i.scalar == n })
}

// ParseDType returns the element type that safetensors calls name.
func ParseDType(name string) (d DType, ok bool) {
	return findDType(func(i dtypeInfo) bool { return i.name == name })
}

// dtypeOfStorage returns the element type of torch's storage class, such as
// "FloatStorage".
func dtypeOfStorage(class string) (d DType, ok bool) {
	return findDType(func(i dtypeInfo) bool { return i.storage == class })
}

func findDType(match func(dtypeInfo) bool) (DType, bool) {
	for _, info := range dtypeTable() {
		if match(info) {
			return info.dtype, true
		}
	}
	return 0, false
}

// storageClass returns the name of torch's storage class for d.
func (d DType) storageClass() string { return dtypeTable()[d-1].storage }
