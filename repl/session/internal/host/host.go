// Package host stands in tests for a compiled package that cells import.
package host

import (
	"errors"
	"fmt"
	"iter"
)

// Model is a type whose fields are in part unexported.
type Model struct {
	Name   string
	Dim    int
	scale  int
	hidden int //nolint:unused // a cell's inspection shows it
}

// Option changes a new model.
type Option func(*Model)

// WithScale multiplies what the model returns.
func WithScale(n int) Option { return func(m *Model) { m.scale = n } }

// New makes a model.
func New(name string, dim int, opts ...Option) *Model {
	m := &Model{Name: name, Dim: dim, scale: 1}
	for _, o := range opts {
		o(m)
	}
	return m
}

// Embed returns Dim numbers.
func (m *Model) Embed(s string) []float32 {
	v := make([]float32, m.Dim)
	for i := range v {
		v[i] = float32(len(s) * m.scale)
	}
	return v
}

func (m *Model) String() string { return "Model(" + m.Name + ")" }

// Apply calls a function of the cell's.
func Apply(xs []int, f func(int) int) []int {
	r := make([]int, len(xs))
	for i, x := range xs {
		r[i] = f(x)
	}
	return r
}

// Hooks are functions of the cell's.
type Hooks struct{ OnStep func(int) }

// Train calls a hook n times.
func Train(h Hooks, n int) {
	for i := 0; i < n; i++ {
		h.OnStep(i)
	}
}

// Scorer is for a type of the cell's.
type Scorer interface{ Score(string) float64 }

// Rank calls a method of the cell's.
func Rank(s Scorer, t string) float64 { return s.Score(t) }

// Namer is what a Scorer may also be.
type Namer interface{ Name() string }

// OptName asks whether s is more than its type says.
func OptName(s Scorer) string {
	if n, ok := s.(Namer); ok {
		return n.Name()
	}
	return "none"
}

// Base is for a cell's type to embed.
type Base struct {
	k int //nolint:unused // as in hidden
}

// Unit is a method that embedding passes on.
func (b Base) Unit() float64 { return 1 }

// Describe calls a method of another package's interface.
func Describe(s fmt.Stringer) string { return s.String() }

// DescribeAny prints a value whose type it does not know.
func DescribeAny(v any) string { return fmt.Sprint(v) }

// MapT is generic.
func MapT[T, U any](xs []T, f func(T) U) []U {
	r := make([]U, len(xs))
	for i, x := range xs {
		r[i] = f(x)
	}
	return r
}

// FailErr is an error with a field.
type FailErr struct{ N int }

// ErrBase is what every FailErr wraps.
var ErrBase = errors.New("base")

func (e *FailErr) Error() string { return fmt.Sprint("fail ", e.N) }
func (e *FailErr) Unwrap() error { return ErrBase }

// Fail returns a FailErr in a wrapping.
func Fail(n int) error { return fmt.Errorf("host: %w", &FailErr{n}) }

// Stream sends n numbers and closes.
func Stream(n int) <-chan int {
	c := make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			c <- i
		}
		close(c)
	}()
	return c
}

// Seq yields n numbers.
func Seq(n int) iter.Seq[int] {
	return func(y func(int) bool) {
		for i := 0; i < n; i++ {
			if !y(i) {
				return
			}
		}
	}
}

// Add is the plainest function.
func Add(a, b int) int { return a + b }
