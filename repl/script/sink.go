package script

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"vlab/repl/session"
)

// updateEvery is how often a display that is updated is printed again. A bar
// that moves ten times a second would drown everything else in a log.
const updateEvery = 10 * time.Second

// errNoInput is what a cell gets that asks for input.
var errNoInput = errors.New("nobody is there to answer: the cell runs headless")

// sink is the [session.Output] of one cell. It prints, writes pictures, and
// records what an executed notebook keeps.
type sink struct {
	runner *runner
	cell   cell
	record *outputs

	shown map[string]*updated // displays with an ID
	err   error               // the first fault in writing
	broke bool                // the last text on stdout ended within a line
	drawn int                 // pictures of this cell so far
}

// updated is a display with an ID as it was last printed and as it is now.
type updated struct {
	printed string
	latest  string
	at      time.Time
}

var _ session.Output = (*sink)(nil)

func newSink(r *runner, c cell) *sink {
	s := &sink{runner: r, cell: c, shown: map[string]*updated{}}
	if r.notebook != nil {
		s.record = &outputs{cell: r.notebook.code()[c.number-1]}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.outputs = append(r.outputs, s.record)
	}
	return s
}

// Stream implements [session.Output].
func (s *sink) Stream(name, text string) {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	if name == "stderr" {
		s.write(s.runner.options.Stderr, text)
	} else {
		s.print(text)
	}
	s.record.stream(name, text)
}

// Display implements [session.Output].
func (s *sink) Display(d session.Display) {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	s.show(d)
	if d.Update {
		for _, o := range s.runner.outputs {
			o.update(d)
		}
		return
	}
	s.record.add(d.ID, map[string]any{
		"output_type": "display_data", "data": bundle(d.Data), "metadata": metadata(d.Metadata),
	})
}

// ClearOutput implements [session.Output]. What is printed stays; an executed
// notebook forgets it.
func (s *sink) ClearOutput(wait bool) {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	s.record.clear(wait)
}

// Input implements [session.Output]; there is nobody to ask.
func (s *sink) Input(string, bool) (string, error) { return "", errNoInput }

// show prints a display and writes its picture.
func (s *sink) show(d session.Display) {
	text := s.forms(d.Data, d.ID)
	if d.ID == "" {
		s.printLine(text)
		return
	}
	now := time.Now()
	u := s.shown[d.ID]
	if u == nil {
		u = &updated{}
		s.shown[d.ID] = u
	}
	u.latest = text
	if !d.Update || now.Sub(u.at) >= updateEvery {
		u.printed, u.at = text, now
		s.printLine(text)
	}
}

// forms writes the pictures among the forms of a value and returns what to
// print: their paths and the value's text.
func (s *sink) forms(data map[string]any, id string) string {
	var lines []string
	if text, ok := textOf(data); ok {
		lines = append(lines, text)
	}
	for _, p := range picturesOf(data) {
		path, err := s.runner.files.write(s.cell.number, &s.drawn, id, p)
		if err != nil {
			s.keep(err)
			continue
		}
		lines = append(lines, path)
	}
	if len(lines) == 0 && len(data) > 0 {
		lines = append(lines, "("+strings.Join(slices.Sorted(maps.Keys(data)), ", ")+")")
	}
	return strings.Join(lines, "\n")
}

// result prints the cell's value.
func (s *sink) result(res session.Result) {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	if res.Count > 0 {
		s.record.count(res.Count)
	}
	if len(res.Data) == 0 {
		return
	}
	s.printLine(s.forms(res.Data, ""))
	s.record.add("", map[string]any{
		"output_type": "execute_result", "execution_count": s.cellCount(res.Count),
		"data": bundle(res.Data), "metadata": metadata(res.Metadata),
	})
}

// cellCount returns the number that a notebook shows for the cell.
func (s *sink) cellCount(count int) int {
	if count > 0 {
		return count
	}
	return s.cell.number
}

// fail prints the error that the cell ended with.
func (s *sink) fail(err error, count int) {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	var cellErr *session.CellError
	if !errors.As(err, &cellErr) {
		cellErr = &session.CellError{Name: "error", Value: err.Error()}
	}
	title := s.cell.title
	if title != "" {
		title = " (" + title + ")"
	}
	lines := append([]string{fmt.Sprintf("cell %d%s: %s: %s", s.cell.number, title, cellErr.Name, cellErr.Value)}, cellErr.Traceback...)
	if cellErr.Restarted && len(cellErr.Lost) > 0 {
		lines = append(lines, "lost: "+strings.Join(cellErr.Lost, ", "))
	}
	s.write(s.runner.options.Stderr, strings.Join(lines, "\n")+"\n")
	s.record.count(s.cellCount(count))
	traceback := make([]any, 0, len(cellErr.Traceback)+1)
	traceback = append(traceback, cellErr.Name+": "+cellErr.Value)
	for _, line := range cellErr.Traceback {
		traceback = append(traceback, line)
	}
	s.record.add("", map[string]any{
		"output_type": "error", "ename": cellErr.Name, "evalue": cellErr.Value, "traceback": traceback,
	})
}

// finish prints how updated displays stand at the cell's end, and ends the line.
func (s *sink) finish() {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.shown)) {
		if u := s.shown[id]; u.latest != u.printed {
			s.printLine(u.latest)
		}
	}
	if s.broke {
		s.print("\n")
	}
}

// fault returns the first error in writing what the cell showed.
func (s *sink) fault() error {
	s.runner.mu.Lock()
	defer s.runner.mu.Unlock()
	return s.err
}

// printLine prints text on lines of its own.
func (s *sink) printLine(text string) {
	if text == "" {
		return
	}
	if s.broke {
		text = "\n" + text
	}
	s.print(strings.TrimRight(text, "\n") + "\n")
}

// print writes text to standard output.
func (s *sink) print(text string) {
	s.write(s.runner.options.Stdout, text)
	s.broke = text != "" && !strings.HasSuffix(text, "\n")
}

func (s *sink) write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		s.keep(fmt.Errorf("write output: %w", err))
	}
}

// keep remembers the first fault.
func (s *sink) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

// textOf returns the form of a value that reads best in a log.
func textOf(data map[string]any) (string, bool) {
	for _, mime := range []string{"text/plain", "text/markdown", "text/latex", "application/json"} {
		switch v := data[mime].(type) {
		case string:
			return strings.TrimRight(v, "\n"), true
		case []byte:
			return strings.TrimRight(string(v), "\n"), true
		}
	}
	return "", false
}
