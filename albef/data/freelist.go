package data

import "sync"

// freeList keeps values between uses. Unlike sync.Pool it never drops one, so
// that a steady state allocates nothing; it grows to as many values as were in
// use at once.
type freeList[T any] struct {
	mu   sync.Mutex
	free []*T
}

// take returns a kept value, or nil.
func (l *freeList[T]) take() *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free)
	if n == 0 {
		return nil
	}
	v := l.free[n-1]
	l.free = l.free[:n-1]
	return v
}

func (l *freeList[T]) put(v *T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, v)
}
