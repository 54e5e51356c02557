package zmtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	greetingSize = 64
	versionMajor = 3
	versionMinor = 1

	// handshakeLimit bounds a READY command: a socket type and an identity of
	// at most 255 bytes need far less.
	handshakeLimit = 4096
)

// greeting returns the 64 bytes with which both sides begin: signature,
// version, mechanism, as-server, filler.
func greeting() []byte {
	g := make([]byte, greetingSize)
	g[0], g[8], g[9] = 0xFF, 1, 0x7F
	g[10], g[11] = versionMajor, versionMinor
	copy(g[12:32], "NULL")
	return g
}

// readGreeting checks the greeting of a peer as far as it must be right.
func readGreeting(r io.Reader) error {
	g := make([]byte, greetingSize)
	// An old peer sends fewer bytes than 64 and then waits: look at the
	// signature and the version before asking for the rest.
	if _, err := io.ReadFull(r, g[:11]); err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	if g[0] != 0xFF || g[9]&1 == 0 {
		return errors.New("peer does not speak ZMTP")
	}
	if g[10] < versionMajor {
		return fmt.Errorf("peer speaks ZMTP %d, not %d", g[10], versionMajor)
	}
	if _, err := io.ReadFull(r, g[11:]); err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	if mechanism := string(bytes.TrimRight(g[12:32], "\x00")); mechanism != "NULL" {
		return fmt.Errorf("peer wants security mechanism %q, not NULL", mechanism)
	}
	return nil
}

// readyCommand returns the command that ends our side of the handshake.
func readyCommand(socketType, identity string) []byte {
	data := appendProperty(nil, "Socket-Type", socketType)
	if identity != "" {
		data = appendProperty(data, "Identity", identity)
	}
	return encodeCommand("READY", data)
}

// readReady returns the identity of a peer whose socket type is one of accepts.
func readReady(r io.Reader, accepts []string) (identity string, err error) {
	flags, body, err := readFrame(r, handshakeLimit)
	if err != nil {
		return "", fmt.Errorf("read handshake: %w", err)
	}
	if flags&flagCommand == 0 {
		return "", errors.New("message before the handshake")
	}
	name, data, err := splitCommand(body)
	if err != nil {
		return "", fmt.Errorf("read handshake: %w", err)
	}
	if name != "READY" {
		return "", fmt.Errorf("command %q in place of READY: %q", name, data)
	}
	props, err := splitProperties(data)
	if err != nil {
		return "", fmt.Errorf("read handshake: %w", err)
	}
	if !slices.Contains(accepts, props["socket-type"]) {
		return "", typeError{got: props["socket-type"], want: accepts}
	}
	return props["identity"], checkIdentity(props["identity"])
}

// checkIdentity refuses the identities that the protocol keeps for itself.
func checkIdentity(id string) error {
	if len(id) > 255 || strings.HasPrefix(id, "\x00") {
		return fmt.Errorf("identity %q is not allowed", id)
	}
	return nil
}

// typeError is a peer whose socket cannot talk to ours; it is told so.
type typeError struct {
	got  string
	want []string
}

func (e typeError) Error() string {
	return fmt.Sprintf("socket type %q, not %s", e.got, strings.Join(e.want, " or "))
}

// errorCommand returns the command that refuses a handshake.
func errorCommand(reason string) []byte {
	reason = reason[:min(len(reason), 255)]
	return encodeCommand("ERROR", append([]byte{byte(len(reason))}, reason...))
}
