package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// hintError is an error with one sentence on what a person can do about it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }

// Unwrap returns the error without the hint.
func (e *hintError) Unwrap() error { return e.err }

// Hint returns what to do, one sentence without a full stop.
func (e *hintError) Hint() string { return e.hint }

// withHint adds a hint to an error that has none yet.
func withHint(err error, hint string) error {
	var h interface{ Hint() string }
	if err == nil || hint == "" || errors.As(err, &h) {
		return err
	}
	return &hintError{err, hint}
}

// hintf makes an error with a hint.
func hintf(hint, format string, args ...any) error {
	return &hintError{fmt.Errorf(format, args...), hint}
}

// Hints that several errors share.
const (
	hintDamaged = "the file is damaged or cut short: copy or download it again"
	hintHostile = "the file is damaged or was made to do harm: do not load it elsewhere either"
	hintResave  = "load the file in Python where you trust it, and save its state dict alone with torch.save"
)

// systemHint says what to do about an error of the operating system.
func systemHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "there is no space left for it: free some, or name another folder"
	case errors.Is(err, syscall.EFBIG):
		return "the file is larger than the file system or the limit of the shell (ulimit -f) allows"
	case errors.Is(err, fs.ErrNotExist):
		return "check the path: there is no such file or folder"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "check the permissions of the file and its folder"
	case errors.Is(err, syscall.EISDIR):
		return "name a file, not a folder"
	}
	return ""
}
