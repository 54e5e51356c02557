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
// What cells may be, their commands and what they can't do is told in
// docs/session.md.
package session
