package script

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// notebook is a Jupyter notebook of format 4, kept as it was read so that what
// is not known here survives a round trip.
type notebook struct {
	top   map[string]any
	cells []map[string]any
}

// parseNotebook reads a notebook. It refuses other formats than 4 and other
// languages than Go.
func parseNotebook(data []byte) (*notebook, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // numbers go back as they were written
	nb := &notebook{}
	if err := d.Decode(&nb.top); err != nil {
		return nil, fmt.Errorf("read the notebook's JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("read the notebook's JSON: something follows its end")
	}
	if format := fmt.Sprint(nb.top["nbformat"]); format != "4" {
		return nil, hinted{fmt.Errorf("nbformat %s is not known here", format), "jupyter nbconvert --to notebook --nbformat 4 makes one of format 4"}
	}
	if lang := nb.language(); lang != "" && !strings.EqualFold(lang, "go") {
		return nil, fmt.Errorf("the notebook is for %s, not for Go", lang)
	}
	list, ok := nb.top["cells"].([]any)
	if !ok {
		return nil, errors.New("the notebook has no list of cells")
	}
	for i, c := range list {
		fields, ok := c.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("entry %d of the notebook's cells is not a cell", i+1)
		}
		nb.cells = append(nb.cells, fields)
	}
	return nb, nil
}

// language returns what the notebook's metadata says it is written in, or "".
func (nb *notebook) language() string {
	meta, _ := nb.top["metadata"].(map[string]any)
	for _, at := range [][2]string{{"language_info", "name"}, {"kernelspec", "language"}} {
		part, _ := meta[at[0]].(map[string]any)
		if name, ok := part[at[1]].(string); ok && name != "" {
			return name
		}
	}
	return ""
}

// codeCells returns the cells to run, in order.
func (nb *notebook) codeCells() []cell {
	code := nb.code()
	cells := make([]cell, 0, len(code))
	for i, c := range code {
		cells = append(cells, cell{number: i + 1, code: joinLines(c["source"])})
	}
	return cells
}

// code returns the code cells' fields, in order.
func (nb *notebook) code() []map[string]any {
	var code []map[string]any
	for _, c := range nb.cells {
		if c["cell_type"] == "code" {
			code = append(code, c)
		}
	}
	return code
}

// begin empties the outputs of every code cell, so that none is left from an
// earlier run.
func (nb *notebook) begin() {
	for _, c := range nb.code() {
		c["outputs"], c["execution_count"] = []any{}, nil
	}
}

// write saves the notebook at path, under its final name only when it is whole.
func (nb *notebook) write(path string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ") // as Jupyter writes it
	if err := e.Encode(nb.top); err != nil {
		return fmt.Errorf("write notebook %s: %w", path, err)
	}
	if err := replaceFile(path, b.Bytes()); err != nil {
		return fmt.Errorf("write notebook: %w", err)
	}
	return nil
}

// replaceFile puts data at path; a fault on the way leaves what was there.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// joinLines returns a text that notebooks keep as one string or as a list of lines.
func joinLines(source any) string {
	switch v := source.(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, line := range v {
			text, _ := line.(string)
			b.WriteString(text)
		}
		return b.String()
	}
	return ""
}

// splitLines returns a text as notebooks keep it, a list of lines with their ends.
func splitLines(text string) []any {
	lines := []any{}
	for line := range strings.Lines(text) {
		lines = append(lines, line)
	}
	return lines
}

// bundle returns the forms of a value as notebooks keep them: text as lines,
// binary as base64, JSON as it is.
func bundle(data map[string]any) map[string]any {
	out := make(map[string]any, len(data))
	for mime, value := range data {
		switch v := value.(type) {
		case []byte:
			if isText(mime) {
				out[mime] = splitLines(string(v))
			} else {
				out[mime] = base64.StdEncoding.EncodeToString(v)
			}
		case string:
			switch {
			case isJSON(mime) && json.Valid([]byte(v)):
				out[mime] = json.RawMessage(v)
			case isText(mime):
				out[mime] = splitLines(v)
			default:
				out[mime] = v // base64 already
			}
		default:
			out[mime] = v
		}
	}
	return out
}

func isJSON(mime string) bool {
	return mime == "application/json" || strings.HasSuffix(mime, "+json")
}

func isText(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" || mime == "application/javascript"
}
