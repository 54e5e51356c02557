package engine

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// What the session knows of the types that cells declare: cells tell it, as they run, by
// code that is written beside the declarations.

// ownType is what is known of a type that a cell has declared.
type ownType struct {
	typ     types.Type
	reflect reflect.Type
	value   map[string]reflect.Value // methods, as functions of a value
	pointer map[string]reflect.Value // those that only a pointer has
}

// ownTypes keeps them by the interpreter's name, and structures by what they
// are compiled to.
type ownTypes struct {
	byName   map[string]*ownType
	byStruct map[reflect.Type][]*ownType
	shapes   []types.Type
	texts    []string // of the shapes, for the interpreter
	byText   map[string]int
	tags     map[string]int // of structures by their declarations, from 1
	tagged   []string       // the names of the structures
}

func newOwnTypes() *ownTypes {
	return &ownTypes{byName: map[string]*ownType{}, byStruct: map[reflect.Type][]*ownType{}, byText: map[string]int{}, tags: map[string]int{}}
}

// distinguish marks the first field of a structure that a cell declares with a tag of
// its own. Two types with the same fields would be one to the interpreter.
func (r *rewriter) distinguish(spec *ast.TypeSpec) {
	if spec.Assign.IsValid() {
		return
	}
	if id, ok := ast.Unparen(spec.Type).(*ast.Ident); ok && spec.TypeParams == nil {
		r.distinguishCopy(spec, id)
		return
	}
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	text := r.p.text(spec.Pos(), spec.End())
	tag := fmt.Sprintf("%s:\"%d\"", tagKey, r.e.tagOf(text))
	if s.Fields.NumFields() == 0 {
		r.edits.Insert(r.p.offset(s.Fields.Opening)+1, " _ struct{} "+strconv.Quote(tag))
		return
	}
	f := s.Fields.List[0]
	if f.Tag == nil {
		r.edits.Insert(r.p.offset(f.Type.End()), " "+strconv.Quote(tag))
		return
	}
	if own, err := strconv.Unquote(f.Tag.Value); err == nil {
		r.edits.Replace(r.p.offset(f.Tag.Pos()), r.p.offset(f.Tag.End()), strconv.Quote(own+" "+tag))
	}
}

// distinguishCopy writes a type that is declared to be another of cells, a structure, as a
// structure of its own.
func (r *rewriter) distinguishCopy(spec *ast.TypeSpec, id *ast.Ident) {
	obj := r.p.info.Defs[spec.Name]
	if obj == nil || !r.isOwn(r.p.info.Types[id].Type) {
		return
	}
	s, ok := under[*types.Struct](obj.Type())
	if !ok {
		return
	}
	if text, ok := r.types.write(r.e.markedStruct(s, spec.Name.Name+" "+id.Name+" "+types.TypeString(s, nil))); ok {
		r.edits.Replace(r.p.offset(spec.Type.Pos()), r.p.offset(spec.Type.End()), text)
	}
}

// tagOf numbers a structure by its declaration, which begins with the name.
func (e *Engine) tagOf(text string) int {
	k, ok := e.shaped.tags[text]
	if !ok {
		k = len(e.shaped.tags) + 1
		e.shaped.tags[text] = k
		e.shaped.tagged = append(e.shaped.tagged, identAt(text))
	}
	return k
}

// tagKey is the key of that tag.
const tagKey = "vlab"

// shown methods are those that compiled code asks values for.
func shownMethods() map[string]string {
	return map[string]string{
		"Error": "string", "String": "string", "GoString": "string", "MarshalJSON": "([]byte, error)", "MarshalText": "([]byte, error)", "Unwrap": "error",
	}
}

// tell writes the code by which the session learns of a declared type and of its
// methods; name is the interpreter's.
func (e *Engine) tell(name string, t types.Type) string {
	d := &ownType{typ: t, value: map[string]reflect.Value{}, pointer: map[string]reflect.Value{}}
	e.shaped.byName[name] = d
	e.fresh.types = append(e.fresh.types, name)
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || types.IsInterface(t) {
		return ""
	}
	w := &typeWriter{e: e, symbols: e.objects}
	return e.told(name, named) + w.promoted(name, named)
}

// told writes what tells the session of a type and its methods.
func (e *Engine) told(name string, named *types.Named) string {
	var b strings.Builder
	fmt.Fprintf(&b, "func init() { vlabRT.Declared(%q, (*%s)(nil))", name, name)
	wanted := shownMethods()
	ofValue, ofPointer := types.NewMethodSet(named), types.NewMethodSet(types.NewPointer(named))
	for _, method := range slices.Sorted(maps.Keys(wanted)) {
		star, sel := "", ofValue.Lookup(nil, method)
		if sel == nil {
			star, sel = "*", ofPointer.Lookup(nil, method)
		}
		if sel == nil {
			continue
		}
		if sig, ok := under[*types.Signature](sel.Type()); !ok || sig.Params().Len() != 0 || resultText(sig) != wanted[method] {
			continue
		}
		fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, %q, func(v %s%s) %s { return v.%s() })", name, star, method, star, name, wanted[method], method)
	}
	for star, set := range map[string]*types.MethodSet{"": ofValue, "*": ofPointer} {
		if hasForm(set.Lookup(nil, "Format"), "fmt.State, rune", "") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, \"Format\", func(v %s%s, s %s.State, verb rune) { v.Format(s, verb) })", name, star, star, name, e.packageName("fmt"))
		}
		if hasForm(set.Lookup(nil, "LogValue"), "", "log/slog.Value") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, \"LogValue\", func(v %s%s) %s.Value { return v.LogValue() })", name, star, star, name, e.packageName("log/slog"))
		}
		if hasForm(set.Lookup(nil, "As"), "any", "bool") || hasForm(set.Lookup(nil, "As"), "interface{}", "bool") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, \"As\", func(v %s%s, target interface{}) bool { return v.As(target) })", name, star, star, name)
		}
		if hasForm(set.Lookup(nil, "Unwrap"), "", "[]error") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, %q, func(v %s%s) []error { return v.Unwrap() })", name, star, unwrapAll, star, name)
		}
		if hasForm(set.Lookup(nil, "Is"), "error", "bool") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, %q, \"Is\", func(v %s%s, err error) bool { return v.Is(err) })", name, star, star, name)
		}
	}
	for _, method := range unmarshalMethods() {
		if hasForm(ofPointer.Lookup(nil, method), "[]byte", "error") {
			fmt.Fprintf(&b, "; vlabRT.DeclaredMethod(%q, \"*\", %q, func(v *%s, b []byte) error { return v.%s(b) })", name, method, name, method)
		}
	}
	b.WriteString(" }\n")
	return b.String() + e.intoCasts(name, named)
}

// resultText writes the types of a function's results as a declaration does.
func resultText(sig *types.Signature) string {
	text := typesText(sig.Results())
	if sig.Results().Len() > 1 {
		return "(" + text + ")"
	}
	return text
}

// hasForm reports whether a method's parameters and results are of the types that are
// written; names don't matter.
func hasForm(sel *types.Selection, params, results string) bool {
	if sel == nil {
		return false
	}
	sig, ok := sel.Type().(*types.Signature)
	return ok && typesText(sig.Params()) == params && resultText(sig) == results
}

func typesText(t *types.Tuple) string {
	list := make([]string, t.Len())
	for i := range list {
		list[i] = types.TypeString(t.At(i).Type(), nil)
	}
	return strings.Join(list, ", ")
}

// declare takes a type in: nilPointer is a nil pointer to it.
func (e *Engine) declare(name string, nilPointer any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.shaped
	it := d.byName[name]
	if it == nil {
		return
	}
	it.reflect = reflect.TypeOf(nilPointer).Elem()
	if it.reflect.Kind() == reflect.Struct && it.reflect.NumField() > 0 && !slices.Contains(d.byStruct[it.reflect], it) {
		d.byStruct[it.reflect] = append(d.byStruct[it.reflect], it)
	}
}

func (e *Engine) declareMethod(name, star, method string, f any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.shaped
	it := d.byName[name]
	if it == nil {
		return
	}
	if star != "" {
		it.pointer[method] = reflect.ValueOf(f)
		return
	}
	it.value[method] = reflect.ValueOf(f)
}

// of returns what is known of a type, nil for what no cell has declared.
func (d *ownTypes) of(e *Engine, t types.Type) *ownType {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "main" {
		return nil
	}
	w := &typeWriter{e: e, symbols: e.objects}
	name, ok := w.known(n)
	if !ok {
		return nil
	}
	return d.byName[name]
}

// known returns the interpreter's name of a type that has one already.
func (w *typeWriter) known(n *types.Named) (string, bool) {
	if n.TypeArgs().Len() == 0 {
		s := w.symbols[n.Obj()]
		if s == nil {
			return "", false
		}
		return s.internal, true
	}
	texts := make([]string, n.TypeArgs().Len())
	for i := range texts {
		var ok bool
		if texts[i], ok = w.write(n.TypeArgs().At(i)); !ok {
			return "", false
		}
	}
	name, ok := w.e.instances[instanceKey{n.Origin().Obj(), strings.Join(texts, ", ")}]
	return name, ok
}
