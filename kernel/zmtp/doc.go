// Package zmtp speaks enough of ZMTP 3.1 (https://rfc.zeromq.org/spec/37/) for
// a server of libzmq clients: the NULL mechanism over tcp and ipc, and three
// kinds of bound socket.
//
//   - [Router] keeps one connection a client and sends by identity.
//   - [Pub] sends to every subscriber, each from a queue of its own, so that a
//     client that has stopped reading delays nobody.
//   - [Echo] answers every message with itself, as a heartbeat wants it.
//
// Clients that speak ZMTP 3.0 are served too; their subscriptions come as
// messages, and those of 3.1 as commands. Older protocols are turned away.
package zmtp
