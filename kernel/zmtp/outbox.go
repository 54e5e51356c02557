package zmtp

import (
	"net"
	"sync"
	"time"
)

// perMessage is what a queued message costs beside its bytes, so that many
// empty ones are bounded too.
const perMessage = 64

// maxBatch is how many queued bytes one write takes: large enough for one
// system call to pay, small enough that little is beyond dropping.
const maxBatch = 256 << 10

// outbox is the queue of one connection, bounded in bytes. When it is full the
// oldest messages go, so that a reader who comes back sees the newest state.
type outbox struct {
	limit int
	more  chan struct{} // holds one token when there is work or the end
	space chan struct{} // holds one token after some bytes were written

	mu      sync.Mutex
	queue   [][]byte
	size    int  // bytes queued and in the write under way
	stalled bool // a wait ran out; nobody waits again until half is empty
	lost    int  // messages dropped since the last report
	closed  bool
}

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, more: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// push queues the bytes of a whole message. If the queue is full it waits at
// most patience for a reader that still reads, then drops what is oldest.
// Only one caller may wait at a time.
func (b *outbox) push(data []byte, patience time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full(data) && !b.stalled && patience > 0 {
		b.await(data, patience)
	}
	if b.closed {
		return
	}
	for b.full(data) && len(b.queue) > 0 {
		b.size -= cost(b.queue[0])
		b.queue[0] = nil
		b.queue = b.queue[1:]
		b.lost++
	}
	b.queue = append(b.queue, data)
	b.size += cost(data)
	signal(b.more)
}

// await waits, with the lock released, until data fits or patience has run out.
func (b *outbox) await(data []byte, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for b.full(data) && !b.closed && !b.stalled {
		b.mu.Unlock()
		select {
		case <-b.space:
			b.mu.Lock()
		case <-timer.C:
			b.mu.Lock()
			b.stalled = b.full(data)
		}
	}
}

func (b *outbox) full(data []byte) bool { return b.size > 0 && b.size+cost(data) > b.limit }

// close lets the writer end once the queue is empty; later messages are dropped.
func (b *outbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	signal(b.more)
	signal(b.space)
}

// abandon closes the outbox and forgets what is queued.
func (b *outbox) abandon() {
	b.mu.Lock()
	b.queue, b.size = nil, 0
	b.mu.Unlock()
	b.close()
}

// run writes to conn until the outbox is closed and empty, or a write fails.
// It tells onLost of messages dropped, at most once a batch.
func (b *outbox) run(conn net.Conn, onLost func(n int)) error {
	for {
		batch, size, lost, done := b.take()
		if lost > 0 {
			onLost(lost)
		}
		if done {
			return nil
		}
		if len(batch) == 0 {
			<-b.more
			continue
		}
		_, err := batch.WriteTo(conn)
		b.release(size)
		if err != nil {
			return err
		}
	}
}

// take removes the next messages to write from the queue.
func (b *outbox) take() (batch net.Buffers, size, lost int, done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lost, b.lost = b.lost, 0
	for len(b.queue) > 0 && (len(batch) == 0 || size+cost(b.queue[0]) <= maxBatch) {
		batch = append(batch, b.queue[0])
		size += cost(b.queue[0])
		b.queue[0] = nil
		b.queue = b.queue[1:]
	}
	return batch, size, lost, b.closed && len(batch) == 0
}

func (b *outbox) release(size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size = max(b.size-size, 0)
	if b.size <= b.limit/2 {
		b.stalled = false
	}
	signal(b.space)
}

func cost(data []byte) int { return len(data) + perMessage }

// signal leaves a token in a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
