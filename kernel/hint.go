package kernel

// hintError is an error with a sentence on what to do about it.
type hintError struct {
	error
	hint string
}

func hinted(err error, hint string) error { return hintError{err, hint} }

// Hint is one sentence on what to do.
func (e hintError) Hint() string { return e.hint }

func (e hintError) Unwrap() error { return e.error }
