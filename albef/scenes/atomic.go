package scenes

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// fileError is a failure to write one file of a corpus. The file under its own name is whole or absent.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string { return fmt.Sprintf("write %s: %v", e.path, e.err) }

func (e *fileError) Unwrap() error { return e.err }

// Hint says what a person can do about it, or nothing.
func (e *fileError) Hint() string {
	switch {
	case errors.Is(e.err, syscall.ENOSPC), errors.Is(e.err, syscall.EDQUOT):
		return "free some space or write to another folder; the unfinished file was removed, the finished ones are whole"
	case errors.Is(e.err, os.ErrPermission):
		return "choose a folder that you may write to"
	}
	return ""
}

// writeFile writes a file under a temporary name beside its own and renames it when it is complete; after an error
// the temporary file is gone. The error names path.
func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.tmp")
	if err != nil {
		return &fileError{path, cause(err)}
	}
	defer func() {
		if err != nil {
			_ = file.Close() // closed already where Close is what failed
			_ = os.Remove(file.Name())
			err = &fileError{path, cause(err)}
		}
	}()
	buffered := bufio.NewWriter(file)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// cause drops the temporary file's name from an error, which would only hide the file that matters.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err
	}
	if linkErr, ok := errors.AsType[*os.LinkError](err); ok {
		return linkErr.Err
	}
	return err
}
