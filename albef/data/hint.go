package data

import "fmt"

// hintError is an error that also says what a person can do about it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Hint is one sentence of advice, for a line of its own.
func (e *hintError) Hint() string { return e.hint }

// hinted builds an error like fmt.Errorf and attaches hint to it.
func hinted(hint, format string, args ...any) error {
	return &hintError{err: fmt.Errorf(format, args...), hint: hint}
}
