package zmtp

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Options are the limits of a socket. The zero value of a field means its default.
type Options struct {
	// MessageBytes is the largest message that is read, in bytes; 0 means 256 MiB.
	// A client that sends a larger one is disconnected.
	MessageBytes int
	// QueueBytes is how much may wait for one client, in bytes; 0 means 64 MiB.
	QueueBytes int
	// Patience is how long Publish waits for a client whose queue is full before
	// it counts as stalled and loses its oldest messages; 0 means 100 ms.
	Patience time.Duration
	// HandshakeTimeout is how long a new connection may take to introduce
	// itself; 0 means 10 s.
	HandshakeTimeout time.Duration
	// Linger is how long Close waits for queued messages to leave; 0 means 1 s.
	Linger time.Duration
	// Logger receives refused connections and lost messages; nil means slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MessageBytes == 0 {
		o.MessageBytes = 256 << 20
	}
	if o.QueueBytes == 0 {
		o.QueueBytes = 64 << 20
	}
	if o.Patience == 0 {
		o.Patience = 100 * time.Millisecond
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 10 * time.Second
	}
	if o.Linger == 0 {
		o.Linger = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// role is what distinguishes one kind of socket from another.
type role struct {
	socketType string
	accepts    []string
	joined     func(*peer)
	message    func(*peer, Message)
	command    func(p *peer, name string, data []byte)
	left       func(*peer)
}

// server accepts connections for one bound socket.
type server struct {
	options  Options
	role     role
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	peers  map[*peer]struct{}
	closed bool
}

func serve(endpoint string, r role, o Options) (*server, error) {
	l, err := listen(endpoint)
	if err != nil {
		return nil, fmt.Errorf("bind %s socket to %s: %w", r.socketType, endpoint, err)
	}
	s := &server{options: o.withDefaults(), role: r, listener: l, peers: map[*peer]struct{}{}}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr is the address that the socket is bound to.
func (s *server) Addr() net.Addr { return s.listener.Addr() }

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Too many open files, or a client gone before it was accepted: others may come.
			s.options.Logger.Warn("accept connection", "socket", s.role.socketType, "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		p := newPeer(conn, s)
		if !s.add(p) {
			p.abort()
			return
		}
	}
}

// add starts a peer unless the server is closed.
func (s *server) add(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.peers[p] = struct{}{}
	s.wg.Go(func() {
		if err := p.run(); err != nil {
			s.options.Logger.Warn("drop client", "socket", s.role.socketType,
				"client", p.conn.RemoteAddr().String(), "error", err)
		}
		s.mu.Lock()
		delete(s.peers, p)
		s.mu.Unlock()
	})
	return true
}

// Close takes no more clients, lets queued messages leave for at most
// Options.Linger, and ends all connections.
func (s *server) Close() error {
	s.mu.Lock()
	s.closed = true
	for p := range s.peers {
		p.out.close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	timer := time.AfterFunc(s.options.Linger, s.abortAll)
	s.wg.Wait()
	timer.Stop()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *server) abortAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		p.abort()
	}
}
