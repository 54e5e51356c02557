// Package session is the interpreted Go session that the terminal and the
// kernel share.
//
// The interpreter lives in a child process of the same binary, so that what a
// cell does to its process (os.Exit, a stack overflow, an abort in C++) never
// takes the front down. [Session] is the front's side: it hands cells over,
// collects what they print and show, interrupts them, and starts a new child
// when one is lost. [Serve] is the child's side, called by a hidden command of
// the binary.
//
// The two speak in frames over two pipes (file descriptors 3 and 4 of the
// child). Standard output and standard error of the child are pipes too, read by
// the front, so that what native code prints is caught as well. Whatever was
// printed before a display or a result is delivered before it.
//
// What cells can't do yet: use generic functions and types of compiled packages
// (slices, maps, iter, atomic.Pointer) and methods of generic types of their own;
// leave a range over a function by return; recover a cell's panic by a defer at
// its top; jump by goto between statements of the top. A type that gets a method
// in a later cell is made anew: values made before keep the type without it.
package session
