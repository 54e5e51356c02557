package zmtp

import (
	"encoding/binary"
	"errors"
	"sync"
)

// ErrNoPeer is returned by [Router.Send] for an identity that is not connected.
var ErrNoPeer = errors.New("no such peer")

// Router is a bound ROUTER socket: each message from a client has the client's
// identity put in front, and is sent to the client that its first frame names.
type Router struct {
	*server
	receive func(Message)

	mu    sync.Mutex
	byID  map[string]*peer
	count uint32
}

// NewRouter binds a router to an endpoint. It calls receive for every message,
// identity first, from one goroutine a client: while receive blocks, that
// client's later messages wait in its connection.
func NewRouter(endpoint string, receive func(Message), o Options) (*Router, error) {
	r := &Router{receive: receive, byID: map[string]*peer{}}
	s, err := serve(endpoint, role{
		socketType: "ROUTER",
		accepts:    []string{"DEALER", "REQ", "ROUTER"},
		joined:     r.join,
		message:    r.message,
		command:    func(*peer, string, []byte) {},
		left:       r.leave,
	}, o)
	if err != nil {
		return nil, err
	}
	r.server = s
	return r, nil
}

// Send queues a message for the client that its first frame names, without waiting.
func (r *Router) Send(m Message) error {
	if len(m) == 0 {
		return ErrNoPeer
	}
	r.mu.Lock()
	p := r.byID[string(m[0])]
	r.mu.Unlock()
	if p == nil {
		return ErrNoPeer
	}
	p.out.push(encodeMessage(m[1:]), 0)
	return nil
}

// join registers a client. One that comes back under its old identity takes it
// over: its earlier connection is dead and has only not been noticed yet.
func (r *Router) join(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.identity == "" {
		r.count++
		p.identity = string(binary.BigEndian.AppendUint32([]byte{0}, r.count))
	}
	if old := r.byID[p.identity]; old != nil {
		old.abort()
	}
	r.byID[p.identity] = p
}

func (r *Router) leave(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID[p.identity] == p {
		delete(r.byID, p.identity)
	}
}

func (r *Router) message(p *peer, m Message) {
	r.receive(append(Message{[]byte(p.identity)}, m...))
}
