package weights

import "slices"

// stepContainer executes the instructions that make and fill tuples, lists,
// dicts and sets.
func (m *machine) stepContainer(op opcode) error {
	switch op {
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3:
		return m.stepTuple(op)
	case opEmptyList:
		return m.pushObject(&List{})
	case opEmptyDict:
		return m.pushObject(NewMap())
	case opEmptySet:
		return m.pushObject(&Set{})
	case opAppend, opSetItem:
		n := 1
		if op == opSetItem {
			n = 2
		}
		items, err := m.popN(n)
		if err != nil {
			return err
		}
		return m.fill(items)
	case opAppends, opSetItems, opAddItems:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.fill(items)
	default: // opList, opDict, opFrozenSet
		return m.stepWhole(op)
	}
}

// stepTuple makes a tuple of the values on top of the stack.
func (m *machine) stepTuple(op opcode) error {
	var items []Value
	var err error
	switch op {
	case opEmptyTuple:
	case opTuple:
		items, err = m.popMark()
	default:
		items, err = m.popN(int(op-opTuple1) + 1)
	}
	if err != nil {
		return err
	}
	return m.push(Tuple(slices.Clone(items)))
}

// stepWhole makes a container from all values above the mark.
func (m *machine) stepWhole(op opcode) error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	items = slices.Clone(items)
	var target Value = &List{}
	switch op {
	case opDict:
		target = NewMap()
	case opFrozenSet:
		target = &Set{}
	}
	if err := m.pushObject(target); err != nil {
		return err
	}
	return m.fill(items)
}

func (m *machine) pushObject(v Value) error {
	if err := m.spend(costObject); err != nil {
		return err
	}
	return m.push(v)
}

// fill puts items into the container on top of the stack.
func (m *machine) fill(items []Value) error {
	target, err := m.top()
	if err != nil {
		return err
	}
	if err := m.spend(costValue * int64(len(items))); err != nil {
		return err
	}
	switch t := target.(type) {
	case *List:
		t.Items = append(t.Items, items...)
		return nil
	case *Set:
		t.Items = append(t.Items, items...)
		return nil
	case *OrderedMap:
		return m.fillMap(t, items)
	default:
		return hintf(hintDamaged, "items are added to a %s", kindOf(target))
	}
}

func (m *machine) fillMap(t *OrderedMap, items []Value) error {
	if len(items)%2 != 0 {
		return hintf(hintDamaged, "a dict gets a key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		if _, isTuple := items[i].(Tuple); isTuple {
			if err := m.spend(maxTupleKey); err != nil {
				return err
			}
		}
		if err := m.spend(costMemo); err != nil {
			return err
		}
		if err := t.Set(items[i], items[i+1]); err != nil {
			return withHint(err, hintResave)
		}
	}
	return nil
}

// popN takes the top n values. They are valid until the next push.
func (m *machine) popN(n int) ([]Value, error) {
	if len(m.stack)-m.floor() < n {
		return nil, hintf(hintDamaged, "the stack has too few values")
	}
	items := m.stack[len(m.stack)-n:]
	m.stack = m.stack[:len(m.stack)-n]
	return items, nil
}
