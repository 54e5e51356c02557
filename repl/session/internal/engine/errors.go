package engine

import (
	"errors"
	"reflect"
	"slices"
)

// The functions of package errors, for chains with errors of types that cells have
// declared: the interpreter hands them over with their Error method alone.

// plainError returns what compiled code was handed as an error or as another
// interface of a package's; nil for what isn't a cell's.
func plainError(v any) any {
	if s, ok := v.(shapedError); ok {
		return s.v.Interface()
	}
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Struct && r.NumField() > 0 && r.Type().Field(0).Name == "IValue" {
		return r.Field(0).Interface()
	}
	return nil
}

// unwrap is errors.Unwrap.
func (e *Engine) unwrap(err error) error {
	if own := plainError(err); own != nil {
		v := reflect.ValueOf(own)
		out, ok := shapedValue{e, v, e.typeFor(v.Type())}.call("Unwrap")
		if !ok || !out[0].IsValid() {
			return nil
		}
		next, _ := out[0].Interface().(error)
		return next
	}
	return errors.Unwrap(err)
}

// joined returns the errors that one of several wraps, nil for another.
func joined(err error) []error {
	if u, ok := err.(interface{ Unwrap() []error }); ok {
		return u.Unwrap()
	}
	return nil
}

// isError is errors.Is.
func (e *Engine) isError(err, target error) bool {
	if err == nil || target == nil {
		return err == nil && target == nil
	}
	own := plainError(target)
	for err != nil {
		if errors.Is(err, target) || own != nil && reflect.TypeOf(own).Comparable() && plainError(err) == own {
			return true
		}
		if list := joined(err); list != nil {
			return slices.ContainsFunc(list, func(err error) bool { return e.isError(err, target) })
		}
		err = e.unwrap(err)
	}
	return false
}

// asError is errors.As.
func (e *Engine) asError(err error, target any) bool {
	to := reflect.ValueOf(target)
	if to.Kind() != reflect.Pointer || to.IsNil() {
		panic("errors: target must be a non-nil pointer")
	}
	t := to.Elem().Type()
	compiled := t.Kind() == reflect.Interface || t.Implements(reflect.TypeFor[error]())
	for err != nil {
		if own := plainError(err); own != nil && reflect.TypeOf(own).AssignableTo(t) && t.Kind() != reflect.Interface {
			to.Elem().Set(reflect.ValueOf(own))
			return true
		}
		if compiled && errors.As(err, target) {
			return true
		}
		if list := joined(err); list != nil {
			return slices.ContainsFunc(list, func(err error) bool { return e.asError(err, target) })
		}
		err = e.unwrap(err)
	}
	return false
}
