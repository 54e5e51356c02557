package weights

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// writeFile writes path through a temporary file in the same folder, which takes
// the final name only when all bytes are on the disk. After an error nothing is
// left behind, and an older file of that name is untouched. A symbolic link is
// followed.
func writeFile(path string, write func(io.Writer) error) error {
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved
	}
	if err := replaceFile(target, write); err != nil {
		return withHint(fmt.Errorf("write %s: %w", path, pathless(err)), systemHint(err))
	}
	return nil
}

func replaceFile(target string, write func(io.Writer) error) error {
	old, err := os.Stat(target)
	if err == nil && !old.Mode().IsRegular() {
		return hintf("name a file, not a folder or a device", "is there already and not a regular file")
	}
	f, err := createBeside(target)
	if err != nil {
		return err
	}
	err = fillFile(f, write)
	if err == nil && old != nil {
		err = os.Chmod(f.Name(), old.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		if removeErr := os.Remove(f.Name()); removeErr != nil {
			return errors.Join(err, removeErr)
		}
		return err
	}
	return syncDir(filepath.Dir(target))
}

// createBeside creates the temporary file, hidden and with the permissions of any
// new file.
func createBeside(target string) (*os.File, error) {
	dir, base := filepath.Split(target)
	for {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x.tmp", base, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return f, err
	}
}

// fillFile writes, syncs and closes f.
func fillFile(f *os.File, write func(io.Writer) error) (err error) {
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes a rename last through a power cut, where the file system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
