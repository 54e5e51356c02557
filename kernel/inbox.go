package kernel

import "sync"

// inboxBytes is how much may wait on one channel. Beyond it the clients'
// connections are not read any further, and the clients wait.
const inboxBytes = 256 << 20

// request is a message waiting for its turn; arrival numbers it within its inbox.
type request struct {
	message
	arrival uint64
	size    int
	started string // when its handling began
}

// inbox holds the requests of one channel in the order of their arrival.
type inbox struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting []*request
	size    int
	arrived uint64
	closed  bool
}

func newInbox() *inbox {
	b := &inbox{}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// push adds a message that was size bytes long; it waits while the inbox is full.
func (b *inbox) push(m message, size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.size > 0 && b.size+size > inboxBytes && !b.closed {
		b.changed.Wait()
	}
	b.arrived++
	b.size += size
	b.waiting = append(b.waiting, &request{message: m, arrival: b.arrived, size: size})
	b.changed.Broadcast()
}

// pop waits for the next request; false means that the inbox is closed.
func (b *inbox) pop() (*request, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return nil, false
	}
	r := b.waiting[0]
	b.waiting[0] = nil
	b.waiting = b.waiting[1:]
	b.size -= r.size
	b.changed.Broadcast()
	return r, true
}

// last is the number of the newest arrival.
func (b *inbox) last() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.arrived
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.changed.Broadcast()
}
