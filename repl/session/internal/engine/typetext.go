package engine

import (
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"github.com/traefik/yaegi/interp"
)

// typeWriter writes types as the interpreter can read them.
type typeWriter struct {
	e       *Engine
	symbols map[types.Object]*symbol
	bound   binding
}

// write writes one type; ok is false where it cannot be written, as a type that a
// function declares for itself.
func (w *typeWriter) write(t types.Type) (text string, ok bool) {
	switch t := t.(type) {
	case *types.Basic:
		return w.basic(t)
	case *types.Named:
		return w.named(t.Obj(), t.TypeArgs(), t)
	case *types.Alias:
		if t.Obj().Pkg() == nil || t.Obj().Pkg().Path() != "main" || t.TypeArgs().Len() > 0 {
			return w.write(types.Unalias(t))
		}
		return w.named(t.Obj(), t.TypeArgs(), t)
	case *types.TypeParam:
		if to := w.bound[t]; to != nil {
			return w.write(to)
		}
		return "", false
	case *types.Pointer:
		return w.prefixed("*", t.Elem())
	case *types.Slice:
		return w.prefixed("[]", t.Elem())
	case *types.Array:
		return w.prefixed(fmt.Sprintf("[%d]", t.Len()), t.Elem())
	case *types.Chan:
		return w.prefixed(map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()], t.Elem())
	case *types.Map:
		key, ok := w.write(t.Key())
		if !ok {
			return "", false
		}
		if keptBare(w.bound.apply(t.Key())) {
			key = "interface{}"
		}
		return w.prefixed("map["+key+"]", t.Elem())
	case *types.Signature:
		sig, ok := w.signature(t)
		return "func" + sig, ok
	case *types.Struct:
		return w.structure(t)
	case *types.Interface:
		return w.iface(t)
	}
	return "", false
}

func (w *typeWriter) basic(t *types.Basic) (string, bool) {
	if t.Kind() == types.UnsafePointer {
		return w.e.packageName("unsafe") + ".Pointer", true
	}
	return types.Default(t).String(), true
}

func (w *typeWriter) prefixed(prefix string, t types.Type) (string, bool) {
	text, ok := w.write(t)
	return prefix + text, ok
}

// named writes the name of a type: the session's own, a package's, or one made up
// for a type whose package cells cannot import or which it does not export.
func (w *typeWriter) named(obj *types.TypeName, args *types.TypeList, t types.Type) (string, bool) {
	if args.Len() > 0 {
		return w.generic(t)
	}
	name := obj.Name()
	switch pkg := obj.Pkg(); {
	case pkg == nil:
		return name, true
	case pkg.Path() != "main":
		return w.foreign(obj, t)
	default:
		s := w.symbols[obj]
		if s == nil {
			return "", false
		}
		return s.internal, true
	}
}

// generic writes an instance of a generic type. One of a template that is a
// function, as iter.Seq, has no name, so that compiled functions take it.
func (w *typeWriter) generic(t types.Type) (string, bool) {
	named, ok := w.bound.apply(t).(*types.Named)
	if !ok {
		return "", false
	}
	of := named.Origin().Obj()
	if _, fn := named.Underlying().(*types.Signature); fn && of.Pkg() != nil && of.Pkg().Path() != "main" {
		return w.write(named.Underlying())
	}
	args := make([]types.Type, named.TypeArgs().Len())
	for i := range args {
		args[i] = named.TypeArgs().At(i)
	}
	return w.instanceOf(of, args)
}

func (w *typeWriter) foreign(obj *types.TypeName, t types.Type) (string, bool) {
	path := obj.Pkg().Path()
	if token.IsExported(obj.Name()) && !strings.Contains(obj.Name(), "[") && w.e.mirror.Has(path) {
		return w.e.packageName(path) + "." + obj.Name(), true
	}
	rt, ok := w.e.mirror.Reflected(t)
	if !ok {
		return "", false
	}
	return w.e.typeName(rt), true
}

func (w *typeWriter) signature(t *types.Signature) (string, bool) {
	in := make([]string, t.Params().Len())
	for i := range in {
		p := t.Params().At(i).Type()
		prefix := ""
		if t.Variadic() && i == len(in)-1 {
			if s, ok := p.(*types.Slice); ok {
				prefix, p = "...", s.Elem()
			}
		}
		text, ok := w.prefixed(prefix, p)
		if !ok {
			return "", false
		}
		in[i] = text
	}
	out := make([]string, t.Results().Len())
	for i := range out {
		text, ok := w.write(t.Results().At(i).Type())
		if !ok {
			return "", false
		}
		out[i] = text
	}
	text := "(" + strings.Join(in, ", ") + ")"
	switch len(out) {
	case 0:
		return text, true
	case 1:
		return text + " " + out[0], true
	}
	return text + " (" + strings.Join(out, ", ") + ")", true
}

func (w *typeWriter) structure(t *types.Struct) (string, bool) {
	fields := make([]string, t.NumFields())
	for i := range fields {
		f := t.Field(i)
		text, ok := w.write(f.Type())
		if !ok {
			return "", false
		}
		if !f.Embedded() {
			text = f.Name() + " " + text
		}
		if tag := t.Tag(i); tag != "" {
			text += fmt.Sprintf(" %q", tag)
		}
		fields[i] = text
	}
	return "struct{" + strings.Join(fields, "; ") + "}", true
}

func (w *typeWriter) iface(t *types.Interface) (string, bool) {
	if t.NumMethods() == 0 {
		return "interface{}", t.IsMethodSet()
	}
	methods := make([]string, t.NumMethods())
	for i := range methods {
		sig, ok := w.signature(t.Method(i).Signature())
		if !ok {
			return "", false
		}
		methods[i] = t.Method(i).Name() + sig
	}
	return "interface{" + strings.Join(methods, "; ") + "}", t.IsMethodSet()
}

// typesPath is the import path of the types that the session has given names to.
const typesPath = "vlab/repl/session/types"

// typeName gives a compiled type a name that the interpreter knows.
func (e *Engine) typeName(t reflect.Type) string {
	name, ok := e.types[t]
	if !ok {
		name = fmt.Sprintf("T%d", e.next())
		e.types[t] = name
		table := map[string]reflect.Value{name: reflect.New(reflect.PointerTo(t)).Elem()}
		if err := e.in.Use(interp.Exports{typesPath + "/types": table}); err != nil {
			panic(fmt.Errorf("name type %s: %w", t, err)) // it has a path
		}
	}
	return e.packageName(typesPath) + "." + name
}
