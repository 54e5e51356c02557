package weights

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
)

// stepScalar executes the instructions that push one plain value.
func (m *machine) stepScalar(op opcode) error {
	switch op {
	case opNone:
		return m.push(nil)
	case opNewTrue:
		return m.push(true)
	case opNewFalse:
		return m.push(false)
	case opBinFloat:
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case opBinInt, opBinInt1, opBinInt2, opLong1, opLong4:
		return m.stepInt(op)
	default:
		return m.stepText(op)
	}
}

func (m *machine) stepInt(op opcode) error {
	var n uint64
	var err error
	switch op {
	case opBinInt1:
		n, err = m.uint(1)
	case opBinInt2:
		n, err = m.uint(2)
	case opBinInt:
		n, err = m.uint(4)
		n = uint64(int64(int32(uint32(n))))
	default:
		return m.stepLong(op)
	}
	if err != nil {
		return err
	}
	return m.push(int64(n))
}

// stepLong reads a Python int of any length, little-endian two's complement.
func (m *machine) stepLong(op opcode) error {
	width := 1
	if op == opLong4 {
		width = 4
	}
	b, err := m.sized(width)
	if err != nil {
		return err
	}
	return m.push(longValue(b))
}

// longValue returns an int64 where b fits into one, else a *big.Int.
func longValue(b []byte) Value {
	if len(b) == 0 {
		return int64(0)
	}
	be := slices.Clone(b)
	slices.Reverse(be)
	n := new(big.Int).SetBytes(be)
	if b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// stepText reads strings and bytes.
func (m *machine) stepText(op opcode) error {
	width := 0
	switch op {
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		width = 1
	case opBinString, opBinUnicode, opBinBytes:
		width = 4
	case opBinUnicode8, opBinBytes8, opByteArray8:
		width = 8
	default:
		return hintf(hintResave, "the instruction %#02x has no place in a file of weights", byte(op))
	}
	b, err := m.sized(width)
	if err != nil {
		return err
	}
	switch op {
	case opShortBinBytes, opBinBytes, opBinBytes8, opByteArray8:
		return m.push(slices.Clone(b))
	default:
		return m.push(string(b))
	}
}
