package repl

import "strings"

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
