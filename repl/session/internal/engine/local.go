package engine

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A type that a function declares for itself is declared beside the function: what is
// made for types at the top, as instances of generic functions, names in %T and texts of
// compile errors, is made outside of functions.

// localTypes moves a declaration of types out of the function that it stands in. One that
// speaks of type parameters stays.
func (r *rewriter) localTypes(d *ast.GenDecl) {
	if d.Tok != token.TYPE || len(r.at) == 0 || r.inner() < 0 {
		return
	}
	var list []*types.TypeName
	for _, s := range d.Specs {
		spec, ok := s.(*ast.TypeSpec)
		if !ok {
			return
		}
		obj, ok := r.p.info.Defs[spec.Name].(*types.TypeName)
		if !ok || spec.TypeParams != nil || obj.Name() == "_" || hasParam(obj.Type(), map[types.Type]bool{}) {
			return
		}
		if len(r.bound) > 0 && r.syms[obj] != nil { // instances of a function share it
			continue
		}
		list = append(list, obj)
	}
	before := map[*types.TypeName]*symbol{}
	for _, obj := range list {
		before[obj] = r.syms[obj]
		r.syms[obj] = &symbol{name: obj.Name(), internal: r.e.internalName(obj.Name()), obj: obj}
	}
	var decls []string
	for _, obj := range list {
		text, ok := r.localType(obj)
		if !ok {
			for obj, s := range before {
				delete(r.syms, obj)
				if s != nil {
					r.syms[obj] = s
				}
			}
			return
		}
		decls = append(decls, text)
	}
	r.e.later = append(r.e.later, func() string { return strings.Join(decls, "\n") + "\n" })
	lines := strings.Count(r.p.text(d.Pos(), d.End()), "\n")
	r.edits.Replace(r.p.offset(d.Pos()), r.p.offset(d.End()), strings.Repeat("\n", lines))
}

// localType writes the declaration of one type.
func (r *rewriter) localType(obj *types.TypeName) (string, bool) {
	name := r.syms[obj].internal
	if a, ok := obj.Type().(*types.Alias); ok {
		text, ok := r.types.write(a.Rhs())
		return "type " + name + " = " + text, ok
	}
	if isRecursiveFunc(obj.Type()) {
		return "type " + name + " = interface{}", true
	}
	under := obj.Type().Underlying()
	if s, ok := under.(*types.Struct); ok {
		under = r.e.markedStruct(s, obj.Name()+" in a function, "+name)
	}
	text, ok := r.types.write(under)
	if !ok {
		return "", false
	}
	return "type " + name + " " + text + "\n" + r.e.tell(name, obj.Type()), true
}

// markedStruct returns a structure with the mark that distinguish gives.
func (e *Engine) markedStruct(s *types.Struct, text string) *types.Struct {
	tag := fmt.Sprintf("%s:\"%d\"", tagKey, e.tagOf(text))
	if s.NumFields() == 0 {
		return types.NewStruct([]*types.Var{types.NewField(token.NoPos, nil, "_", types.NewStruct(nil, nil), false)}, []string{tag})
	}
	fields, tags := slices.Collect(s.Fields()), make([]string, s.NumFields())
	for i := range tags {
		tags[i] = s.Tag(i)
	}
	if own, marked, ok := strings.Cut(tags[0], tagKey+":"); ok && marked != "" {
		tags[0] = own
	}
	tags[0] = strings.TrimSpace(strings.TrimSpace(tags[0]) + " " + tag)
	return types.NewStruct(fields, tags)
}

// hasParam reports whether a type speaks of a type parameter.
func hasParam(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.TypeParam:
		return true
	case *types.Alias:
		return hasParam(types.Unalias(t), seen)
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			if hasParam(a, seen) {
				return true
			}
		}
		return t.TypeArgs().Len() == 0 && hasParam(t.Underlying(), seen)
	case interface{ Elem() types.Type }: // pointers, lists and channels
		m, ok := t.(*types.Map)
		return hasParam(t.Elem(), seen) || ok && hasParam(m.Key(), seen)
	case *types.Signature:
		return hasParam(t.Params(), seen) || hasParam(t.Results(), seen)
	case *types.Tuple:
		for v := range t.Variables() {
			if hasParam(v.Type(), seen) {
				return true
			}
		}
	case *types.Struct:
		for f := range t.Fields() {
			if hasParam(f.Type(), seen) {
				return true
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if hasParam(m.Signature(), seen) {
				return true
			}
		}
	}
	return false
}
