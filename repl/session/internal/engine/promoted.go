package engine

import (
	"fmt"
	"go/types"
	"strings"
)

// promoted writes the methods that a structure has by an interface embedded in it, at
// any depth, as methods of its own: the interpreter finds no others. name is the
// interpreter's.
func (w *typeWriter) promoted(name string, named *types.Named) string {
	if _, ok := under[*types.Struct](named); !ok {
		return ""
	}
	var b strings.Builder
	for sel := range types.NewMethodSet(named).Methods() {
		f, ok := sel.Obj().(*types.Func)
		path, through := w.throughInterface(named, sel.Index())
		if !ok || !through || !f.Exported() && f.Pkg() != nil && f.Pkg().Path() != "main" {
			continue
		}
		params, args, ok := w.arguments(f.Signature())
		results, ok2 := w.results(f.Signature())
		if !ok || !ok2 {
			continue
		}
		do := ""
		if f.Signature().Results().Len() > 0 {
			do = "return "
		}
		fmt.Fprintf(&b, "func (v %s) %s(%s)%s { %sv%s.%s(%s) }\n", name, f.Name(), params, results, do, path, f.Name(), args)
	}
	return b.String()
}

// throughInterface follows the embedded fields that lead to a method, as .A.B, and
// reports whether an interface is among them.
func (w *typeWriter) throughInterface(t types.Type, index []int) (path string, found bool) {
	for _, i := range index[:len(index)-1] {
		if p, ok := under[*types.Pointer](t); ok {
			t = p.Elem()
		}
		s, ok := under[*types.Struct](t)
		if !ok {
			return "", false
		}
		t = s.Field(i).Type()
		path += "." + w.fieldName(s.Field(i))
	}
	return path, types.IsInterface(t)
}

// fieldName writes the name of a field: the interpreter's of an embedded one is its type's.
func (w *typeWriter) fieldName(f *types.Var) string {
	t := f.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := t.(interface{ Obj() *types.TypeName })
	if !f.Embedded() || !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" {
		return f.Name()
	}
	if text, ok := w.write(t); ok {
		return text
	}
	return f.Name()
}

// arguments writes a function's parameters as a declaration has them, with names made
// up, and a call's arguments that hand them on.
func (w *typeWriter) arguments(sig *types.Signature) (params, args string, ok bool) {
	var ps, as []string
	for i := range sig.Params().Len() {
		t, dots := sig.Params().At(i).Type(), ""
		if s, ok := t.(*types.Slice); ok && sig.Variadic() && i == sig.Params().Len()-1 {
			t, dots = s.Elem(), "..."
		}
		text, ok := w.write(t)
		if !ok {
			return "", "", false
		}
		ps = append(ps, fmt.Sprintf("a%d %s%s", i, dots, text))
		as = append(as, fmt.Sprintf("a%d%s", i, dots))
	}
	return strings.Join(ps, ", "), strings.Join(as, ", "), true
}

// results writes a function's results as a declaration has them behind the parameters.
func (w *typeWriter) results(sig *types.Signature) (string, bool) {
	text, ok := w.signature(types.NewSignatureType(nil, nil, nil, nil, sig.Results(), false))
	return strings.TrimPrefix(text, "()"), ok
}
