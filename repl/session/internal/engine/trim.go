package engine

import (
	"errors"
	"fmt"
	"go/types"
	"reflect"
	"unsafe"

	"github.com/traefik/yaegi/interp"
)

// The interpreter keeps the syntax of all texts for its debugger, 12 kB a cell,
// which is not used here: trim lets go of it.
func (e *Engine) trim() {
	in := reflect.ValueOf(e.in).Elem()
	drop(in.FieldByName("roots"))
	drop(in.FieldByName("universe").Elem().FieldByName("child"))
	for it := in.FieldByName("scopes").MapRange(); it.Next(); {
		drop(it.Value().Elem().FieldByName("child"))
	}
}

// drop empties a slice in a field of the interpreter's.
func drop(f reflect.Value) {
	reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().SetZero() // fields as checkLayout has found them
}

// checkLayout reports whether the interpreter's structure is as runID and trim rely
// on, and that of go/types as methodsOf does.
func checkLayout() error {
	t := reflect.TypeFor[interp.Interpreter]()
	if f := t.Field(0); f.Name != "id" || f.Type.Kind() != reflect.Uint64 || f.Offset != 0 {
		return fmt.Errorf("the interpreter's structure begins with %s %s, want id uint64", f.Name, f.Type)
	}
	child := func(f reflect.StructField, ok bool) bool {
		if !ok {
			return false
		}
		scope := f.Type
		if scope.Kind() == reflect.Map {
			scope = scope.Elem()
		}
		if scope.Kind() != reflect.Pointer || scope.Elem().Kind() != reflect.Struct {
			return false
		}
		c, ok := scope.Elem().FieldByName("child")
		return ok && c.Type.Kind() == reflect.Slice
	}
	roots, ok := t.FieldByName("roots")
	if !ok || roots.Type.Kind() != reflect.Slice || !child(t.FieldByName("scopes")) || !child(t.FieldByName("universe")) {
		return errors.New("the interpreter's structure has other roots and scopes than those that are known")
	}
	methods, ok := reflect.TypeFor[types.Named]().FieldByName("methods")
	if !ok || methods.Type != reflect.TypeFor[[]*types.Func]() {
		return errors.New("go/types keeps a type's methods elsewhere than is known")
	}
	scopes, _ := t.FieldByName("scopes")
	sym, ok1 := scopes.Type.Elem().Elem().FieldByName("sym")
	typ, ok2 := sym.Type.Elem().Elem().FieldByName("typ")
	if !ok1 || !ok2 || !hasField(typ.Type, "method", reflect.Slice) || !hasField(typ.Type, "ptr", reflect.Pointer) {
		return errors.New("the interpreter keeps methods elsewhere than is known")
	}
	methods, found := reflect.TypeFor[types.Named]().FieldByName("methods")
	if !found || methods.Type != reflect.TypeFor[[]*types.Func]() {
		return errors.New("go/types keeps methods elsewhere than is known")
	}
	return nil
}

// hasField reports whether what a pointer points to has a field of a kind.
func hasField(t reflect.Type, field string, kind reflect.Kind) bool {
	f, ok := t.Elem().FieldByName(field)
	return ok && f.Type.Kind() == kind
}
