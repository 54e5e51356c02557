// Package history keeps the cells that people have run in a file, which terminal and
// kernel share.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// most is how many cells are taken from the history file.
const most = 10_000

// record is one line of the history file.
type record struct {
	Cell string `json:"cell"`
}

// File returns where the history is kept:
// vlab/history.jsonl in $XDG_STATE_HOME, which is ~/.local/state when unset.
func File() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "vlab", "history.jsonl"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the history's folder: %w", err)
	}
	return filepath.Join(home, ".local", "state", "vlab", "history.jsonl"), nil
}

// Read returns the cells of the history file at path, oldest first; none
// when there is no file. Lines that are not records, such as one cut off by a
// full disk, are passed over.
func Read(path string) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	defer f.Close()
	var cells []string
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		var rec record
		if json.Unmarshal(line, &rec) == nil && rec.Cell != "" {
			cells = append(cells, rec.Cell)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read history %s: %w", path, err)
		}
	}
	return cells[max(0, len(cells)-most):], nil
}

// Append adds a cell to the history file at path. It is one write at the
// file's end, so that processes that share the file do not mix their lines.
func Append(path, cell string) error {
	line, err := json.Marshal(record{Cell: cell})
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write history %s: %w", path, err)
	}
	return nil
}
