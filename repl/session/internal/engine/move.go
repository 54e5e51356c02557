package engine

import (
	"fmt"
	"go/types"
	"reflect"
	"slices"
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
		if ok1 && ok2 && from != to && !isRecursive(from) {
			anew[from] = to
		}
	}
	if len(anew) == 0 {
		return nil
	}
	var list []move
	literals, pointed := e.references()
	for s := range e.names.all() {
		v, ok := s.obj.(*types.Var)
		if !ok || s.hidden || c.names.get(s.name) != s {
			continue
		}
		if literals && e.inLiterals[s.obj] || slices.ContainsFunc(pointed, func(t types.Type) bool { return types.Identical(t, v.Type()) }) {
			continue // what refers to the variable would not find the new one
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

// references reports whether the session's variables hold functions, which may speak of
// other variables, and returns what types of variables its pointers may point to.
func (e *Engine) references() (literals bool, pointed []types.Type) {
	for s := range e.names.all() {
		v, ok := s.obj.(*types.Var)
		if !ok || s.hidden {
			continue
		}
		if _, isFunc := under[*types.Signature](v.Type()); isFunc {
			literals = true
		}
		if p, ok := under[*types.Pointer](v.Type()); ok {
			pointed = append(pointed, p.Elem())
		}
	}
	return literals, pointed
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
	switch {
	case a.Type() == b.Type():
	case sameLayout(a.Type(), b.Type(), 0):
		b = reflect.NewAt(a.Type(), b.Addr().UnsafePointer()).Elem()
	default:
		b = b.Convert(a.Type())
	}
	a.Set(b)
}

// sameLayout reports whether values of two types are the same in memory: the
// interpreter compiles a structure that embeds a type with methods to another one.
func sameLayout(a, b reflect.Type, depth int) bool {
	if a == b || depth > 16 {
		return a == b
	}
	if a.Kind() != b.Kind() || a.Size() != b.Size() {
		return false
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			return false
		}
		for i := range a.NumField() {
			if a.Field(i).Offset != b.Field(i).Offset || !sameLayout(a.Field(i).Type, b.Field(i).Type, depth+1) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Chan:
		return sameLayout(a.Elem(), b.Elem(), depth+1)
	case reflect.Map:
		return a.Key() == b.Key() && sameLayout(a.Elem(), b.Elem(), depth+1)
	}
	return false
}

// isRecursive reports whether a type is made of itself, as a list's node is, or of one
// that is. Values of such a type stay as they are: the interpreter has no compiled form
// of it.
func isRecursive(n *types.Named) bool {
	seen := map[types.Type]bool{}
	open := map[*types.Named]bool{} // around the type being looked at
	var within func(t types.Type) bool
	within = func(t types.Type) bool {
		t = types.Unalias(t)
		if named, ok := t.(*types.Named); ok {
			if open[named.Origin()] {
				return true
			}
			open[named.Origin()] = true
			defer delete(open, named.Origin())
		}
		if seen[t] {
			return false
		}
		seen[t] = true
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			return within(u.Elem())
		case *types.Slice:
			return within(u.Elem())
		case *types.Array:
			return within(u.Elem())
		case *types.Chan:
			return within(u.Elem())
		case *types.Map:
			return within(u.Key()) || within(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if within(f.Type()) {
					return true
				}
			}
		case *types.Signature:
			for v := range u.Params().Variables() {
				if within(v.Type()) {
					return true
				}
			}
		}
		return false
	}
	return within(n)
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
