package zmtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client is the other side of a socket, as plain as can be.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, addr net.Addr) *client {
	t.Helper()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// connect dials and shakes hands with ZMTP 3.minor.
func connect(t *testing.T, addr net.Addr, socketType, identity string, minor byte) *client {
	t.Helper()
	c := dial(t, addr)
	g := greeting()
	g[11] = minor
	c.send(append(g, readyCommand(socketType, identity)...))
	if err := readGreeting(c.in); err != nil {
		t.Fatal(err)
	}
	flags, body := c.frame()
	if name, _, err := splitCommand(body); flags != flagCommand || name != "READY" || err != nil {
		t.Fatalf("handshake ends with flags %d, %q, %v, want READY", flags, body, err)
	}
	return c
}

func (c *client) send(data []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(data); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) frame() (flags byte, body []byte) {
	c.t.Helper()
	flags, body, err := readFrame(c.in, 1<<26)
	if err != nil {
		c.t.Fatalf("read frame: %v", err)
	}
	return flags, body
}

func (c *client) receive() Message {
	c.t.Helper()
	var m Message
	for {
		flags, body := c.frame()
		m = append(m, body)
		if flags&flagMore == 0 {
			return m
		}
	}
}

func (c *client) wantEnd() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.in); errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error("the connection stays open, want it closed")
	}
}

func wantMessage(t *testing.T, got Message, want ...string) {
	t.Helper()
	var text []string
	for _, frame := range got {
		text = append(text, string(frame))
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func newRouter(t *testing.T, endpoint string, o Options) (*Router, chan Message) {
	t.Helper()
	received := make(chan Message, 16)
	o.Logger = slog.New(slog.DiscardHandler)
	r, err := NewRouter(endpoint, func(m Message) { received <- m }, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSocket(t, r.server) })
	return r, received
}

func closeSocket(t *testing.T, s *server) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestRouterRoundTrip(t *testing.T) {
	ipc := "ipc://" + filepath.Join(t.TempDir(), "s")
	for _, endpoint := range []string{"tcp://127.0.0.1:0", ipc} {
		t.Run(endpoint[:3], func(t *testing.T) {
			r, received := newRouter(t, endpoint, Options{})
			c := connect(t, r.Addr(), "DEALER", "ann", 1)
			c.send(encodeMessage(Message{{}, []byte("hello")}))
			wantMessage(t, <-received, "ann", "", "hello")
			big := strings.Repeat("x", 300_000)
			if err := r.Send(Message{[]byte("ann"), []byte("world"), []byte(big)}); err != nil {
				t.Fatal(err)
			}
			wantMessage(t, c.receive(), "world", big)
			if err := r.Send(Message{[]byte("bob"), []byte("x")}); !errors.Is(err, ErrNoPeer) {
				t.Errorf("send to a stranger: %v, want %v", err, ErrNoPeer)
			}
		})
	}
}

func TestRouterNamesTheNameless(t *testing.T) {
	r, received := newRouter(t, "tcp://127.0.0.1:0", Options{})
	a, b := connect(t, r.Addr(), "DEALER", "", 1), connect(t, r.Addr(), "REQ", "", 0)
	a.send(encodeMessage(Message{[]byte("a")}))
	first := <-received
	b.send(encodeMessage(Message{{}, []byte("b")}))
	second := <-received
	if bytes.Equal(first[0], second[0]) || len(first[0]) != 5 {
		t.Errorf("identities %q and %q, want two different ones of 5 bytes", first[0], second[0])
	}
	if err := r.Send(Message{first[0], []byte("to a")}); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, a.receive(), "to a")
}

func TestRouterGivesIdentityToTheNewcomer(t *testing.T) {
	r, received := newRouter(t, "tcp://127.0.0.1:0", Options{})
	old := connect(t, r.Addr(), "DEALER", "ann", 1)
	old.send(encodeMessage(Message{[]byte("1")}))
	<-received
	fresh := connect(t, r.Addr(), "DEALER", "ann", 1)
	fresh.send(encodeMessage(Message{[]byte("2")}))
	<-received
	old.wantEnd()
	if err := r.Send(Message{[]byte("ann"), []byte("x")}); err != nil {
		t.Fatal(err)
	}
	wantMessage(t, fresh.receive(), "x")
}

func TestPingIsAnsweredWithItsContext(t *testing.T) {
	r, _ := newRouter(t, "tcp://127.0.0.1:0", Options{})
	c := connect(t, r.Addr(), "DEALER", "", 1)
	c.send(encodeCommand("PING", []byte("\x00\x0actx")))
	if flags, body := c.frame(); flags != flagCommand || string(body) != "\x04PONGctx" {
		t.Errorf("answer to PING: flags %d, %q, want a PONG with its context", flags, body)
	}
}

func TestEcho(t *testing.T) {
	e, err := NewEcho("tcp://127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeSocket(t, e.server)
	c := connect(t, e.Addr(), "REQ", "", 1)
	c.send(encodeMessage(Message{{}, []byte("ping")}))
	wantMessage(t, c.receive(), "", "ping")
}

func TestStrangersAreTurnedAway(t *testing.T) {
	r, received := newRouter(t, "tcp://127.0.0.1:0", Options{MessageBytes: 1000})
	old := make([]byte, 12)
	old[0], old[9], old[10] = 0xFF, 0x7F, 1
	curve := greeting()
	copy(curve[12:], "CURVE")
	ready := append(greeting(), readyCommand("DEALER", "")...)
	tests := []struct {
		name string
		data []byte
	}{
		{"http", []byte(strings.Repeat("GET / HTTP/1.1\r\n", 8))},
		{"zmtp 2", old},
		{"curve", curve},
		{"no ready", append(greeting(), encodeMessage(Message{[]byte("x")})...)},
		{"wrong command", append(greeting(), encodeCommand("HELLO", nil)...)},
		{"reserved identity", append(greeting(), readyCommand("DEALER", "\x00a")...)},
		{"garbage after ready", append(bytes.Clone(ready), 0xFF, 0xFF)},
		{"message too long", append(bytes.Clone(ready), encodeMessage(Message{make([]byte, 2000)})...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dial(t, r.Addr())
			c.send(tt.data)
			c.wantEnd()
		})
	}
	c := connect(t, r.Addr(), "DEALER", "ann", 1)
	c.send(encodeMessage(Message{[]byte("still here")}))
	wantMessage(t, <-received, "ann", "still here")
}

func TestWrongSocketTypeIsTold(t *testing.T) {
	r, _ := newRouter(t, "tcp://127.0.0.1:0", Options{})
	c := connect(t, r.Addr(), "SUB", "", 1)
	if _, body := c.frame(); !bytes.HasPrefix(body, []byte("\x05ERROR")) || !bytes.Contains(body, []byte(`"SUB"`)) {
		t.Errorf("answer to a SUB socket: %q, want an ERROR that names it", body)
	}
	c.wantEnd()
}

func TestSilentConnectionIsDropped(t *testing.T) {
	r, _ := newRouter(t, "tcp://127.0.0.1:0", Options{HandshakeTimeout: 20 * time.Millisecond})
	dial(t, r.Addr()).wantEnd()
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	received := make(chan Message, 1)
	r, err := NewRouter("tcp://127.0.0.1:0", func(m Message) { received <- m }, Options{Linger: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, r.Addr(), "DEALER", "ann", 1)
	c.send(encodeMessage(Message{[]byte("hi")}))
	<-received
	for i := range 100 {
		if err := r.Send(Message{[]byte("ann"), fmt.Append(nil, i), make([]byte, 10_000)}); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- r.Close() }()
	for i := range 100 {
		if got := c.receive(); string(got[0]) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, got[0])
		}
	}
	c.wantEnd()
	_ = c.conn.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStaleSocketFileIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	newRouter(t, "ipc://"+path, Options{})
	if _, err := NewEcho("ipc://"+path, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second bind of %s: %v, want that it is in use", path, err)
	}
}

func TestBindErrors(t *testing.T) {
	for _, endpoint := range []string{"127.0.0.1:0", "udp://127.0.0.1:0", "tcp://nowhere.invalid:1:2", "ipc:///no/such/folder/s"} {
		if e, err := NewEcho(endpoint, Options{}); err == nil {
			closeSocket(t, e.server)
			t.Errorf("bind to %q succeeds, want an error", endpoint)
		} else if !strings.Contains(err.Error(), "bind REP socket") {
			t.Errorf("bind to %q: %v, want the error to say so", endpoint, err)
		}
	}
}
