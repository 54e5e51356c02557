// Package engine runs cells in an interpreter, within the child process.
//
// A cell is split into pieces, checked piece by piece with go/types against the
// names of the session and the symbol tables ([vlab/repl/session/internal/mirror]),
// rewritten by edits of its text into what the interpreter can run, and run in
// order: types, constants and functions first, then variables and statements.
// Nothing runs before the whole cell has passed the check.
//
// The rewriting makes each instance of a generic function or type a declaration of
// its own (generic.go), also of the standard library's, whose sources are templates
// in package mirror; writes ranges over functions, type switches and assignments of
// several values in other words (exits.go, typeswitch.go, assign.go); and tells
// compiled code that prints or marshals what the types of cells are (shape.go). It
// names redefined objects anew, gives each function a variable
// that holds the offset of the statement it is at (the interpreter itself knows
// only in which function a panic came up), and lets every loop look at a flag, so
// that an interrupt ends the cell by a panic of ours and keeps what it has made.
package engine
