package zmtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAll reads one message as a connection would, commands refused.
func readAll(data []byte, limit int) (Message, error) {
	p := &peer{
		server: &server{
			options: Options{MessageBytes: limit},
			role:    role{command: func(*peer, string, []byte) {}},
		},
		in:  bufio.NewReader(bytes.NewReader(data)),
		out: newOutbox(1 << 10),
	}
	return p.readMessage()
}

func TestMessageRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		m    Message
	}{
		{"one empty frame", Message{{}}},
		{"longest short frame", Message{bytes.Repeat([]byte{7}, 255)}},
		{"shortest long frame", Message{bytes.Repeat([]byte{7}, 256)}},
		{"beyond one read step", Message{bytes.Repeat([]byte("ab"), readStep)}},
		{"several", Message{[]byte("id"), {}, []byte("body")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(encodeMessage(tt.m), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.m, got); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFrameBytes(t *testing.T) {
	got := encodeMessage(Message{[]byte("a"), []byte("bc")})
	if want := []byte{1, 1, 'a', 0, 2, 'b', 'c'}; !bytes.Equal(got, want) {
		t.Errorf("encodeMessage = % x, want % x", got, want)
	}
	got = encodeCommand("PONG", []byte("x"))
	if want := []byte("\x04\x06\x04PONGx"); !bytes.Equal(got, want) {
		t.Errorf("encodeCommand = % x, want % x", got, want)
	}
}

func TestReadMessageRefuses(t *testing.T) {
	tests := []struct {
		name, data string
		want       string
	}{
		{"reserved flag", "\x80\x00", "flags 0x80"},
		{"command with more", "\x05\x00", "flags 0x05"},
		{"cut in body", "\x00\x05ab", io.ErrUnexpectedEOF.Error()},
		{"cut between frames", "\x01\x01a", io.ErrUnexpectedEOF.Error()},
		{"cut in long size", "\x02\x00\x00", io.ErrUnexpectedEOF.Error()},
		{"announces 2^63 bytes", "\x02\x80\x00\x00\x00\x00\x00\x00\x00", errTooLong.Error()},
		{"beyond the limit", "\x02\x00\x00\x00\x00\x00\x01\x00\x00", errTooLong.Error()},
		{"too many empty frames", strings.Repeat("\x01\x00", 20), errTooLong.Error()},
		{"command without name", "\x04\x00", "command without a name"},
		{"command name too long", "\x04\x02\x09a", "command without a name"},
		{"ping without ttl", "\x04\x05\x04PING", "PING"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := readAll([]byte(tt.data), 1000)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("readMessage = %q, %v, want error with %q", m, err, tt.want)
			}
		})
	}
	if _, err := readAll(nil, 1000); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("readMessage at the end: %v, want io.EOF", err)
	}
}

func TestProperties(t *testing.T) {
	data := appendProperty(appendProperty(nil, "Socket-Type", "DEALER"), "Identity", "abc")
	got, err := splitProperties(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"socket-type": "DEALER", "identity": "abc"}, got); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	for n := 1; n < len(data); n++ {
		if props, err := splitProperties(data[:n]); err == nil && len(props) != 1 {
			t.Errorf("splitProperties of the first %d bytes = %v, want an error", n, props)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add(encodeMessage(Message{[]byte("a"), {}, bytes.Repeat([]byte("b"), 300)}))
	f.Add(encodeCommand("SUBSCRIBE", []byte("topic")))
	f.Add(encodeCommand("PING", []byte("\x00\x10ctx")))
	f.Add([]byte("\x02\x7f\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := readAll(data, 4096)
		if err != nil {
			return
		}
		again, err := readAll(encodeMessage(m), 1<<20)
		if err != nil || !cmp.Equal(m, again) {
			t.Errorf("message %q comes back as %q, %v", m, again, err)
		}
	})
}

func FuzzHandshake(f *testing.F) {
	f.Add(append(greeting(), readyCommand("DEALER", "id")...))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		if readGreeting(r) != nil {
			return
		}
		if id, err := readReady(r, []string{"DEALER"}); err == nil && len(id) > 255 {
			t.Errorf("identity of %d bytes accepted", len(id))
		}
	})
}
