package zmtp

import (
	"bytes"
	"sync"
)

// Pub is a bound publisher (an XPUB socket on the wire). Every client has a
// queue of its own: one that has stopped reading costs the others at most
// Options.Patience once, and then loses its oldest messages.
type Pub struct {
	*server
	welcome func(topic []byte) Message

	mu   sync.Mutex
	subs map[*peer]map[string]int // how often each topic was subscribed
}

// NewPub binds a publisher to an endpoint. The message that welcome returns for
// a new topic goes to the client that subscribed, before anything published
// later; welcome may be nil or return nil.
func NewPub(endpoint string, welcome func(topic []byte) Message, o Options) (*Pub, error) {
	pub := &Pub{welcome: welcome, subs: map[*peer]map[string]int{}}
	s, err := serve(endpoint, role{
		socketType: "XPUB",
		accepts:    []string{"SUB", "XSUB"},
		joined:     func(*peer) {},
		message:    pub.message,
		command:    pub.command,
		left:       pub.leave,
	}, o)
	if err != nil {
		return nil, err
	}
	pub.server = s
	return pub, nil
}

// Publish queues a message for every client that subscribed to a prefix of its
// first frame. Clients get the messages of concurrent calls in the same order.
func (pub *Pub) Publish(m Message) {
	if len(m) == 0 {
		return
	}
	pub.mu.Lock()
	defer pub.mu.Unlock()
	var data []byte
	for p, topics := range pub.subs {
		if !matches(topics, m[0]) {
			continue
		}
		if data == nil {
			data = encodeMessage(m)
		}
		p.out.push(data, p.server.options.Patience)
	}
}

func matches(topics map[string]int, first []byte) bool {
	for topic := range topics {
		if bytes.HasPrefix(first, []byte(topic)) {
			return true
		}
	}
	return false
}

// command takes subscriptions as ZMTP 3.1 sends them.
func (pub *Pub) command(p *peer, name string, topic []byte) {
	switch name {
	case "SUBSCRIBE":
		pub.subscribe(p, topic)
	case "CANCEL":
		pub.cancel(p, topic)
	}
}

// message takes subscriptions as ZMTP 3.0 sends them; any other message of a
// subscriber has no meaning here.
func (pub *Pub) message(p *peer, m Message) {
	if len(m) != 1 || len(m[0]) == 0 {
		return
	}
	switch topic := m[0][1:]; m[0][0] {
	case 1:
		pub.subscribe(p, topic)
	case 0:
		pub.cancel(p, topic)
	}
}

func (pub *Pub) subscribe(p *peer, topic []byte) {
	pub.mu.Lock()
	defer pub.mu.Unlock()
	if pub.subs[p] == nil {
		pub.subs[p] = map[string]int{}
	}
	pub.subs[p][string(topic)]++
	if pub.welcome == nil || pub.subs[p][string(topic)] > 1 {
		return
	}
	if m := pub.welcome(topic); m != nil {
		p.out.push(encodeMessage(m), 0)
	}
}

func (pub *Pub) cancel(p *peer, topic []byte) {
	pub.mu.Lock()
	defer pub.mu.Unlock()
	topics := pub.subs[p]
	switch n := topics[string(topic)]; {
	case n > 1:
		topics[string(topic)] = n - 1
	case n == 1:
		delete(topics, string(topic))
	}
}

func (pub *Pub) leave(p *peer) {
	pub.mu.Lock()
	defer pub.mu.Unlock()
	delete(pub.subs, p)
}
