package host

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// Open returns a model, or an error with a hint when the name is "missing".
func Open(name string) (*Model, error) {
	if name == "missing" {
		return nil, noModel{}
	}
	return New(name, 2), nil
}

// noModel is an error that carries a hint.
type noModel struct{}

func (noModel) Error() string { return "open model missing: no such model" }
func (noModel) Hint() string  { return "try demo" }

// Retrieve stands for a method that takes a context and may fail.
func (m *Model) Retrieve(ctx context.Context, text string, k int) ([]string, error) {
	if k < 1 {
		return nil, errors.New("retrieve: k must be at least 1")
	}
	return []string{m.Name, text}[:min(k, 2)], ctx.Err()
}

// Wait works in steps, for d at most, and looks at ctx at each.
func Wait(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// WriteFD writes to a file descriptor past all of Go's writers, as native code
// does.
func WriteFD(fd int, text string) error {
	_, err := syscall.Write(fd, []byte(text))
	return err
}
