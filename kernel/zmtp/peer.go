package zmtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// peer is one connection of a server.
type peer struct {
	server   *server
	conn     net.Conn
	in       *bufio.Reader
	out      *outbox
	identity string
}

func newPeer(conn net.Conn, s *server) *peer {
	return &peer{server: s, conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: newOutbox(s.options.QueueBytes)}
}

// abort ends the connection at once; queued messages are lost.
func (p *peer) abort() {
	p.out.abandon()
	_ = p.conn.Close() // nothing is left to be told about it
}

// run serves the connection until either side ends it. A client that simply
// goes away is no error.
func (p *peer) run() error {
	defer p.abort()
	if err := p.handshake(); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // it was only looking
		}
		return p.expected(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.write()
	}()
	p.server.role.joined(p)
	err := p.read()
	p.server.role.left(p)
	p.abort()
	<-written
	return p.expected(err)
}

// expected drops the errors of a connection that ends in an ordinary way.
func (p *peer) expected(err error) error {
	for _, end := range []error{io.EOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return nil
		}
	}
	return err
}

func (p *peer) handshake() error {
	if err := p.conn.SetDeadline(time.Now().Add(p.server.options.HandshakeTimeout)); err != nil {
		return fmt.Errorf("set handshake deadline: %w", err)
	}
	if _, err := p.conn.Write(greeting()); err != nil {
		return fmt.Errorf("send greeting: %w", err)
	}
	if err := readGreeting(p.in); err != nil {
		return err
	}
	role := p.server.role
	if _, err := p.conn.Write(readyCommand(role.socketType, "")); err != nil {
		return fmt.Errorf("send handshake: %w", err)
	}
	id, err := readReady(p.in, role.accepts)
	if wrong, ok := errors.AsType[typeError](err); ok {
		_, writeErr := p.conn.Write(errorCommand(wrong.Error()))
		return errors.Join(err, writeErr)
	}
	if err != nil {
		return err
	}
	p.identity = id
	return p.conn.SetDeadline(time.Time{})
}

// write sends what is queued, then tells the client that no more will come.
func (p *peer) write() {
	err := p.out.run(p.conn, func(n int) {
		p.server.options.Logger.Warn("client reads too slowly", "socket", p.server.role.socketType, "lost_messages", n)
	})
	if half, ok := p.conn.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil {
		p.abort()
	}
}

// read hands messages and commands to the role until the connection ends.
func (p *peer) read() error {
	for {
		m, err := p.readMessage()
		if err != nil {
			return err
		}
		p.server.role.message(p, m)
	}
}

func (p *peer) readMessage() (Message, error) {
	var m Message
	left := p.server.options.MessageBytes
	for {
		flags, body, err := readFrame(p.in, left)
		if err != nil {
			if len(m) > 0 {
				err = noEOF(err)
			}
			return nil, err
		}
		if flags&flagCommand != 0 {
			if err := p.obey(body); err != nil {
				return nil, err
			}
			continue
		}
		m = append(m, body)
		// Empty frames count too, or a message could have any number of them.
		left -= len(body) + perMessage
		if flags&flagMore == 0 {
			return m, nil
		}
		if left < 0 {
			return nil, fmt.Errorf("message of more than %d bytes: %w", p.server.options.MessageBytes, errTooLong)
		}
	}
}

// obey answers a PING, passes subscriptions on and ignores commands that a
// later protocol may add.
func (p *peer) obey(body []byte) error {
	name, data, err := splitCommand(body)
	if err != nil {
		return err
	}
	switch name {
	case "PING":
		if len(data) < 2 {
			return errors.New("PING without its time to live")
		}
		p.out.push(encodeCommand("PONG", data[2:]), 0)
	case "ERROR":
		return fmt.Errorf("client reports %q", data)
	default:
		p.server.role.command(p, name, data)
	}
	return nil
}
