package kernel

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// signed is a message as a client with the key "secret" sends it; its signature
// was computed by another implementation (Python's hmac module).
func signed() [][]byte {
	return [][]byte{
		[]byte("client"),
		[]byte("<IDS|MSG>"),
		[]byte("c3292fa6c5ed21ab2adc2f4471d4e5d7de2851d6b8acceddb5a5728454277933"),
		[]byte(`{"msg_id":"1","msg_type":"kernel_info_request","subshell_id":null}`),
		[]byte(`{}`),
		[]byte(`{}`),
		[]byte(`{"a":1}`),
		[]byte("a buffer"),
	}
}

func testSigner(t *testing.T, scheme, key string) signer {
	t.Helper()
	s, err := newSigner(scheme, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecode(t *testing.T) {
	m, err := decode(signed(), testSigner(t, "hmac-sha256", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.header.MsgType, "kernel_info_request"; got != want {
		t.Errorf("msg_type %q, want %q", got, want)
	}
	if got, want := string(m.rawHeader), string(signed()[3]); got != want {
		t.Errorf("raw header %s, want %s", got, want)
	}
	if len(m.idents) != 1 || string(m.idents[0]) != "client" {
		t.Errorf("identities %q, want only %q", m.idents, "client")
	}
	if got, want := string(m.content), `{"a":1}`; got != want {
		t.Errorf("content %s, want %s", got, want)
	}
}

func TestSignatures(t *testing.T) {
	parts := [][]byte{[]byte("{}"), []byte("{}"), []byte("{}"), []byte("{}")}
	tests := []struct{ scheme, want string }{
		{"", "34982f0bfec60e7b933ffde06c1ecab0fba073717a95ab943d1dd06f82c2d5e4"},
		{"hmac-sha256", "34982f0bfec60e7b933ffde06c1ecab0fba073717a95ab943d1dd06f82c2d5e4"},
		{"hmac-sha384", "6d8bcc9266c87cfeb972f939077cf573f2a27e6982f7341ee11f3fff49ecea341958b394aba68ddc4b2ed0fd9e28dbd4"},
		{"hmac-sha512", "092a6baa814d36dc494f983dc5965a2117ce941541138d9a5dbf0d2e1971d1e6ab6a1ebca6c65508fc122678bca700ddb23bba3a669f074c490ab7dd397c3616"},
		{"hmac-sha1", "4d55dee18d9b4c8db48b38939834c9558544c1a3"},
	}
	for _, tt := range tests {
		if got := string(testSigner(t, tt.scheme, "secret").sign(parts)); got != tt.want {
			t.Errorf("signature by %q is %s, want %s", tt.scheme, got, tt.want)
		}
	}
	if got := testSigner(t, "hmac-sha256", "").sign(parts); len(got) != 0 {
		t.Errorf("signature without a key is %q, want none", got)
	}
	if _, err := newSigner("rot13", "x"); err == nil {
		t.Error("signature scheme rot13 is accepted")
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func([][]byte) [][]byte
		want   string
	}{
		{"nothing", func([][]byte) [][]byte { return nil }, "delimiter"},
		{"no delimiter", func(f [][]byte) [][]byte { return f[2:] }, "delimiter"},
		{"too few parts", func(f [][]byte) [][]byte { return f[:6] }, "4 parts"},
		{"other content", func(f [][]byte) [][]byte { f[6] = []byte(`{"a":2}`); return f }, errSignature.Error()},
		{"other header", func(f [][]byte) [][]byte { f[3] = append(f[3], ' '); return f }, errSignature.Error()},
		{"no signature", func(f [][]byte) [][]byte { f[2] = nil; return f }, errSignature.Error()},
		{"upper-case signature", func(f [][]byte) [][]byte { f[2] = bytes.ToUpper(f[2]); return f }, errSignature.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode(tt.change(signed()), testSigner(t, "hmac-sha256", "secret"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("decode: %v, want error with %q", err, tt.want)
			}
		})
	}
	unsigned := testSigner(t, "", "")
	for _, h := range []string{``, `[]`, `{}`, `{"msg_id":"1"}`, `{"msg_id":"","msg_type":"x"}`, `{"msg_id":1,"msg_type":"x"}`} {
		frames := signed()
		frames[3] = []byte(h)
		if _, err := decode(frames, unsigned); err == nil {
			t.Errorf("header %q is accepted", h)
		}
	}
}

func TestEncode(t *testing.T) {
	s := testSigner(t, "hmac-sha256", "secret")
	h := header{MsgID: "2", MsgType: "stream", Version: protocolVersion}
	parent := json.RawMessage(`{"msg_id":"1","msg_type":"x","extra":true}`)
	frames, err := encode([][]byte{[]byte("topic")}, h, parent, map[string]any{}, map[string]any{"text": "<b>&"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != 7 {
		t.Fatalf("%d frames, want 7", len(frames))
	}
	if got := string(frames[4]); got != string(parent) {
		t.Errorf("parent header %s, want %s", got, parent)
	}
	if got, want := string(frames[6]), `{"text":"<b>&"}`; got != want {
		t.Errorf("content %s, want %s", got, want)
	}
	m, err := decode(frames, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, m.header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if _, err := encode(nil, h, nil, nil, math.NaN(), s); err == nil || !strings.Contains(err.Error(), "encode stream") {
		t.Errorf("encode of NaN: %v, want an error that names the message", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(bytes.Join(signed(), []byte("\n")))
	f.Add([]byte("<IDS|MSG>\n\n{}\n{}\n{}\n{}"))
	keyed, err := newSigner("", "secret")
	if err != nil {
		f.Fatal(err)
	}
	open, err := newSigner("", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frames := bytes.Split(data, []byte("\n"))
		if _, err := decode(frames, keyed); err == nil && !bytes.Contains(data, signed()[2]) {
			t.Errorf("frames %q are taken as signed", frames)
		}
		m, err := decode(frames, open)
		if err != nil {
			return
		}
		// What was taken as a request must be usable as a parent.
		sent, err := encode(m.idents, header{MsgID: "x", MsgType: "y"}, m.rawHeader, map[string]any{}, map[string]any{}, keyed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(sent, keyed); err != nil || !json.Valid(m.rawHeader) {
			t.Errorf("answer to %q cannot be read: %v", frames, err)
		}
	})
}

func TestErrorContentOfOurs(t *testing.T) {
	content := errorContent(errors.New("no such thing"))
	want := map[string]any{
		"status": "error", "ename": "error", "evalue": "no such thing", "traceback": []string{"error: no such thing"},
	}
	if diff := cmp.Diff(want, content); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}
