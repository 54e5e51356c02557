package weights

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// class is a name that a pickle may mention, in full: "collections.OrderedDict".
// It never leaves the reader.
type class string

// The names that callGlobal and newObject know what to do with.
const (
	classOrderedDict  class = "collections.OrderedDict"
	classCounter      class = "collections.Counter"
	classTensor2      class = "torch._utils._rebuild_tensor_v2"
	classTensor3      class = "torch._utils._rebuild_tensor_v3"
	classParameter    class = "torch._utils._rebuild_parameter"
	classSize         class = "torch.Size"
	classDevice       class = "torch.device"
	classUntyped      class = "torch.storage.UntypedStorage"
	classNamespace    class = "argparse.Namespace"
	classAttrDict     class = "utils.AttrDict"
	classEncode       class = "_codecs.encode"
	classSet          class = "builtins.set"
	classFrozenSet    class = "builtins.frozenset"
	classNumpyScalar  class = "numpy.core.multiarray.scalar"
	classNumpyScalar2 class = "numpy._core.multiarray.scalar"
	classNumpyDType   class = "numpy.dtype"
)

// findGlobal looks a name up in the list of those that only make data. Everything
// else is refused here, before anything could be done with it.
func findGlobal(module, name string) (Value, error) {
	if module == "__builtin__" { // Python 2's name, which protocol 2 keeps
		module = "builtins"
	}
	full := module + "." + name
	switch c := class(full); c {
	case classOrderedDict, classCounter, classTensor2, classTensor3, classParameter, classSize, classDevice,
		classUntyped, classNamespace, classAttrDict, classEncode, classSet, classFrozenSet,
		classNumpyScalar, classNumpyScalar2, classNumpyDType:
		return c, nil
	}
	if module == "torch" {
		if _, ok := dtypeOfStorage(name); ok {
			return class(full), nil
		}
		if _, ok := Symbol(full).dtype(); ok {
			return Symbol(full), nil
		}
	}
	if !strconv.CanBackquote(full) || len(full) > 200 {
		full = fmt.Sprintf("%.200q", full)
	}
	return nil, hintf(hintResave, "refused: the file wants to call %s", full)
}

// dtype returns the element type that s names.
func (s Symbol) dtype() (DType, bool) {
	return findDType(func(i dtypeInfo) bool { return "torch."+i.torch == string(s) })
}

// stepGlobal executes the instructions that name classes and make objects.
func (m *machine) stepGlobal(op opcode) error {
	switch op {
	case opGlobal:
		return m.stepName()
	case opStackGlobal:
		items, err := m.popN(2)
		if err != nil {
			return err
		}
		return m.pushGlobal(items[0], items[1])
	case opBinPersID:
		return m.stepStorage()
	}
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	target, arg := items[0], items[1]
	if op == opBuild {
		return m.build(target, arg)
	}
	c, isClass := target.(class)
	args, isTuple := arg.(Tuple)
	if !isClass || !isTuple {
		return hintf(hintDamaged, "a %s is called with a %s", kindOf(target), kindOf(arg))
	}
	var v Value
	if op == opNewObj {
		v, err = newObject(c, args)
	} else {
		v, err = m.callGlobal(c, args)
	}
	if err != nil {
		return err
	}
	return m.pushObject(v)
}

// stepName reads a name as two lines, module and attribute.
func (m *machine) stepName() error {
	var lines [2]string
	for i := range lines {
		end := bytes.IndexByte(m.src[m.pos:], '\n')
		if end < 0 {
			return hintf(hintDamaged, "a name without an end")
		}
		b, err := m.take(uint64(end) + 1)
		if err != nil {
			return err
		}
		lines[i] = string(b[:end])
	}
	return m.pushGlobal(lines[0], lines[1])
}

func (m *machine) pushGlobal(module, name Value) error {
	mod, ok1 := module.(string)
	attr, ok2 := name.(string)
	if !ok1 || !ok2 {
		return hintf(hintDamaged, "a name made of a %s and a %s", kindOf(module), kindOf(name))
	}
	g, err := findGlobal(mod, attr)
	if err != nil {
		return err
	}
	return m.push(g)
}

// newObject makes an empty object of the few classes that are dicts in disguise.
func newObject(c class, args Tuple) (Value, error) {
	if len(args) == 0 {
		switch c {
		case classNamespace:
			return &OrderedMap{isNamespace: true}, nil
		case classAttrDict, classCounter:
			return NewMap(), nil
		case classOrderedDict:
			return NewOrderedDict(), nil
		}
	}
	return nil, refuseCall(c, args)
}

// callGlobal makes the value that calling c would make in Python, for each name
// of the list. Nothing is looked up and nothing is run.
func (m *machine) callGlobal(c class, args Tuple) (Value, error) {
	switch c {
	case classTensor2, classTensor3:
		return m.views.rebuild(c, args)
	case classParameter:
		if len(args) == 3 {
			if t, ok := args[0].(*Tensor); ok {
				return t, nil
			}
		}
	case classOrderedDict, classCounter, classSet, classFrozenSet:
		return m.makeContainer(c, args)
	case classSize:
		if len(args) == 1 {
			if t, ok := args[0].(Tuple); ok {
				return t, nil
			}
		}
	case classDevice:
		return deviceName(args)
	case classEncode:
		return m.encodeBytes(args)
	case classNumpyDType:
		return newNumpyDType(args)
	case classNumpyScalar, classNumpyScalar2:
		return numpyScalar(args)
	case classNamespace, classAttrDict, classUntyped:
	}
	return nil, refuseCall(c, args)
}

func refuseCall(c class, args Tuple) error {
	kinds := make([]string, 0, 8)
	for _, a := range args[:min(len(args), cap(kinds))] {
		kinds = append(kinds, kindOf(a))
	}
	return hintf(hintResave, "refused: the file wants to call %s(%s)", string(c), strings.Join(kinds, ", "))
}

// makeContainer makes a dict or a set, empty or from the one argument.
func (m *machine) makeContainer(c class, args Tuple) (Value, error) {
	var items []Value
	isSet := c == classSet || c == classFrozenSet
	switch {
	case len(args) == 0:
	case len(args) > 1:
		return nil, refuseCall(c, args)
	default:
		var err error
		if items, err = containerItems(args[0], isSet); err != nil {
			return nil, err
		}
	}
	if err := m.spend(costValue * int64(len(items))); err != nil {
		return nil, err
	}
	if isSet {
		return &Set{Items: items}, nil
	}
	d := &OrderedMap{IsOrderedDict: c == classOrderedDict}
	return d, m.fillMap(d, items)
}

// containerItems lists the items of a list or tuple, or the keys and values of a
// dict or of a list of pairs.
func containerItems(v Value, isSet bool) ([]Value, error) {
	var items []Value
	switch v := v.(type) {
	case *List:
		items = v.Items
	case Tuple:
		items = v
	case *OrderedMap:
		for k, x := range v.All() {
			items = append(items, k, x)
		}
		return items, nil
	default:
		return nil, hintf(hintDamaged, "a container is made from a %s", kindOf(v))
	}
	if isSet {
		return append([]Value(nil), items...), nil
	}
	var pairs []Value
	for _, item := range items {
		pair, ok := item.(Tuple)
		if l, isList := item.(*List); isList {
			pair, ok = l.Items, true
		}
		if !ok || len(pair) != 2 {
			return nil, hintf(hintDamaged, "a dict is made from a %s where a pair was expected", kindOf(item))
		}
		pairs = append(pairs, pair...)
	}
	return pairs, nil
}

// deviceName returns "cpu" or "cuda:1" for a torch.device.
func deviceName(args Tuple) (Value, error) {
	if len(args) == 1 || len(args) == 2 {
		if name, ok := args[0].(string); ok {
			if len(args) == 1 {
				return name, nil
			}
			if i, ok := args[1].(int64); ok && len(name) < 100 {
				return fmt.Sprintf("%s:%d", name, i), nil
			}
		}
	}
	return nil, refuseCall(classDevice, args)
}

// encodeBytes is how protocol 2 writes bytes: as text of code points up to 255.
func (m *machine) encodeBytes(args Tuple) (Value, error) {
	if len(args) != 2 || args[1] != "latin1" {
		return nil, refuseCall(classEncode, args)
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, refuseCall(classEncode, args)
	}
	if err := m.spend(int64(len(s))); err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, hintf(hintDamaged, "bytes hold the character %U", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// build sets the attributes of an object that the pickle made.
func (m *machine) build(target, state Value) error {
	attrs, isMap := state.(*OrderedMap)
	switch t := target.(type) {
	case *OrderedMap:
		switch {
		case !isMap:
		case t.isNamespace:
			for k, v := range attrs.All() {
				if err := m.fillMap(t, []Value{k, v}); err != nil {
					return err
				}
			}
			return m.push(t)
		case attrs == t: // an AttrDict's attributes are its items
			return m.push(t)
		default:
			t.Attrs = attrs
			return m.push(t)
		}
	case *numpyDType:
		if err := t.setState(state); err != nil {
			return err
		}
		return m.push(t)
	}
	return hintf(hintResave, "refused: the file sets the state of a %s with a %s", kindOf(target), kindOf(state))
}
