// Package symbols holds the interpreter's tables of the packages that cells use
// beside the standard library. The tables are generated; a test in gen
// fails when one is stale.
package symbols

//go:generate go run ./gen
