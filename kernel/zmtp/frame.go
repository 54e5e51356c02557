package zmtp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Message is the frames of one message, first to last.
type Message [][]byte

// The flag bits of a frame; the others are reserved and must be zero.
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

// readStep is how many bytes of a frame are allocated before any of them has
// arrived: a peer must send what it announces, not only announce it.
const readStep = 64 << 10

// errTooLong is a message beyond the limit of its reader.
var errTooLong = errors.New("message too long")

// appendFrame appends one frame, long or short by the size of its body.
func appendFrame(dst []byte, flags byte, body []byte) []byte {
	if len(body) > 255 {
		dst = append(dst, flags|flagLong)
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(body)))
	} else {
		dst = append(dst, flags, byte(len(body)))
	}
	return append(dst, body...)
}

// appendMessage appends all frames of m.
func appendMessage(dst []byte, m Message) []byte {
	for i, body := range m {
		var flags byte
		if i < len(m)-1 {
			flags = flagMore
		}
		dst = appendFrame(dst, flags, body)
	}
	return dst
}

// encodeMessage returns the bytes of m in one allocation.
func encodeMessage(m Message) []byte {
	size := 0
	for _, body := range m {
		size += 9 + len(body)
	}
	return appendMessage(make([]byte, 0, size), m)
}

// readFrame reads one frame whose body has at most limit bytes.
func readFrame(r io.Reader, limit int) (flags byte, body []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:1]); err != nil {
		return 0, nil, err
	}
	flags = head[0]
	if flags&^(flagMore|flagLong|flagCommand) != 0 || flags&(flagMore|flagCommand) == flagMore|flagCommand {
		return 0, nil, fmt.Errorf("frame with flags %#02x", flags)
	}
	size, err := readSize(r, head[1:], flags&flagLong != 0)
	if err != nil {
		return 0, nil, err
	}
	if size > uint64(limit) {
		return 0, nil, fmt.Errorf("frame of %d bytes: %w", size, errTooLong)
	}
	body, err = readBody(r, int(size))
	return flags, body, err
}

func readSize(r io.Reader, buf []byte, long bool) (uint64, error) {
	if !long {
		_, err := io.ReadFull(r, buf[:1])
		return uint64(buf[0]), noEOF(err)
	}
	_, err := io.ReadFull(r, buf)
	return binary.BigEndian.Uint64(buf), noEOF(err)
}

func readBody(r io.Reader, size int) ([]byte, error) {
	if size <= readStep {
		body := make([]byte, size)
		_, err := io.ReadFull(r, body)
		return body, noEOF(err)
	}
	var body bytes.Buffer
	_, err := io.CopyN(&body, r, int64(size))
	return body.Bytes(), noEOF(err)
}

// noEOF makes an end within a frame an error; an end between two is none.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// encodeCommand returns the frame of a command.
func encodeCommand(name string, data []byte) []byte {
	body := append([]byte{byte(len(name))}, name...)
	return appendFrame(nil, flagCommand, append(body, data...))
}

// splitCommand parts the body of a command frame into its name and data.
func splitCommand(body []byte) (name string, data []byte, err error) {
	if len(body) == 0 || body[0] == 0 || len(body) < 1+int(body[0]) {
		return "", nil, errors.New("command without a name")
	}
	n := 1 + int(body[0])
	return string(body[1:n]), body[n:], nil
}

// appendProperty appends one property of a READY command.
func appendProperty(dst []byte, name, value string) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}

// splitProperties reads the properties of a READY command by their names in
// lower case, since the protocol ignores their case.
func splitProperties(data []byte) (map[string]string, error) {
	props := map[string]string{}
	for len(data) > 0 {
		n := int(data[0])
		if n == 0 || len(data) < 1+n+4 {
			return nil, errors.New("property cut short")
		}
		name := strings.ToLower(string(data[1 : 1+n]))
		size := binary.BigEndian.Uint32(data[1+n:])
		data = data[1+n+4:]
		if uint64(size) > uint64(len(data)) {
			return nil, fmt.Errorf("property %q cut short", name)
		}
		props[name] = string(data[:size])
		data = data[size:]
	}
	return props, nil
}
