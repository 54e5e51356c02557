// Package symbols holds the interpreter's table of package display, with the
// functions that show something bound to a session's sink, and a generated one of
// what the standard library has beyond the interpreter's own tables.
package symbols

//go:generate go run ./gen
