package weights

import (
	"fmt"
	"strings"
)

// Read returns the tensors of a .safetensors file, or the state dict of a .pth as
// [StateDict] finds it. It goes by the content; the name does not matter.
func Read(path string) (*Dict, error) {
	return readFile(path, func(f *source) (*Dict, error) {
		var v Value
		var err error
		switch f.kind {
		case kindSafetensors:
			d, _, err := readSafetensors(f)
			return d, err
		case kindZip:
			v, err = readZip(f)
		case kindLegacy:
			v, err = readLegacy(f)
		default:
			return nil, f.unknown("torch.save or safetensors")
		}
		if err != nil {
			return nil, err
		}
		return StateDict(v)
	})
}

// StateDict finds the tensors by name in what a .pth holds: v itself, or what it
// has under "model", "state_dict" or "model_state_dict". The tensors are not
// copied. A value that is not a tensor is an error that names it.
func StateDict(v Value) (*Dict, error) {
	if d, ok := v.(*Dict); ok {
		return d, nil
	}
	m, ok := v.(*OrderedMap)
	if !ok {
		return nil, hintf("save model.state_dict() or {'model': model.state_dict()}", "there is no state dict: the file holds a %s", kindOf(v))
	}
	for _, name := range []string{"model", "state_dict", "model_state_dict"} {
		switch inner, _ := m.Get(name); inner := inner.(type) {
		case *Dict:
			return inner, nil
		case *OrderedMap:
			d, err := toDict(inner)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return d, nil
		}
	}
	return toDict(m)
}

func toDict(m *OrderedMap) (*Dict, error) {
	d := NewDict()
	for k, v := range m.All() {
		name, ok1 := k.(string)
		t, ok2 := v.(*Tensor)
		if !ok1 || !ok2 {
			return nil, hintf("the state dict is expected at the top of the file or under 'model' or 'state_dict'; the keys here are "+someKeys(m),
				"there is no state dict: %.100v is a %s", k, kindOf(v))
		}
		d.Set(name, t)
	}
	return d, nil
}

// someKeys lists the first few keys for an error.
func someKeys(m *OrderedMap) string {
	var names []string
	for _, k := range m.keys[:min(len(m.keys), 8)] {
		names = append(names, fmt.Sprintf("%.40v", k))
	}
	if len(m.keys) > len(names) {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}
