// Package symbols holds the interpreter's table of package display, with the
// functions that show something bound to a session's sink.
package symbols
