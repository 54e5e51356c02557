// Package wire holds the messages that the front of a session and its child
// exchange, and the frames that carry them: four bytes of length, big endian,
// then JSON.
package wire
