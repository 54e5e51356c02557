package weights

import (
	"strings"
)

// numpyDType is the element type of a numpy scalar, such as the best accuracy so
// far that a training loop kept. It never leaves the reader.
type numpyDType struct {
	dtype DType
	big   bool
}

// newNumpyDType understands the codes of plain numbers: f8, i4, u1, b1, ...
func newNumpyDType(args Tuple) (Value, error) {
	if len(args) == 0 {
		return nil, refuseCall(classNumpyDType, args)
	}
	code, _ := args[0].(string)
	code = strings.TrimLeft(code, "<|=")
	names := map[string]DType{
		"f8": F64, "f4": F32, "f2": F16, "i8": I64, "i4": I32, "i2": I16, "i1": I8, "u1": U8, "b1": Bool,
	}
	d, ok := names[code]
	if !ok {
		return nil, hintf(hintResave, "refused: a numpy value of type %.20q; only plain numbers are read", code)
	}
	return &numpyDType{dtype: d}, nil
}

// setState takes numpy's tuple (version, byte order, ...).
func (d *numpyDType) setState(state Value) error {
	t, ok := state.(Tuple)
	if !ok || len(t) < 2 {
		return hintf(hintDamaged, "a numpy type gets a %s as its state", kindOf(state))
	}
	d.big = t[1] == ">"
	return nil
}

// numpyScalar returns a number for numpy's (type, bytes).
func numpyScalar(args Tuple) (Value, error) {
	if len(args) == 2 {
		d, ok1 := args[0].(*numpyDType)
		b, ok2 := args[1].([]byte)
		if ok1 && ok2 && len(b) == d.dtype.Size() && !d.big {
			return scalarOf(&Tensor{DType: d.dtype, Data: b}), nil
		}
	}
	return nil, refuseCall(classNumpyScalar, args)
}

// scalarOf returns the first element as a float64, an int64 or a bool.
func scalarOf(t *Tensor) Value {
	switch {
	case t.DType.isFloat():
		return t.Float64s()[0]
	case t.DType == Bool:
		return t.Bools()[0]
	default:
		return t.Int64s()[0]
	}
}
