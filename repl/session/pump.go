package session

import (
	"errors"
	"fmt"
	"os"

	"vlab/repl/session/internal/wire"

	"golang.org/x/sys/unix"
)

const (
	stdoutName = "stdout"
	stderrName = "stderr"
)

// pump reads a child's three pipes in one goroutine. Before a message is
// handled, what is already in the text pipes is delivered: a write to a pipe is
// there when it returns, so all that was printed before the message was sent
// comes first. The child waits for the reply to a display before it goes on, so
// nothing printed after it can come before it.
type pump struct {
	messages, stdout, stderr *os.File
	buf                      []byte
}

// pumpBuffer is what is read from a pipe at once, in bytes: as much as a pipe
// holds.
const pumpBuffer = 64 << 10

// run reads until the messages end, which it returns as io.EOF, or an error.
func (p *pump) run(printed func(name string, text []byte), received func(wire.Message)) error {
	p.buf = make([]byte, pumpBuffer)
	fds := []unix.PollFd{
		{Fd: int32(p.messages.Fd()), Events: unix.POLLIN},
		{Fd: int32(p.stdout.Fd()), Events: unix.POLLIN},
		{Fd: int32(p.stderr.Fd()), Events: unix.POLLIN},
	}
	for {
		if _, err := unix.Poll(fds, -1); err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return fmt.Errorf("wait for the session: %w", err)
		}
		if fds[0].Revents != 0 {
			var m wire.Message
			if err := wire.Read(p.messages, &m); err != nil {
				return err
			}
			p.drain(printed)
			received(m)
			continue
		}
		p.poll(&fds[1], p.stdout, stdoutName, printed)
		p.poll(&fds[2], p.stderr, stderrName, printed)
	}
}

// poll reads once from a text pipe that has something; one that has ended is
// waited for no longer.
func (p *pump) poll(fd *unix.PollFd, f *os.File, name string, printed func(string, []byte)) {
	if fd.Revents == 0 {
		return
	}
	n, err := f.Read(p.buf)
	if n > 0 {
		printed(name, p.buf[:n])
	}
	if err != nil {
		fd.Fd = -1
	}
}

// drain delivers what is in the text pipes at this moment. It reads no more than a
// pipe can hold, so that a goroutine that prints on cannot hold it up.
func (p *pump) drain(printed func(name string, text []byte)) {
	p.drainOne(p.stdout, stdoutName, printed)
	p.drainOne(p.stderr, stderrName, printed)
}

func (p *pump) drainOne(f *os.File, name string, printed func(string, []byte)) {
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}
	for left := pumpBuffer; left > 0; {
		ready, err := unix.Poll(fds, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || ready == 0 {
			return
		}
		n, err := f.Read(p.buf)
		if n > 0 {
			printed(name, p.buf[:n])
			left -= n
		}
		if err != nil {
			return
		}
	}
}

func (p *pump) close() {
	for _, f := range []*os.File{p.messages, p.stdout, p.stderr} {
		f.Close()
	}
}
