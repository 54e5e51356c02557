package kernel

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // a signature scheme that old clients may ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// protocolVersion is the version of Jupyter's messaging protocol that is spoken.
const protocolVersion = "5.5"

// delimiter stands between the routing identities and the message.
const delimiter = "<IDS|MSG>"

// errReplay is a message whose signature was on an earlier one: somebody sends it again.
var errReplay = errors.New("a message that was sent before")

// errSignature is a message that was not signed with the connection's key.
var errSignature = errors.New("wrong signature")

// header says what a message is and who sent it.
type header struct {
	MsgID    string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	MsgType  string `json:"msg_type"`
	Version  string `json:"version"`
}

// message is a message as received. The raw header is the parent of all that
// is sent because of it, including fields unknown here.
type message struct {
	idents    [][]byte
	header    header
	rawHeader json.RawMessage
	content   json.RawMessage
	buffers   [][]byte
}

// decode reads the frames of a message: identities, delimiter, signature,
// header, parent header, metadata, content and then buffers.
func decode(frames [][]byte, s signer) (message, error) {
	at := -1
	for i, f := range frames {
		if string(f) == delimiter {
			at = i
			break
		}
	}
	if at < 0 {
		return message{}, errors.New("message without delimiter")
	}
	parts := frames[at+1:]
	if len(parts) < 5 {
		return message{}, fmt.Errorf("message of %d parts, not 5 or more", len(parts))
	}
	if !s.verify(parts[0], parts[1:5]) {
		return message{}, errSignature
	}
	if !s.isNew(parts[0]) {
		return message{}, errReplay
	}
	m := message{idents: frames[:at], rawHeader: parts[1], content: parts[4], buffers: parts[5:]}
	if err := json.Unmarshal(parts[1], &m.header); err != nil {
		return message{}, fmt.Errorf("read header: %w", err)
	}
	if m.header.MsgID == "" || m.header.MsgType == "" {
		return message{}, errors.New("header without msg_id or msg_type")
	}
	return m, nil
}

// encode returns the frames of a message to send, without buffers; a nil parent is an
// empty one.
func encode(idents [][]byte, h header, parent json.RawMessage, metadata, content any, s signer) ([][]byte, error) {
	if parent == nil {
		parent = json.RawMessage("{}")
	}
	parts := make([][]byte, 0, 4)
	for _, value := range []any{h, parent, metadata, content} {
		data, err := encodeJSON(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", h.MsgType, err)
		}
		parts = append(parts, data)
	}
	frames := make([][]byte, 0, len(idents)+6)
	frames = append(frames, idents...)
	frames = append(frames, []byte(delimiter), s.sign(parts))
	return append(frames, parts...), nil
}

// encodeJSON is json.Marshal that leaves <, > and & readable.
func encodeJSON(value any) ([]byte, error) {
	if raw, ok := value.(json.RawMessage); ok {
		return raw, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// signer signs messages with the key that only the client and the kernel know.
// With an empty key nothing is signed or checked.
type signer struct {
	key  []byte
	hash func() hash.Hash
	seen *signatures
}

// mostSignatures is how many signatures are remembered; half of them are forgotten
// then.
const mostSignatures = 1 << 16

// signatures are those of the messages that have come, the newest in young.
type signatures struct {
	mu         sync.Mutex
	young, old map[string]bool
}

// isNew reports whether no message has come with a signature, and remembers it.
// Unsigned messages are all new.
func (s signer) isNew(signature []byte) bool {
	if len(s.key) == 0 {
		return true
	}
	seen := s.seen
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if seen.young[string(signature)] || seen.old[string(signature)] {
		return false
	}
	if len(seen.young) >= mostSignatures/2 {
		seen.young, seen.old = map[string]bool{}, seen.young
	}
	seen.young[string(signature)] = true
	return true
}

func newSigner(scheme, key string) (signer, error) {
	s := signer{key: []byte(key), seen: &signatures{young: map[string]bool{}}}
	switch scheme {
	case "", "hmac-sha256":
		s.hash = sha256.New
	case "hmac-sha512":
		s.hash = sha512.New
	case "hmac-sha384":
		s.hash = sha512.New384
	case "hmac-sha1":
		s.hash = sha1.New
	default:
		return signer{}, fmt.Errorf("signature scheme %q is not known", scheme)
	}
	return s, nil
}

// sign returns the signature of the four parts of a message in hex.
func (s signer) sign(parts [][]byte) []byte {
	if len(s.key) == 0 {
		return []byte{}
	}
	mac := hmac.New(s.hash, s.key)
	for _, p := range parts {
		mac.Write(p)
	}
	return hex.AppendEncode(nil, mac.Sum(nil))
}

func (s signer) verify(signature []byte, parts [][]byte) bool {
	return len(s.key) == 0 || hmac.Equal(signature, s.sign(parts))
}
