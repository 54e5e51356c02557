package zmtp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// listen opens the listener of an endpoint such as tcp://127.0.0.1:5555,
// tcp://*:0 or ipc:///tmp/name.
func listen(endpoint string) (net.Listener, error) {
	scheme, address, ok := strings.Cut(endpoint, "://")
	if !ok {
		return nil, fmt.Errorf("endpoint %q has no transport", endpoint)
	}
	switch scheme {
	case "tcp":
		return net.Listen("tcp", strings.TrimPrefix(address, "*"))
	case "ipc":
		if err := removeStale(address); err != nil {
			return nil, err
		}
		return net.Listen("unix", address)
	}
	return nil, fmt.Errorf("transport %q is not tcp or ipc", scheme)
}

// removeStale removes a socket file that nobody listens on any more, which a
// killed process leaves behind.
func removeStale(path string) error {
	if !isSocket(path) {
		return nil // nothing there, or something that is not ours: listen will say
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("%s is in use by another process", path), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove stale socket: %w", err)
	}
	return nil
}

func isSocket(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSocket != 0
}
