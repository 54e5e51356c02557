package zmtp

import (
	"fmt"
	"testing"
	"time"
)

// newPub returns a publisher that welcomes with the topic, so that a client can
// wait until its subscription counts.
func newPub(t *testing.T, o Options) *Pub {
	t.Helper()
	welcome := func(topic []byte) Message { return Message{[]byte("welcome"), topic} }
	pub, err := NewPub("tcp://127.0.0.1:0", welcome, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSocket(t, pub.server) })
	return pub
}

func subscribe(t *testing.T, pub *Pub, topic string, minor byte) *client {
	t.Helper()
	c := connect(t, pub.Addr(), "SUB", "", minor)
	if minor == 0 {
		c.send(encodeMessage(Message{append([]byte{1}, topic...)}))
	} else {
		c.send(encodeCommand("SUBSCRIBE", []byte(topic)))
	}
	wantMessage(t, c.receive(), "welcome", topic)
	return c
}

func TestPubSubscriptions(t *testing.T) {
	pub := newPub(t, Options{})
	all, some, old := subscribe(t, pub, "", 1), subscribe(t, pub, "b", 1), subscribe(t, pub, "b", 0)
	for _, topic := range []string{"a", "b", "bc"} {
		pub.Publish(Message{[]byte(topic), []byte("body")})
	}
	for _, topic := range []string{"a", "b", "bc"} {
		wantMessage(t, all.receive(), topic, "body")
	}
	for _, c := range []*client{some, old} {
		wantMessage(t, c.receive(), "b", "body")
		wantMessage(t, c.receive(), "bc", "body")
	}
}

func TestPubCancel(t *testing.T) {
	pub := newPub(t, Options{})
	for minor := range byte(2) {
		c := subscribe(t, pub, "a", minor)
		if minor == 0 {
			c.send(encodeMessage(Message{[]byte("\x00never subscribed")}))
			c.send(encodeMessage(Message{[]byte("\x00a")}))
			c.send(encodeMessage(Message{[]byte("\x01b")}))
		} else {
			c.send(encodeCommand("CANCEL", []byte("never subscribed")))
			c.send(encodeCommand("CANCEL", []byte("a")))
			c.send(encodeCommand("SUBSCRIBE", []byte("b")))
		}
		wantMessage(t, c.receive(), "welcome", "b")
		pub.Publish(Message{[]byte("a")})
		pub.Publish(Message{[]byte("b")})
		wantMessage(t, c.receive(), "b")
	}
}

func TestPubKeepsASecondSubscription(t *testing.T) {
	pub := newPub(t, Options{})
	c := subscribe(t, pub, "a", 1)
	c.send(encodeCommand("SUBSCRIBE", []byte("a")))
	c.send(encodeCommand("CANCEL", []byte("a")))
	c.send(encodeCommand("SUBSCRIBE", []byte("z")))
	wantMessage(t, c.receive(), "welcome", "z")
	pub.Publish(Message{[]byte("a")})
	wantMessage(t, c.receive(), "a")
}

func TestStalledSubscriberDelaysNobody(t *testing.T) {
	const n, size = 400, 100_000 // ten times the stalled client's queue and more than TCP buffers
	// Long enough for the reader on a busy machine; waiting so long for each message would take minutes.
	pub := newPub(t, Options{QueueBytes: 4 << 20, Patience: 2 * time.Second, Linger: time.Millisecond})
	subscribe(t, pub, "", 1) // and never reads again
	reader := subscribe(t, pub, "", 1)
	read := make(chan error, 1)
	go func() {
		for i := range n {
			if m := reader.receive(); string(m[0]) != fmt.Sprint(i) {
				read <- fmt.Errorf("message %d is %q", i, m[0])
				return
			}
		}
		read <- nil
	}()
	start := time.Now()
	for i := range n {
		pub.Publish(Message{fmt.Append(nil, i), make([]byte, size)})
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("publishing beside a stalled client took %v", took)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

func TestVanishedSubscriberIsForgotten(t *testing.T) {
	pub := newPub(t, Options{})
	gone := subscribe(t, pub, "", 1)
	if err := gone.conn.Close(); err != nil {
		t.Fatal(err)
	}
	stays := subscribe(t, pub, "", 1)
	pub.Publish(Message{[]byte("x")})
	wantMessage(t, stays.receive(), "x")
	deadline := time.After(5 * time.Second)
	for {
		pub.mu.Lock()
		n := len(pub.subs)
		pub.mu.Unlock()
		if n == 1 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%d subscribers are known, want 1", n)
		case <-time.After(time.Millisecond):
		}
	}
}
