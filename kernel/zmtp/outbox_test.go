package zmtp

import (
	"testing"
	"time"
)

func queued(b *outbox) string {
	batch, _, _, _ := b.take()
	text := ""
	for _, data := range batch {
		text += string(data)
	}
	return text
}

func TestOutboxDropsOldest(t *testing.T) {
	b := newOutbox(3 * (1 + perMessage))
	for _, s := range []string{"a", "b", "c", "d", "e"} {
		b.push([]byte(s), 0)
	}
	if b.lost != 2 {
		t.Errorf("lost %d messages, want 2", b.lost)
	}
	if got := queued(b); got != "cde" {
		t.Errorf("queue holds %q, want %q", got, "cde")
	}
}

func TestOutboxTakesOneMessageOfAnySize(t *testing.T) {
	b := newOutbox(10)
	b.push(make([]byte, 1000), 0)
	if got := len(queued(b)); got != 1000 {
		t.Errorf("queue holds %d bytes, want 1000", got)
	}
}

func TestOutboxWaitsOnceForAStalledReader(t *testing.T) {
	b := newOutbox(2 * (1 + perMessage))
	b.push([]byte("a"), time.Hour)
	b.push([]byte("b"), time.Hour)
	start := time.Now()
	for range 100 {
		b.push([]byte("c"), 20*time.Millisecond)
	}
	if took := time.Since(start); took < 20*time.Millisecond || took > time.Second {
		t.Errorf("100 messages to a stalled reader took %v, want one wait of 20ms", took)
	}
	if !b.stalled {
		t.Error("the reader does not count as stalled")
	}
}

func TestOutboxWaitsForAReaderThatReads(t *testing.T) {
	b := newOutbox(2 * (1 + perMessage))
	b.push([]byte("a"), time.Hour)
	b.push([]byte("b"), time.Hour)
	batch, size, _, _ := b.take()
	pushed := make(chan struct{})
	go func() {
		defer close(pushed)
		b.push([]byte("c"), time.Hour)
	}()
	b.release(size)
	<-pushed
	if got := queued(b); len(batch) != 2 || got != "c" || b.lost != 0 {
		t.Errorf("after %d messages the queue holds %q with %d lost, want 2, %q, 0", len(batch), got, b.lost, "c")
	}
}

func TestOutboxCloseEndsAWait(t *testing.T) {
	b := newOutbox(1)
	b.push([]byte("a"), 0)
	pushed := make(chan struct{})
	go func() {
		defer close(pushed)
		b.push([]byte("b"), time.Hour)
	}()
	b.close()
	<-pushed
}
