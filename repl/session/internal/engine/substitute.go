package engine

import "go/types"

// binding is what type parameters stand for in an instance.
type binding map[*types.TypeParam]types.Type

// bind returns the binding of parameters to arguments.
func bind(params []*types.TypeParam, args []types.Type) binding {
	b := binding{}
	for i, p := range params {
		if p != nil {
			b[p] = args[i]
		}
	}
	return b
}

// apply returns t with the parameters replaced, t itself where it has none.
func (b binding) apply(t types.Type) types.Type {
	if len(b) == 0 || t == nil {
		return t
	}
	switch t := t.(type) {
	case *types.TypeParam:
		if to, ok := b[t]; ok {
			return to
		}
	case *types.Pointer:
		return types.NewPointer(b.apply(t.Elem()))
	case *types.Slice:
		return types.NewSlice(b.apply(t.Elem()))
	case *types.Array:
		return types.NewArray(b.apply(t.Elem()), t.Len())
	case *types.Chan:
		return types.NewChan(t.Dir(), b.apply(t.Elem()))
	case *types.Map:
		return types.NewMap(b.apply(t.Key()), b.apply(t.Elem()))
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, b.tuple(t.Params()), b.tuple(t.Results()), t.Variadic())
	case *types.Tuple:
		return b.tuple(t)
	case *types.Struct:
		fields, tags := make([]*types.Var, t.NumFields()), make([]string, t.NumFields())
		for i := range fields {
			f := t.Field(i)
			fields[i] = types.NewField(f.Pos(), f.Pkg(), f.Name(), b.apply(f.Type()), f.Embedded())
			tags[i] = t.Tag(i)
		}
		return types.NewStruct(fields, tags)
	case *types.Interface:
		methods := make([]*types.Func, t.NumMethods())
		for i := range methods {
			m := t.Method(i)
			sig, _ := b.apply(m.Signature()).(*types.Signature)
			methods[i] = types.NewFunc(m.Pos(), m.Pkg(), m.Name(), sig)
		}
		if len(methods) > 0 {
			return types.NewInterfaceType(methods, nil).Complete()
		}
	case *types.Alias:
		return b.apply(types.Unalias(t))
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t
		}
		if inst, err := types.Instantiate(nil, t.Origin(), b.list(t.TypeArgs()), false); err == nil {
			return inst
		}
	}
	return t
}

// unaliased returns t with what aliases stand for in their places.
func unaliased(t types.Type) types.Type { return binding{nil: nil}.apply(t) }

func (b binding) tuple(t *types.Tuple) *types.Tuple {
	vars := make([]*types.Var, t.Len())
	for i := range vars {
		v := t.At(i)
		vars[i] = types.NewParam(v.Pos(), v.Pkg(), v.Name(), b.apply(v.Type()))
	}
	return types.NewTuple(vars...)
}

// list returns type arguments with the parameters replaced.
func (b binding) list(l *types.TypeList) []types.Type {
	args := make([]types.Type, l.Len())
	for i := range args {
		args[i] = b.apply(l.At(i))
	}
	return args
}
