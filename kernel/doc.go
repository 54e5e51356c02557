// Package kernel lets Jupyter front ends run a Go session: protocol 5.5 over
// ZMTP in pure Go, with nothing to install beside the binary.
//
// wire.go knows bytes and signatures, dispatch.go maps a message to its handler,
// and the handlers call a [Session], which knows no Jupyter. For every request
// the order on the wire is: status busy, the output, the reply, status idle, all
// with the request as their parent.
//
// Requests on the shell channel run one after another. The control channel has
// a goroutine of its own, so that interrupt and shutdown reach a running cell.
package kernel
