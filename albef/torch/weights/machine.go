package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// What reading a pickle may cost. Real ones are far below: that of a model with a
// thousand tensors and its optimiser is about a megabyte.
const (
	maxPickle    = 32 << 20 // bytes of instructions
	baseBudget   = 16 << 20 // bytes of values, for any pickle
	budgetFactor = 32       // and so many more for each byte of instructions
	costValue    = 16       // a value on the stack or in a container
	costMemo     = 64       // an entry of the memo
	costObject   = 112      // a dict or a list
)

// errStop ends a run of the machine at the instruction STOP.
var errStop = errors.New("stop")

// machine runs the instructions of one pickle. It makes values and nothing else:
// see callGlobal for the few names that it knows.
type machine struct {
	src    []byte
	pos    int
	stack  []Value
	marks  []int // heights of the stack
	memo   map[uint32]Value
	budget int64
	limit  int  // bytes of instructions
	text   bool // the instructions of protocol 0 are known, too

	// loadStorage returns the bytes that a tensor lives in.
	loadStorage func(storageRef) (*storage, error)
	views       *viewer
}

// newMachine returns a machine for the pickle at the start of src.
func newMachine(src []byte, load func(storageRef) (*storage, error), views *viewer) *machine {
	n := int64(min(len(src), maxPickle))
	return &machine{
		src: src, memo: map[uint32]Value{}, budget: baseBudget + budgetFactor*n, limit: maxPickle, loadStorage: load, views: views,
	}
}

// run executes up to STOP and returns the pickle's value. The bytes consumed are
// then in pos.
func (m *machine) run() (Value, error) {
	for {
		at := m.pos
		if at > m.limit {
			return nil, hintf(hintHostile, "the pickle is longer than %d bytes", m.limit)
		}
		b, err := m.take(1)
		if err != nil {
			return nil, fmt.Errorf("pickle: %w", err)
		}
		err = m.step(opcode(b[0]))
		if errors.Is(err, errStop) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("pickle, byte %d: %w", at, err)
		}
	}
	v, err := m.pop()
	if err != nil {
		return nil, fmt.Errorf("pickle: %w", err)
	}
	if len(m.stack) > 0 || len(m.marks) > 0 {
		return nil, hintf(hintDamaged, "pickle: %d values are left over at its end", len(m.stack)+len(m.marks))
	}
	return v, nil
}

// step executes one instruction.
func (m *machine) step(op opcode) error {
	if m.text && isTextOp(op) {
		return m.stepLine(op)
	}
	switch op {
	case opStop:
		return errStop
	case opProto:
		return m.proto()
	case opFrame:
		_, err := m.take(8) // a hint for buffering; the bytes follow as usual
		return err
	case opBinGet, opLongBinGet, opBinPut, opLongBinPut, opMemoize:
		return m.stepMemo(op)
	case opMark, opPop, opPopMark, opDup:
		return m.stepStack(op)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opBuild, opBinPersID:
		return m.stepGlobal(op)
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3, opEmptyList, opList, opAppend, opAppends,
		opEmptyDict, opDict, opSetItem, opSetItems, opEmptySet, opAddItems, opFrozenSet:
		return m.stepContainer(op)
	default:
		return m.stepScalar(op)
	}
}

func (m *machine) proto() error {
	v, err := m.uint(1)
	if err == nil && v > 5 {
		err = hintf(hintResave, "protocol %d is not known; torch.save writes 2", v)
	}
	return err
}

// stepMemo executes the instructions that remember and recall values.
func (m *machine) stepMemo(op opcode) error {
	var i uint64
	var err error
	switch op {
	case opMemoize:
		i = uint64(len(m.memo))
	case opBinGet, opBinPut:
		i, err = m.uint(1)
	default:
		i, err = m.uint(4)
	}
	if err != nil {
		return err
	}
	return m.useMemo(uint32(i), op == opBinGet || op == opLongBinGet)
}

// useMemo recalls value i, or remembers the top of the stack as that.
func (m *machine) useMemo(i uint32, recall bool) error {
	if recall {
		v, ok := m.memo[i]
		if !ok {
			return hintf(hintDamaged, "value %d is used before it is made", i)
		}
		return m.push(v)
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[i] = v
	return m.spend(costMemo)
}

// stepStack executes the instructions that only move values.
func (m *machine) stepStack(op opcode) error {
	switch op {
	case opMark:
		m.marks = append(m.marks, len(m.stack))
		return m.spend(8)
	case opPop:
		if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
			m.marks = m.marks[:n-1]
			return nil
		}
		_, err := m.pop()
		return err
	case opPopMark:
		_, err := m.popMark()
		return err
	default: // opDup
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	}
}

// push puts v on the stack.
func (m *machine) push(v Value) error {
	m.stack = append(m.stack, v)
	return m.spend(costValue)
}

// floor is the height below which the stack belongs to an outer mark.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) top() (Value, error) {
	if len(m.stack) <= m.floor() {
		return nil, hintf(hintDamaged, "the stack is empty")
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (Value, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popMark takes the values above the last mark. They are valid until the next
// push.
func (m *machine) popMark() ([]Value, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, hintf(hintDamaged, "there is no mark on the stack")
	}
	items := m.stack[m.marks[n-1]:]
	m.stack = m.stack[:m.marks[n-1]]
	m.marks = m.marks[:n-1]
	return items, nil
}

// spend counts memory that a file causes beyond its own bytes.
func (m *machine) spend(n int64) error {
	m.budget -= n
	if m.budget < 0 {
		return hintf(hintHostile, "refused: the values of the pickle need far more memory than its length explains")
	}
	return nil
}

// take returns the next n bytes of the pickle, without a copy.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.src)-m.pos) {
		return nil, hintf(hintDamaged, "ends early: %d bytes wanted, %d left", n, len(m.src)-m.pos)
	}
	b := m.src[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

// uint reads an unsigned number of n bytes.
func (m *machine) uint(n int) (uint64, error) {
	b, err := m.take(uint64(n))
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// sized reads bytes after their length, itself a number of n bytes.
func (m *machine) sized(n int) ([]byte, error) {
	size, err := m.uint(n)
	if err != nil {
		return nil, err
	}
	if size > math.MaxInt64 {
		return nil, hintf(hintHostile, "a length of %d bytes", size)
	}
	return m.take(size)
}
