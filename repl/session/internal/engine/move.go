package engine

import (
	"fmt"
	"go/types"
	"reflect"
)

// move is a variable whose type is made anew, as a cell adds a method to it: the
// session's name stands for a new variable that takes the old one's value over.
type move struct{ from, to *symbol }

// moves returns the variables whose types are made of the types that are named, which
// the cell makes anew, and puts them into its names.
func (e *Engine) moves(c *checker, again []string) []move {
	anew := map[*types.Named]*types.Named{}
	for _, name := range again {
		before, now := e.names.get(name), c.names.get(name)
		if before == nil || now == nil {
			continue
		}
		from, ok1 := before.obj.Type().(*types.Named)
		to, ok2 := now.obj.Type().(*types.Named)
		if ok1 && ok2 && from != to {
			anew[from] = to
		}
	}
	var list []move
	for s := range e.names.all() {
		v, ok := s.obj.(*types.Var)
		if !ok || s.hidden || c.names.get(s.name) != s {
			continue
		}
		t := renewed(v.Type(), anew)
		if t == nil {
			continue
		}
		to := &symbol{name: s.name, internal: e.internalName(s.name), obj: newVar(s.name, t)}
		e.objects[to.obj] = to
		c.names.add(to)
		list = append(list, move{s, to})
	}
	return list
}

// code declares the new variable and gives it the old one's value.
func (m move) code(w *typeWriter) string {
	text, ok := w.write(m.to.obj.Type())
	if !ok {
		return ""
	}
	return fmt.Sprintf("var %s %s\nfunc init() { vlabRT.Move(&%s, &%s) }\n", m.to.internal, text, m.to.internal, m.from.internal)
}

// moved gives a variable the value of another, whose type is the same but for its
// methods.
func moved(to, from any) {
	a, b := reflect.ValueOf(to).Elem(), reflect.ValueOf(from).Elem()
	if b.Type() != a.Type() {
		b = b.Convert(a.Type())
	}
	a.Set(b)
}

// mentionsType reports whether a type is made of a declared one.
func mentionsType(t types.Type, of *types.Named) bool {
	return renewed(t, map[*types.Named]*types.Named{of: of}) != nil
}

// renewed returns a type with declared types in the place of others, nil where it has
// none of them.
func renewed(t types.Type, anew map[*types.Named]*types.Named) types.Type {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if to := anew[t]; to != nil {
			return to
		}
		return renewedInstance(t, anew)
	case *types.Pointer:
		if of := renewed(t.Elem(), anew); of != nil {
			return types.NewPointer(of)
		}
	case *types.Slice:
		if of := renewed(t.Elem(), anew); of != nil {
			return types.NewSlice(of)
		}
	case *types.Array:
		if of := renewed(t.Elem(), anew); of != nil {
			return types.NewArray(of, t.Len())
		}
	case *types.Chan:
		if of := renewed(t.Elem(), anew); of != nil {
			return types.NewChan(t.Dir(), of)
		}
	case *types.Map:
		key, elem := renewed(t.Key(), anew), renewed(t.Elem(), anew)
		if key == nil && elem == nil {
			return nil
		}
		if key == nil {
			key = t.Key()
		}
		if elem == nil {
			elem = t.Elem()
		}
		return types.NewMap(key, elem)
	}
	return nil
}

// renewedInstance does so for an instance of a generic type.
func renewedInstance(t *types.Named, anew map[*types.Named]*types.Named) types.Type {
	if t.TypeArgs().Len() == 0 {
		return nil
	}
	of, found := t.Origin(), false
	if to := anew[of]; to != nil {
		of, found = to, true
	}
	args := make([]types.Type, t.TypeArgs().Len())
	for i := range args {
		args[i] = t.TypeArgs().At(i)
		if arg := renewed(args[i], anew); arg != nil {
			args[i], found = arg, true
		}
	}
	if !found {
		return nil
	}
	inst, err := types.Instantiate(nil, of, args, false)
	if err != nil {
		return nil
	}
	return inst
}
