package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
)

// What reading a plain pickle may cost. The refs(unc).p of RefCOCO+ has some 50
// thousand objects in text instructions, tens of megabytes.
const (
	maxPlainPickle    = 512 << 20
	plainBudgetFactor = 128
)

// ReadPickle reads a file of Python's pickle.dump of any protocol that holds
// plain values alone: numbers, texts, lists, tuples, sets and dicts. A Python 2
// str becomes a string with the bytes it has. Anything else is refused, as by
// [ReadPTH].
func ReadPickle(path string) (Value, error) {
	return readFile(path, func(f *source) (Value, error) {
		if f.kind != kindUnknown {
			return nil, hintf("give the file that pickle.dump wrote", "is a file of weights, not a plain pickle")
		}
		if f.size > maxPlainPickle {
			return nil, hintf("write it as json", "has %d bytes, and at most %d are read", f.size, maxPlainPickle)
		}
		src := make([]byte, f.size)
		if _, err := io.ReadFull(io.NewSectionReader(f, 0, f.size), src); err != nil {
			return nil, err
		}
		if len(src) == 0 {
			return nil, f.unknown("pickle.dump")
		}
		m := newMachine(src, noStorage, newViewer(f.size, nil))
		m.text, m.limit, m.budget = true, maxPlainPickle, baseBudget+plainBudgetFactor*f.size
		v, err := m.run()
		if err != nil {
			return nil, err
		}
		tensors, err := inspect(v)
		if err == nil && len(tensors) > 0 {
			err = hintf("open it as a checkpoint", "holds a tensor")
		}
		return v, err
	})
}

// isTextOp reports whether op is one of protocol 0, whose arguments are lines.
func isTextOp(op opcode) bool {
	switch op {
	case opGet, opPut, opInt, opLong, opFloat, opString, opUnicode:
		return true
	}
	return false
}

// line returns the text up to the next newline, without it.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.src[m.pos:], '\n')
	if n < 0 {
		return "", hintf(hintDamaged, "ends in the middle of a line")
	}
	b, err := m.take(uint64(n) + 1)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(b[:n]), "\r"), nil
}

// stepLine executes an instruction of protocol 0.
func (m *machine) stepLine(op opcode) error {
	arg, err := m.line()
	if err != nil {
		return err
	}
	var v Value
	switch op {
	case opGet, opPut:
		return m.memoLine(op, arg)
	case opInt, opLong:
		v, err = wholeLine(arg)
	case opFloat:
		v, err = strconv.ParseFloat(arg, 64)
	case opString:
		v, err = quotedLine(arg)
	default: // opUnicode
		v, err = unescaped(arg, false)
	}
	if err != nil {
		return withHint(fmt.Errorf("%.40q: %w", arg, err), hintDamaged)
	}
	return m.push(v)
}

func (m *machine) memoLine(op opcode, arg string) error {
	i, err := strconv.ParseUint(arg, 10, 32)
	if err != nil {
		return hintf(hintDamaged, "%.40q is no place in the memo", arg)
	}
	return m.useMemo(uint32(i), op == opGet)
}

// wholeLine reads a whole number, or the 00 and 01 that stand for truth values.
func wholeLine(arg string) (Value, error) {
	switch arg {
	case "00":
		return false, nil
	case "01":
		return true, nil
	}
	const longest = 1 << 10 // digits; reading a number takes the square of them
	n, ok := new(big.Int), len(arg) <= longest
	if ok {
		n, ok = n.SetString(strings.TrimSuffix(arg, "L"), 10)
	}
	if !ok {
		return nil, errors.New("is no whole number")
	}
	if n.IsInt64() {
		return n.Int64(), nil
	}
	return n, nil
}

// quotedLine reads a Python 2 str as its repr.
func quotedLine(arg string) (Value, error) {
	n := len(arg)
	if n < 2 || arg[0] != arg[n-1] || arg[0] != '\'' && arg[0] != '"' {
		return nil, errors.New("is not in quotes")
	}
	return unescaped(arg[1:n-1], true)
}

// unescaped resolves backslashes: all of Python's in a str, \u and \U alone in
// a unicode, whose other bytes are Latin-1.
func unescaped(s string, str bool) (string, error) {
	var out strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			if str {
				out.WriteByte(c)
			} else {
				out.WriteRune(rune(c))
			}
			i++
			continue
		}
		n, err := unescapeOne(&out, s[i:], str)
		if err != nil {
			return "", err
		}
		i += n
	}
	return out.String(), nil
}

// unescapeOne writes what the escape at the start of s stands for and returns
// its length.
func unescapeOne(out *strings.Builder, s string, str bool) (int, error) {
	plain := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '\'': '\'', '"': '"', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v'}
	digits := map[byte]int{'u': 4, 'U': 8}
	if str {
		digits = map[byte]int{'x': 2}
	}
	if len(s) > 1 {
		if c, ok := plain[s[1]]; ok && str {
			out.WriteByte(c)
			return 2, nil
		}
		if n, ok := digits[s[1]]; ok && len(s) >= 2+n {
			code, err := strconv.ParseUint(s[2:2+n], 16, 32)
			if err != nil {
				return 0, errors.New("holds a broken escape")
			}
			if str {
				out.WriteByte(byte(code))
			} else {
				out.WriteRune(rune(code))
			}
			return 2 + n, nil
		}
	}
	if str {
		return 0, errors.New("holds a broken escape")
	}
	out.WriteByte('\\') // raw-unicode-escape leaves other backslashes alone
	return 1, nil
}
