package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// separator begins a cell of a .go script; what follows it on its line is a title.
const separator = "// %%"

// cell is one cell of a file.
type cell struct {
	number int    // from 1; in a notebook only code cells count
	title  string // what stands behind the separator of a .go script
	code   string
	line   int // the file's line of the code's first line, from 1; 0 in a notebook
}

// readCells reads the cells of a file, and the notebook that they are from if
// it is one.
func readCells(file string) ([]cell, *notebook, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	switch ext := filepath.Ext(file); ext {
	case ".go":
		return splitScript(string(data)), nil, nil
	case ".ipynb":
		nb, err := parseNotebook(data)
		if err != nil {
			return nil, nil, err
		}
		return nb.codeCells(), nb, nil
	default:
		return nil, nil, hinted{fmt.Errorf("a file that ends in %q cannot be run", ext), "vlab run takes a .go script of cells or an .ipynb"}
	}
}

// splitScript cuts a .go script at its separators. What stands before the first
// one is a cell too, unless it is blank or only comments, such as a licence.
func splitScript(text string) []cell {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var cells []cell
	var code []string
	title, start := "", 1
	flush := func() {
		joined := strings.Join(code, "\n")
		if !isSilent(joined) {
			cells = append(cells, cell{number: len(cells) + 1, title: title, code: joined, line: start})
		}
		code = code[:0]
	}
	for i, line := range strings.Split(text, "\n") {
		rest, ok := strings.CutPrefix(line, separator)
		if ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
			flush()
			title, start = strings.TrimSpace(rest), i+2
			continue
		}
		code = append(code, line)
	}
	flush()
	return cells
}

// isSilent reports whether a cell has nothing to run: it is blank or only line comments.
func isSilent(code string) bool {
	for line := range strings.Lines(code) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "//") {
			return false
		}
	}
	return true
}

// hinted is an error with a sentence on what to do about it.
type hinted struct {
	error
	hint string
}

// Hint returns what to do about the error.
func (h hinted) Hint() string { return h.hint }

// Unwrap returns the error without the hint.
func (h hinted) Unwrap() error { return h.error }
