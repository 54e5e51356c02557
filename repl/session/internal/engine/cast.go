package engine

import (
	"fmt"
	"go/types"
	"reflect"
	"strings"
)

// The interpreter asserts a value to an interface that cells declare by what it kept of
// where the value comes from, and finds nothing where that was compiled code, or an any.
// Each such interface therefore has a table of functions that make one of a value, by
// the value's type; and for compiled values a structure whose fields are their methods.

// cast is an interface that values are asserted to.
type cast struct {
	name, text string
	typ        types.Type
	written    bool
	froms      map[string]string // the assertions' functions, by the asserted interface
}

// adapterTag marks a cast's structure, whose first field is the value.
const adapterTag = tagKey + `:"adapter"`

// castable reports whether an assertion of the interface from to t goes by a cast: an
// interface of cells', one without a name, and a package's where an any or an interface
// of cells' is asserted.
func (r *rewriter) castable(t, from types.Type) bool {
	i, ok := under[*types.Interface](t)
	return ok && i.NumMethods() > 0 && i.IsMethodSet() && (!isPackages(t) || isAny(from) || r.isOurs(from))
}

// isPackages reports whether a type has a name, and not by a cell.
func isPackages(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && (n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main")
}

// castTo returns the names of two functions that assert an interface of type from to the
// interface t: one reports whether it is, the other panics where it isn't. A third, with
// Or behind the first's name, gives nil there.
func (r *rewriter) castTo(t, from types.Type) (asks, must string, ok bool) {
	text, ok1 := r.types.write(t)
	source, ok2 := r.types.write(from)
	if !ok1 || !ok2 {
		return "", "", false
	}
	e := r.e
	c := e.casts[text]
	if c == nil {
		c = &cast{name: r.made("vlabCast"), text: text, typ: t, froms: map[string]string{}}
		e.casts[text] = c
		e.fresh.casts = append(e.fresh.casts, text)
		e.later = append(e.later, func() string { return c.table(e, r.types) })
	}
	asks, ok = c.froms[source]
	if !ok {
		asks = r.made("vlabTo")
		c.froms[source] = asks
		e.fresh.froms = append(e.fresh.froms, castFrom{c, source})
		given := "v" // compiled code is handed what an interface with methods holds
		if !isAny(from) {
			given = "[]" + source + "{v}"
		}
		e.later = append(e.later, func() string {
			return fmt.Sprintf("func %[1]s(v %[2]s) (%[3]s, bool) { var none %[3]s; if v == nil { return none, false }; "+
				"k := vlabRT.Kind(%[4]s); if f := %[5]s[k]; f != nil { return f(vlabRT.Bare(%[4]s)), true }; "+
				"if k != \"\" { return none, false }; if x, ok := %[5]sOf(%[4]s); ok { return x, true }; "+
				"x, ok := v.(%[3]s); return x, ok }\n"+
				"func %[1]sMust(v %[2]s) %[3]s { x, ok := %[1]s(v); if !ok { vlabRT.NotOf(%[4]s, %[3]q) }; return x }\n"+
				"func %[1]sOr(v %[2]s) %[3]s { x, _ := %[1]s(v); return x }\n",
				asks, source, c.text, given, c.name)
		})
	}
	return asks, asks + "Must", true
}

// castFrom is an assertion's function.
type castFrom struct {
	of   *cast
	from string
}

// table writes a cast's table, with the types that there are, and the structure for
// compiled values.
func (c *cast) table(e *Engine, w *typeWriter) string {
	c.written = true
	var b strings.Builder
	fmt.Fprintf(&b, "var %s = map[string]func(interface{}) %s{}\n", c.name, c.text)
	b.WriteString("func init() { ")
	for name, d := range e.shaped.byName {
		b.WriteString(c.entries(e, name, d.typ))
	}
	b.WriteString(" }\n")
	i, _ := under[*types.Interface](c.typ)
	fields, methods, names, wants, takes := "V interface{} `"+adapterTag+"`", "", "", "", ""
	for k := range i.NumMethods() {
		m := i.Method(k)
		sig, ok1 := w.signature(m.Signature())
		params, args, ok2 := w.arguments(m.Signature())
		results, ok3 := w.results(m.Signature())
		if isPackages(c.typ) || !m.Exported() || !ok1 || !ok2 || !ok3 {
			fmt.Fprintf(&b, "func %sOf(list interface{}) (%s, bool) { var none %s; return none, false }\n", c.name, c.text, c.text)
			return b.String()
		}
		do := ""
		if m.Signature().Results().Len() > 0 {
			do = "return "
		}
		fields += fmt.Sprintf("; F%d func%s", k, sig)
		methods += fmt.Sprintf("func (a %sA) %s(%s)%s { %sa.F%d(%s) }\n", c.name, m.Name(), params, results, do, k, args)
		names += fmt.Sprintf("%q, ", m.Name())
		wants += fmt.Sprintf(", (*func%s)(nil)", sig)
		takes += fmt.Sprintf(", m[%d].(func%s)", k, sig)
	}
	fmt.Fprintf(&b, "type %sA struct { %s }\n%s", c.name, fields, methods)
	fmt.Fprintf(&b, "func %[1]sOf(list interface{}) (%[2]s, bool) { var none %[2]s; m := vlabRT.Methods(list, []string{%[3]s}%[4]s); "+
		"if m == nil { return none, false }; return %[1]sA{vlabRT.Bare(list)%[5]s}, true }\n", c.name, c.text, names, wants, takes)
	return b.String()
}

// entries writes what puts a type of cells, and a pointer to it, into the table where
// they satisfy the interface.
func (c *cast) entries(e *Engine, name string, t types.Type) string {
	i, ok := under[*types.Interface](c.typ)
	if !ok || t == nil || types.IsInterface(t) {
		return ""
	}
	text := ""
	for star, of := range map[string]types.Type{"": t, "*": types.NewPointer(t)} {
		if satisfies(of, i) {
			x := "x"
			if isError(c.typ) {
				x = fmt.Sprintf("vlabRT.AsError(%d, x)", e.shapeOf(of, star+name))
			}
			text += fmt.Sprintf("%[1]s[%[2]q] = func(v interface{}) %[3]s { x, _ := v.(%[2]s); return %[4]s }; ", c.name, star+name, c.text, x)
		}
	}
	return text
}

// satisfies reports whether a type has the methods of an interface. Each cell is checked
// in a package of its own, so that names that aren't exported are compared as texts.
func satisfies(t types.Type, i *types.Interface) bool {
	set := map[string]types.Type{}
	for sel := range types.NewMethodSet(t).Methods() {
		set[sel.Obj().Name()] = sel.Type()
	}
	for m := range i.Methods() {
		sig, ok := set[m.Name()].(*types.Signature)
		if !ok || !types.Identical(sig, m.Signature()) {
			return false
		}
	}
	return true
}

// intoCasts writes what puts a type into all tables there are.
func (e *Engine) intoCasts(name string, t types.Type) string {
	text := ""
	for _, c := range e.casts {
		if c.written {
			text += c.entries(e, name, t)
		}
	}
	if text == "" {
		return ""
	}
	return "func init() { " + text + "}\n"
}

// outOfCasts writes what takes a type out of all tables, before it is put into those
// that are right with its new methods.
func (e *Engine) outOfCasts(name string) string {
	text := ""
	for _, c := range e.casts {
		if c.written {
			text += fmt.Sprintf("delete(%s, %q); delete(%s, %q); ", c.name, name, c.name, "*"+name)
		}
	}
	if text == "" {
		return ""
	}
	return "func init() { " + text + "}\n"
}

// heldIn is a value as compiled code is handed it for a cast: itself, or as the element of
// a slice of an interface with methods.
func (e *Engine) heldIn(v any) shapedValue {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Slice && r.Len() == 1 && r.Type().Elem().Kind() != reflect.Uint8 && r.Type().Name() == "" && isHolder(r.Type().Elem()) {
		r = r.Index(0)
	}
	for r.IsValid() && r.Kind() == reflect.Interface {
		r = r.Elem()
	}
	if r.IsValid() && r.CanInterface() {
		if s, ok := shapedIn(r.Interface()); ok {
			return s
		}
	}
	s := shapedValue{e, r, nil}
	s.v, s.t = s.concrete()
	return s
}

// isHolder reports whether a type is what an interface with methods is to compiled code.
func isHolder(t reflect.Type) bool {
	return isHolderType(t) || t.Kind() == reflect.Interface && t.NumMethod() > 0
}

// bare returns a value itself.
func (e *Engine) bare(v any) any {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Len() == 1 && isHolderType(r.Type().Elem()) {
		if h := holderOf(r.Index(0)); h.value.IsValid() && h.value.Kind() == reflect.Struct && h.value.CanInterface() && h.value.NumField() > 0 && !isHolderType(h.value.Type()) && h.value.Type().Field(0).Tag != adapterTag {
			return h.value.Interface()
		}
	}
	s := e.heldIn(v)
	if !s.v.IsValid() || !s.v.CanInterface() || s.v.Kind() == reflect.Struct && s.v.NumField() == 0 { // the last is no type of cells
		return nil
	}
	return s.v.Interface()
}

// methods returns those methods of a compiled value that are asked for by names and
// pointers to their types, nil where it has not got all of them.
func (e *Engine) methodsOf(v any, names []string, types ...any) []any {
	s := e.heldIn(v)
	if !s.v.IsValid() || !s.v.CanInterface() {
		return nil
	}
	list := make([]any, len(names))
	for i, name := range names {
		m := s.v.MethodByName(name)
		if !m.IsValid() || m.Type() != reflect.TypeOf(types[i]).Elem() {
			return nil
		}
		list[i] = m.Interface()
	}
	return list
}

// notOf panics as an assertion to an interface does, which text names for the interpreter.
func (e *Engine) notOf(v any, text string) {
	s := e.heldIn(v)
	e.mu.Lock()
	c := e.casts[text]
	e.mu.Unlock()
	if !s.v.IsValid() {
		panic(runtimeError("interface conversion: interface is nil, not " + typeName(c.typ)))
	}
	of := s.v.Type().String()
	has := func(name string) bool { return s.v.MethodByName(name).IsValid() }
	if s.t != nil {
		of = typeName(s.t)
		has = func(name string) bool { return types.NewMethodSet(s.t).Lookup(nil, name) != nil }
	}
	i, _ := under[*types.Interface](c.typ)
	missing := ""
	for m := range i.Methods() {
		if !has(m.Name()) {
			missing = ": missing method " + m.Name()
			break
		}
	}
	panic(runtimeError("interface conversion: " + of + " is not " + typeName(c.typ) + missing))
}
