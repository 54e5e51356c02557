package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sort"
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
	table := map[string]reflect.Value{
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
		"Recover": reflect.ValueOf(func() any {
			r := e.current()
			v := r.panicking
			r.panicking = nil
			return v
		}),
		"Recovered": reflect.ValueOf(recoveredValue),
		"Began":     reflect.ValueOf(e.goroutineBegan),
		"Ended":     reflect.ValueOf(e.goroutineEnded),
		"Clear":     reflect.ValueOf(func(v any) { reflect.ValueOf(v).Clear() }),
		"Run":       reflect.ValueOf(runBackwards),

		"Declared":       reflect.ValueOf(e.declare),
		"DeclaredMethod": reflect.ValueOf(e.declareMethod),
		"Shaped":         reflect.ValueOf(e.wrap),
		"ShapedIn":       reflect.ValueOf(e.wrapIn),
		"ShapedAll":      reflect.ValueOf(e.wrapAll),
		"Same":           reflect.ValueOf(e.same),
		"SameParts":      reflect.ValueOf(e.sameParts),
		"Target":         reflect.ValueOf(e.target),
		"Move":           reflect.ValueOf(moved),
		"AsError":        reflect.ValueOf(e.asAnError),
		"Call":           reflect.ValueOf(func(f func()) { f() }),
		"As":             reflect.ValueOf(e.asError),
		"AsOf":           reflect.ValueOf(e.asOf),
		"Is":             reflect.ValueOf(e.isError),
		"Unwrap":         reflect.ValueOf(e.unwrap),
		"Plain":          reflect.ValueOf(e.plain),
		"Kind":           reflect.ValueOf(e.kind),
		"Bare":           reflect.ValueOf(e.bare),
		"Key":            reflect.ValueOf(e.key),
		"Methods":        reflect.ValueOf(e.methodsOf),
		"NotOf":          reflect.ValueOf(e.notOf),
		"NotType":        reflect.ValueOf(e.notType),
		"Loose":          reflect.ValueOf(e.loose),
		"Box":            reflect.ValueOf(e.box),
		"Send":           reflect.ValueOf(selectCase(reflect.SelectSend)),
		"Receive":        reflect.ValueOf(selectCase(reflect.SelectRecv)),
		"Select":         reflect.ValueOf(e.choose),
		"Append":         reflect.ValueOf(func(to, list []any) []any { return append(to, list...) }),
		"Any":            reflect.ValueOf(func(v any) any { return v }),
		"Func":           reflect.ValueOf(func(f any) any { return f }),
		"Unbox":          reflect.ValueOf(unbox),
		"UnboxAll":       reflect.ValueOf(unboxAll),

		"FmtPrint":    reflect.ValueOf(func(a ...any) (int, error) { return fmt.Print(e.wrapAll(a)...) }),
		"FmtPrintln":  reflect.ValueOf(func(a ...any) (int, error) { return fmt.Println(e.wrapAll(a)...) }),
		"FmtSprint":   reflect.ValueOf(func(a ...any) string { return fmt.Sprint(e.wrapAll(a)...) }),
		"FmtSprintln": reflect.ValueOf(func(a ...any) string { return fmt.Sprintln(e.wrapAll(a)...) }),
		"FmtPrintf": reflect.ValueOf(func(f string, a ...any) (int, error) {
			f, a = namedTypes(f, e.wrapAll(a))
			return fmt.Printf(f, a...)
		}),
		"FmtSprintf": reflect.ValueOf(func(f string, a ...any) string {
			f, a = namedTypes(f, e.wrapAll(a))
			return fmt.Sprintf(f, a...)
		}),
		"FmtErrorf": reflect.ValueOf(func(f string, a ...any) error {
			f, a = namedTypes(f, e.wrapAll(a))
			return fmt.Errorf(f, a...)
		}),

		"Printf":  reflect.ValueOf(func(f string, a ...any) (int, error) { f, a = namedTypes(f, a); return fmt.Printf(f, a...) }),
		"Sprintf": reflect.ValueOf(func(f string, a ...any) string { f, a = namedTypes(f, a); return fmt.Sprintf(f, a...) }),
		"Errorf":  reflect.ValueOf(func(f string, a ...any) error { f, a = namedTypes(f, a); return fmt.Errorf(f, a...) }),
		"Fprintf": reflect.ValueOf(func(w io.Writer, f string, a ...any) (int, error) {
			f, a = namedTypes(f, a)
			return fmt.Fprintf(w, f, a...)
		}),
		"Appendf": reflect.ValueOf(func(b []byte, f string, a ...any) []byte { f, a = namedTypes(f, a); return fmt.Appendf(b, f, a...) }),

		"Sort": reflect.ValueOf(sortOrdered),
		"Pull": reflect.ValueOf(func(seq func(func(any) bool)) (func() (any, bool), func()) { return iter.Pull(iter.Seq[any](seq)) }),
	}
	maps.Copy(table, e.reflectCalls())
	return interp.Exports{runtimePath + "/runtime": table}
}

// overrides returns the symbols of the standard library that behave better in a
// cell: a sleep that an interrupt ends, and the true log.Fatal.
func (e *Engine) overrides() interp.Exports {
	return interp.Exports{
		"time/time": {"Sleep": reflect.ValueOf(e.sleep)},
		"log/log":   trueLog(),
	}
}

// trueLog returns package log's own functions, which log/slog is tied to: the
// interpreter has others in their places.
func trueLog() map[string]reflect.Value {
	return map[string]reflect.Value{
		"Fatal": reflect.ValueOf(log.Fatal), "Fatalf": reflect.ValueOf(log.Fatalf), "Fatalln": reflect.ValueOf(log.Fatalln),
		"Panic": reflect.ValueOf(log.Panic), "Panicf": reflect.ValueOf(log.Panicf), "Panicln": reflect.ValueOf(log.Panicln),
		"Print": reflect.ValueOf(log.Print), "Printf": reflect.ValueOf(log.Printf), "Println": reflect.ValueOf(log.Println),
		"Output": reflect.ValueOf(log.Output), "Default": reflect.ValueOf(log.Default), "Writer": reflect.ValueOf(log.Writer),
		"Flags": reflect.ValueOf(log.Flags), "SetFlags": reflect.ValueOf(log.SetFlags), "Prefix": reflect.ValueOf(log.Prefix),
		"SetPrefix": reflect.ValueOf(log.SetPrefix), "SetOutput": reflect.ValueOf(log.SetOutput),
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

// goroutineBegan counts a goroutine of the running cell, which it returns.
func (e *Engine) goroutineBegan() any {
	c := e.current()
	c.live.Add(1)
	return c
}

// goroutineEnded takes note that a goroutine of a cell has ended, with a panic or nil.
func (e *Engine) goroutineEnded(of, v any) {
	if v != nil {
		e.caught(v)
	}
	if c, ok := of.(*running); ok {
		c.live.Add(-1)
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

// runtimeError is a panic of Go's own, which the interpreter has found.
type runtimeError string

var _ runtime.Error = runtimeError("")

// Error returns the message.
func (e runtimeError) Error() string { return string(e) }

// RuntimeError makes it one of package runtime's.
func (runtimeError) RuntimeError() {}

// recoveredValue is what a recover gives, in Go's words where the interpreter has
// its own.
func recoveredValue(v any) any {
	v = plainValue(v)
	if err, ok := v.(error); ok {
		if msg := describePanic(err); msg != err.Error() {
			return runtimeError(msg)
		}
		return v
	}
	if s, ok := v.(string); ok {
		if msg := describePanic(s); msg != s {
			return runtimeError(msg)
		}
	}
	return v
}

// runBackwards runs what a function has deferred within ranges over functions.
func runBackwards(list []func()) {
	for i := len(list) - 1; i >= 0; i-- {
		defer list[len(list)-1-i]()
	}
}

// sortOrdered sorts a slice of numbers or texts, NaN first.
func sortOrdered(s any) {
	switch s := s.(type) {
	case []int:
		slices.Sort(s)
		return
	case []string:
		slices.Sort(s)
		return
	case []float64:
		slices.Sort(s)
		return
	case []float32:
		slices.Sort(s)
		return
	}
	v := reflect.ValueOf(s)
	sort.Slice(s, func(i, j int) bool {
		a, b := v.Index(i), v.Index(j)
		switch {
		case a.CanInt():
			return a.Int() < b.Int()
		case a.CanUint():
			return a.Uint() < b.Uint()
		case a.CanFloat():
			return a.Float() < b.Float() || a.Float() != a.Float() && b.Float() == b.Float() //nolint:gocritic // NaN
		}
		return a.String() < b.String()
	})
}
