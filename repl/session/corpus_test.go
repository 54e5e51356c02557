package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"vlab/repl/session"
)

// cellsFloor is the number of cases of the project's own corpus that were right
// when this was last measured; fewer is a step back.
const cellsFloor = 146

// corpusResult is what TestMain prints when all tests have run: scripts read it off
// the last line.
var corpusResult string //nolint:gochecknoglobals // the way from the test to TestMain

// corpusCase is one file of the corpus.
type corpusCase struct {
	id    string
	cells []corpusCell
}

// corpusCell is a cell and what it must give.
type corpusCell struct {
	source, kind, want string
	line               int
	interrupt          time.Duration
}

func TestCells(t *testing.T) {
	dir, own := os.Getenv("VLAB_CELLS"), false
	if dir == "" {
		dir, own = filepath.Join("testdata", "cells"), true
	}
	files, err := filepath.Glob(filepath.Join(dir, "[0-9]*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	right := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c := parseCase(string(b))
		t.Run(c.id, func(t *testing.T) {
			if why := runCase(t, c); why != "" {
				t.Logf("not right: %s", why)
				return
			}
			right++
		})
	}
	if own && right < cellsFloor {
		t.Errorf("%d cases right, want at least %d", right, cellsFloor)
	}
	corpusResult = fmt.Sprintf("cells: %d of %d right", right, len(files))
}

// TestMoreCells runs the cases of testdata/more.txt, which are in the corpus's form, one
// behind the other. What they want was printed by compiled Go; all must be right.
func TestMoreCells(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts some hundred sessions")
	}
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "more.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split("\n"+string(b), "\nid: ")[1:] {
		c := parseCase("id: " + text + "\n")
		t.Run(c.id, func(t *testing.T) {
			if why := runCase(t, c); why != "" {
				t.Error(why)
			}
		})
	}
}

// parseCase reads a file of the corpus.
func parseCase(text string) corpusCase {
	var c corpusCase
	head := regexp.MustCompile(`(?m)^-- (cell|expect)\d+ --\n`)
	marks := head.FindAllStringSubmatchIndex(text, -1)
	c.id = strings.TrimSpace(strings.TrimPrefix(text[:marks[0][0]], "id:"))
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		body := strings.TrimSuffix(text[m[1]:end], "\n")
		if text[m[2]:m[3]] == "cell" {
			c.cells = append(c.cells, corpusCell{source: body})
			continue
		}
		c.cells[len(c.cells)-1].expect(body)
	}
	return c
}

// expect reads what a cell must give.
func (c *corpusCell) expect(body string) {
	for i, line := range strings.Split(body, "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case i == 0:
			c.kind, c.want = key, value
		case key == "line":
			c.line, _ = strconv.Atoi(value)
		case key == "interrupt-after":
			c.interrupt, _ = time.ParseDuration(value)
		}
	}
}

// runCase returns why a case is not right, "" when it is.
func runCase(t *testing.T, c corpusCase) string {
	s := start(t)
	for i, cell := range c.cells {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		rec := newRecord()
		if cell.interrupt > 0 {
			timer := time.AfterFunc(cell.interrupt, s.Interrupt)
			defer timer.Stop()
		}
		r, err := s.Eval(ctx, cell.source, rec)
		cancel()
		if why := cell.judge(r, rec, err, i == len(c.cells)-1); why != "" {
			return fmt.Sprintf("cell %d: %s", i+1, why)
		}
	}
	return ""
}

// judge returns what is wrong with the outcome of a cell.
func (c corpusCell) judge(r session.Result, rec *record, err error, last bool) string {
	var ce *session.CellError
	if err != nil && !errors.As(err, &ce) {
		return "the session itself failed: " + err.Error()
	}
	switch c.kind {
	case "any", "tolerate":
		return ""
	case "err":
		return c.judgeError(ce)
	}
	switch {
	case err != nil:
		return err.Error() + "\n" + strings.Join(ce.Traceback, "\n")
	case c.kind == "none" && r.Data != nil:
		return "a value where none is wanted: " + text(r)
	case c.kind == "val" && last && !matches(c.want, text(r)):
		return fmt.Sprintf("value %q, want %q", text(r), c.want)
	case c.kind == "out" && last && !matches(c.want, strings.TrimSpace(rec.out())):
		return fmt.Sprintf("output %q, want %q", strings.TrimSpace(rec.out()), c.want)
	}
	return ""
}

// internals are words that no user's error may have.
var internals = regexp.MustCompile(`(?i)reflect|yaegi|interp\.|vlabRT|vlabAt|\bnode\b|CFG`)

func (c corpusCell) judgeError(ce *session.CellError) string {
	if ce == nil {
		return "no error, want " + c.want
	}
	all := ce.Error() + "\n" + strings.Join(ce.Traceback, "\n")
	switch {
	case !regexp.MustCompile("(?i)" + c.want).MatchString(all):
		return fmt.Sprintf("error %q, want %q", all, c.want)
	case internals.MatchString(all):
		return fmt.Sprintf("error %q speaks of internals", all)
	case c.line > 0 && ce.Line != c.line:
		return fmt.Sprintf("error %q at line %d, want line %d", all, ce.Line, c.line)
	}
	return ""
}

// matches compares a text with a want of the corpus: equal, equal to one of its
// parts, or matched by it as a whole.
func matches(want, got string) bool {
	want = strings.ReplaceAll(want, `\n`, "\n")
	if got == want {
		return true
	}
	for part := range strings.SplitSeq(want, "|") {
		if got == part {
			return true
		}
	}
	re, err := regexp.Compile("^(?s:" + want + ")$")
	return err == nil && re.MatchString(got)
}
