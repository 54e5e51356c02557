package repl

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxHistory is how many cells are taken from the history file.
const maxHistory = 10_000

// record is one line of the history file.
type record struct {
	Cell string `json:"cell"`
}

// HistoryFile returns where the terminal's history is kept:
// vlab/history.jsonl in $XDG_STATE_HOME, which is ~/.local/state when unset.
func HistoryFile() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "vlab", "history.jsonl"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the history's folder: %w", err)
	}
	return filepath.Join(home, ".local", "state", "vlab", "history.jsonl"), nil
}

// readHistory returns the cells of the history file at path, oldest first; none
// when there is no file. Lines that are not records, such as one cut off by a
// full disk, are passed over.
func readHistory(path string) ([]string, error) {
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
	return cells[max(0, len(cells)-maxHistory):], nil
}

// appendHistory adds a cell to the history file at path. It is one write at the
// file's end, so that terminals that share the file do not mix their lines.
func appendHistory(path, cell string) error {
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

// history is the walk through earlier cells. The zero history is empty.
type history struct {
	cells []string
	at    int    // the cell being shown; len(cells) is the draft
	draft string // what was typed before the walk began
}

// Load puts older cells before those there are.
func (h *history) Load(cells []string) {
	h.cells = append(cells, h.cells...)
	h.at += len(cells)
}

// Add puts a cell at the end, unless it repeats the last one, and ends the
// walk. It reports whether the cell was new.
func (h *history) Add(cell string) bool {
	fresh := len(h.cells) == 0 || h.cells[len(h.cells)-1] != cell
	if fresh {
		h.cells = append(h.cells, cell)
	}
	h.at, h.draft = len(h.cells), ""
	return fresh
}

// Back returns the nearest earlier cell that begins with what was typed before
// the walk. The input holds typed now; where the walk begins, that is the draft.
func (h *history) Back(typed string) (string, bool) {
	if h.at == len(h.cells) {
		h.draft = typed
	}
	for i := h.at - 1; i >= 0; i-- {
		if strings.HasPrefix(h.cells[i], h.draft) && h.cells[i] != typed {
			h.at = i
			return h.cells[i], true
		}
	}
	return "", false
}

// Forward returns the next later cell of the walk, at last what was typed
// before it.
func (h *history) Forward() (string, bool) {
	if h.at >= len(h.cells) {
		return "", false
	}
	for i := h.at + 1; i < len(h.cells); i++ {
		if strings.HasPrefix(h.cells[i], h.draft) {
			h.at = i
			return h.cells[i], true
		}
	}
	h.at = len(h.cells)
	return h.draft, true
}

// Stop ends the walk: what is in the input is a draft again.
func (h *history) Stop() { h.at = len(h.cells) }
