package engine

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"time"

	"github.com/traefik/yaegi/interp"
)

// runtimePath is the import path of the functions that rewritten cells call.
const runtimePath = "vlab/repl/session/runtime"

// halt is the panic that ends an interrupted cell.
type halt struct{}

// leave is the panic that a return at the top of a cell ends it with.
type leave struct{}

// failure is the panic that an error which the cell did not take ends it with.
type failure struct{ err error }

// Error returns the message of the cell's error.
func (f failure) Error() string { return f.err.Error() }

// runtimeTable returns the functions that rewritten cells call. They reach the
// running cell through e.
func (e *Engine) runtimeTable() interp.Exports {
	return interp.Exports{runtimePath + "/runtime": {
		"Bind":   reflect.ValueOf(func(stop *bool, ctx *context.Context) { e.stop, e.ctx = stop, ctx }),
		"Halt":   reflect.ValueOf(func() { panic(halt{}) }),
		"Return": reflect.ValueOf(func() { panic(leave{}) }),
		"Check": reflect.ValueOf(func(err error) {
			if err != nil {
				panic(failure{err})
			}
		}),
		"Show":   reflect.ValueOf(func(values ...any) { e.current().value = &shown{values: values, methods: map[string]any{}} }),
		"Method": reflect.ValueOf(func(name string, f any) { e.current().value.methods[name] = f }),
		"Defer":  reflect.ValueOf(func(f func()) { e.current().deferred = append(e.current().deferred, f) }),
		"Caught": reflect.ValueOf(e.caught),
		"Clear":  reflect.ValueOf(func(v any) { reflect.ValueOf(v).Clear() }),
	}}
}

// overrides returns the symbols of the standard library that behave better in a
// cell: a sleep that an interrupt ends, and the true log.Fatal.
func (e *Engine) overrides() interp.Exports {
	return interp.Exports{
		"time/time": {"Sleep": reflect.ValueOf(e.sleep)},
		"log/log": {
			"Fatal":   reflect.ValueOf(log.Fatal),
			"Fatalf":  reflect.ValueOf(log.Fatalf),
			"Fatalln": reflect.ValueOf(log.Fatalln),
		},
	}
}

// sleep is time.Sleep for cells.
func (e *Engine) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.current().ctx.Done():
		panic(halt{})
	}
}

// caught receives the panic of a goroutine: it ends the running cell, and after
// the cell it is printed.
func (e *Engine) caught(v any) {
	v = plainValue(v)
	if _, ok := v.(halt); ok {
		return
	}
	c := e.current()
	if c.fail(v) {
		return
	}
	fmt.Fprintf(os.Stderr, "panic in a goroutine: %s\n", describePanic(v))
}

// plainValue undoes the interpreter's wrapping of a panic's value.
func plainValue(v any) any {
	if rv, ok := v.(reflect.Value); ok && rv.IsValid() && rv.CanInterface() {
		return plainValue(rv.Interface())
	}
	var p interp.Panic
	if err, ok := v.(error); ok && errors.As(err, &p) {
		return plainValue(p.Value)
	}
	return v
}
