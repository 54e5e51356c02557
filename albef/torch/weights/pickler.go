package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"
)

// pickler writes values as torch.save does: protocol 2, with only those names
// that torch.load(weights_only=True) accepts.
type pickler struct {
	out   []byte
	memo  map[any]uint32 // by refOf, or by text, or by class
	plan  *storagePlan
	count uint32
}

// pickle returns the instructions that make v. The caller has inspected v.
func pickle(v Value, plan *storagePlan) ([]byte, error) {
	p := &pickler{memo: map[any]uint32{}, plan: plan}
	p.out = append(p.out, byte(opProto), 2)
	if err := p.value(v); err != nil {
		return nil, err
	}
	p.op(opStop)
	return p.out, nil
}

func (p *pickler) op(ops ...opcode) {
	for _, o := range ops {
		p.out = append(p.out, byte(o))
	}
}

// recall writes a reference to what was written under key before.
func (p *pickler) recall(key any) bool {
	i, ok := p.memo[key]
	if !ok {
		return false
	}
	p.memoOp(opBinGet, opLongBinGet, i)
	return true
}

// remember lets later mentions of key refer to the value on top of the stack.
func (p *pickler) remember(key any) {
	p.memo[key] = p.count
	p.memoOp(opBinPut, opLongBinPut, p.count)
	p.count++
}

func (p *pickler) memoOp(short, long opcode, i uint32) {
	if i < 256 {
		p.out = append(p.out, byte(short), byte(i))
		return
	}
	p.op(long)
	p.out = binary.LittleEndian.AppendUint32(p.out, i)
}

// value writes any value.
func (p *pickler) value(v Value) error {
	ref := refOf(v)
	if ref != nil && p.recall(ref) {
		return nil
	}
	switch v := v.(type) {
	case *OrderedMap:
		return p.dict(v)
	case *Dict:
		return p.stateDict(v)
	case *List:
		return p.list(v.Items, ref)
	case []any:
		return p.list(v, ref)
	case Tuple:
		return p.tuple(v, ref)
	case *Set:
		return p.set(v)
	case *Tensor:
		p.tensor(v)
		return nil
	default:
		return p.plain(v)
	}
}

// plain writes a value without parts.
func (p *pickler) plain(v Value) error {
	switch v := v.(type) {
	case nil:
		p.op(opNone)
	case bool:
		if v {
			p.op(opNewTrue)
		} else {
			p.op(opNewFalse)
		}
	case int:
		p.int(int64(v))
	case int64:
		p.int(v)
	case *big.Int:
		return p.long(v)
	case float32:
		p.float(float64(v))
	case float64:
		p.float(v)
	case string:
		return p.text(v)
	case []byte:
		return p.bytes(v)
	case Symbol:
		const prefix = len("torch.")
		p.global("torch", string(v)[prefix:])
	default:
		return fmt.Errorf("a %s has no place in a .pth", kindOf(v))
	}
	return nil
}

func (p *pickler) int(n int64) {
	switch {
	case n >= 0 && n < 1<<8:
		p.out = append(p.out, byte(opBinInt1), byte(n))
	case n >= 0 && n < 1<<16:
		p.op(opBinInt2)
		p.out = binary.LittleEndian.AppendUint16(p.out, uint16(n))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		p.op(opBinInt)
		p.out = binary.LittleEndian.AppendUint32(p.out, uint32(int32(n)))
	default:
		p.out = append(p.out, byte(opLong1), 8)
		p.out = binary.LittleEndian.AppendUint64(p.out, uint64(n))
	}
}

// long writes an int of up to 255 bytes, little-endian two's complement.
func (p *pickler) long(n *big.Int) error {
	size := n.BitLen()/8 + 1
	if size > math.MaxUint8 {
		return fmt.Errorf("an int of %d bits is too long", n.BitLen())
	}
	m := n
	if n.Sign() < 0 {
		m = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	b := m.FillBytes(make([]byte, size))
	slices.Reverse(b)
	p.out = append(append(p.out, byte(opLong1), byte(size)), b...)
	return nil
}

func (p *pickler) float(f float64) {
	p.op(opBinFloat)
	p.out = binary.BigEndian.AppendUint64(p.out, math.Float64bits(f))
}

func (p *pickler) text(s string) error {
	if p.recall(s) {
		return nil
	}
	if !utf8.ValidString(s) || len(s) > math.MaxInt32 {
		return fmt.Errorf("the text %.50q is not valid UTF-8 or too long", s)
	}
	p.op(opBinUnicode)
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(len(s)))
	p.out = append(p.out, s...)
	p.remember(s)
	return nil
}

// bytes writes b the way protocol 2 has to: as text of code points up to 255.
func (p *pickler) bytes(b []byte) error {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	p.global("_codecs", "encode")
	if err := p.text(string(runes)); err != nil {
		return err
	}
	if err := p.text("latin1"); err != nil {
		return err
	}
	p.op(opTuple2, opReduce)
	return nil
}

// global writes a name.
func (p *pickler) global(module, name string) {
	key := class(module + "." + name)
	if p.recall(key) {
		return
	}
	p.op(opGlobal)
	p.out = append(p.out, module+"\n"+name+"\n"...)
	p.remember(key)
}

func (p *pickler) list(items []Value, ref any) error {
	p.op(opEmptyList)
	if ref != nil {
		p.remember(ref)
	}
	if len(items) == 0 {
		return nil
	}
	p.op(opMark)
	for _, x := range items {
		if err := p.value(x); err != nil {
			return err
		}
	}
	p.op(opAppends)
	return nil
}

func (p *pickler) tuple(t Tuple, ref any) error {
	if len(t) == 0 {
		p.op(opEmptyTuple)
		return nil
	}
	if len(t) > 3 {
		p.op(opMark)
	}
	for _, x := range t {
		if err := p.value(x); err != nil {
			return err
		}
	}
	if len(t) > 3 {
		p.op(opTuple)
	} else {
		p.op(opTuple1 + opcode(len(t)-1))
	}
	p.remember(ref)
	return nil
}

func (p *pickler) set(s *Set) error {
	p.global("__builtin__", "set")
	if err := p.list(s.Items, nil); err != nil {
		return err
	}
	p.op(opTuple1, opReduce)
	p.remember(s)
	return nil
}

func (p *pickler) dict(m *OrderedMap) error {
	if m.Attrs != nil && !m.IsOrderedDict {
		return fmt.Errorf("a plain dict has no attributes; only an OrderedDict can have them")
	}
	p.emptyDict(m.IsOrderedDict)
	p.remember(m)
	if m.Len() > 0 {
		p.op(opMark)
		for k, v := range m.All() {
			if err := p.value(k); err != nil {
				return err
			}
			if err := p.value(v); err != nil {
				return err
			}
		}
		p.op(opSetItems)
	}
	if m.Attrs == nil {
		return nil
	}
	if err := p.value(m.Attrs); err != nil {
		return err
	}
	p.op(opBuild)
	return nil
}

func (p *pickler) stateDict(d *Dict) error {
	p.emptyDict(true)
	p.remember(d)
	p.op(opMark)
	for k, t := range d.All() {
		if err := p.text(k); err != nil {
			return err
		}
		if err := p.value(t); err != nil {
			return err
		}
	}
	p.op(opSetItems)
	return nil
}

func (p *pickler) emptyDict(ordered bool) {
	if !ordered {
		p.op(opEmptyDict)
		return
	}
	p.global("collections", "OrderedDict")
	p.op(opEmptyTuple, opReduce)
}

// tensor writes a call of _rebuild_tensor_v2 with the tensor's storage.
func (p *pickler) tensor(t *Tensor) {
	place := p.plan.places[t]
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.op(opMark, opMark)
	p.mustText("storage")
	p.global("torch", t.DType.storageClass())
	p.mustText(strconv.Itoa(place.storage))
	p.mustText("cpu")
	p.int(int64(len(p.plan.storages[place.storage]) / t.DType.Size()))
	p.op(opTuple, opBinPersID)
	p.int(int64(place.offset / t.DType.Size()))
	p.sizes(t.Shape)
	p.sizes(rowMajor(t.Shape))
	p.op(opNewFalse)
	p.emptyDict(true)
	p.op(opTuple, opReduce)
	p.remember(t)
}

// mustText writes a text of this package's own, which is always valid.
func (p *pickler) mustText(s string) {
	if err := p.text(s); err != nil {
		panic(err)
	}
}

func (p *pickler) sizes(sizes []int) {
	p.op(opMark)
	for _, n := range sizes {
		p.int(int64(n))
	}
	p.op(opTuple)
}

// rowMajor returns the strides of a contiguous tensor, in elements.
func rowMajor(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= max(shape[i], 1)
	}
	return strides
}
