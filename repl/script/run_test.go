package script_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vlab/repl/script"
	"vlab/repl/session"

	"github.com/google/go-cmp/cmp"
)

// write puts text into a file of a fresh folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a file with captured output.
func run(t *testing.T, file string, s script.Session, o script.Options) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	o.Stdout, o.Stderr = &out, &errs
	err = script.Run(t.Context(), file, s, o)
	return out.String(), errs.String(), err
}

// notebook returns a notebook of code cells with a markdown cell in front.
func notebook(t *testing.T, cells ...any) string {
	t.Helper()
	list := []any{map[string]any{"cell_type": "markdown", "metadata": map[string]any{}, "source": "# not run", "id": "m"}}
	for _, source := range cells {
		list = append(list, map[string]any{
			"cell_type": "code", "metadata": map[string]any{}, "source": source, "execution_count": 99,
			"outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": "stale"}},
		})
	}
	data, err := json.Marshal(map[string]any{
		"nbformat": 4, "nbformat_minor": 5, "cells": list,
		"metadata": map[string]any{"kernelspec": map[string]any{"language": "go"}, "own": 1.50},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestScriptCells(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"one without separator", "a", []string{"a"}},
		{"separators and titles", "// %%\na\n// %% second part\nb\nc\n", []string{"a", "b\nc\n"}},
		{"comments in front are no cell", "// Licence.\n\n// %%\na", []string{"a"}},
		{"code in front is a cell", "a\n// %%\nb", []string{"a\n", "b"}},
		{"blank cells are left out", "// %%\n\n// %%\na\n// %%\n", []string{"a"}},
		{"carriage returns", "// %%\r\na\r\n// %% t\r\nb", []string{"a", "b"}},
		{"not a separator", "// %%x\na", []string{"// %%x\na"}},
		{"within a line", "a // %%\nb", []string{"a // %%\nb"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake()
			var want []string
			for _, c := range tt.want {
				want = append(want, strings.TrimRight(c, "\n"))
			}
			for _, c := range tt.want {
				f.on(c, func(session.Output) {})
				f.on(strings.TrimRight(c, "\n"), func(session.Output) {})
			}
			if _, _, err := run(t, write(t, "s.go", tt.text), f, script.Options{}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range f.ran {
				got = append(got, strings.TrimRight(c, "\n"))
			}
			if !slices.Equal(got, want) {
				t.Errorf("cells of %q: got %q, want %q", tt.text, got, want)
			}
		})
	}
}

func TestOutputGoesWhereItBelongs(t *testing.T) {
	f := newFake()
	f.on("a", func(out session.Output) {
		out.Stream("stdout", "one\ntwo")
		out.Stream("stderr", "warned\n")
		out.Display(session.Display{Data: map[string]any{"text/plain": "shown"}})
		out.Stream("stdout", "unfinished")
	})
	f.gives("b", map[string]any{"text/plain": "42"})
	f.gives("c", map[string]any{"text/html": "<b>x</b>"})
	stdout, stderr, err := run(t, write(t, "s.go", "// %%\na\n// %%\nb\n// %%\nc"), trimmed{f}, script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "one\ntwo\nshown\nunfinished\n42\n(text/html)\n"; stdout != want {
		t.Errorf("stdout: got %q, want %q", stdout, want)
	}
	if stderr != "warned\n" {
		t.Errorf("stderr: got %q, want %q", stderr, "warned\n")
	}
}

// trimmed drops the newline at a cell's end, so that tests can name cells by their text.
type trimmed struct{ *fake }

func (s trimmed) Eval(ctx context.Context, cell string, out session.Output) (session.Result, error) {
	return s.fake.Eval(ctx, strings.TrimRight(cell, "\n"), out)
}

func TestFirstErrorEndsTheRun(t *testing.T) {
	cellErr := &session.CellError{Name: "error", Value: "no such file", Line: 2, Col: 3, Traceback: []string{"  2 | x()", "    | ^"}}
	for _, tt := range []struct{ file, text, want string }{
		{"s.go", "// %%\na\n// %% open it\nb\nx()\n// %%\nc", "cell 2, line 2 (line 5 of the file): error: no such file"},
		{"s.ipynb", notebook(t, "a", []string{"b\n", "x()"}, "c"), "cell 2, line 2: error: no such file"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			f := newFake()
			f.on("a", printing("first\n"))
			f.fails("b\nx()", cellErr)
			f.on("c", printing("never\n"))
			file := write(t, tt.file, tt.text)
			stdout, stderr, err := run(t, file, trimmed{f}, script.Options{})
			if want := "run " + file + ": " + tt.want; err == nil || err.Error() != want {
				t.Errorf("error: got %q, want %q", err, want)
			}
			if !errors.Is(err, error(cellErr)) {
				t.Errorf("the cell's error is not in %v", err)
			}
			if stdout != "first\n" {
				t.Errorf("stdout: got %q, want only the first cell's", stdout)
			}
			if !strings.Contains(stderr, "no such file\n  2 | x()\n    | ^\n") {
				t.Errorf("stderr has no traceback: %q", stderr)
			}
		})
	}
}

func TestTimeoutInterruptsTheCell(t *testing.T) {
	f := newFake()
	f.hangs("a", func() {})
	begun := time.Now()
	_, _, err := run(t, write(t, "s.go", "a"), f, script.Options{Timeout: 30 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cell 1: stopped after its 30ms") {
		t.Errorf("got %v, want the deadline of cell 1", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the cell was not interrupted: it took %v", took)
	}
}

func TestEndOfContextInterruptsTheCell(t *testing.T) {
	for _, ends := range []string{"with an error", "well"} {
		t.Run(ends, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := newFake()
			f.hangs("a", cancel)
			if ends == "well" {
				f.cells["a"] = func(ctx context.Context, _ session.Output) (session.Result, error) {
					cancel()
					<-ctx.Done()
					return session.Result{}, nil
				}
			}
			f.on("b", printing("never"))
			var out bytes.Buffer
			err := script.Run(ctx, write(t, "s.go", "a\n// %%\nb"), f, script.Options{Stdout: &out, Stderr: &out})
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "cell 1: interrupted") {
				t.Errorf("got %v, want context.Canceled in cell 1", err)
			}
			if len(f.ran) != 1 {
				t.Errorf("cells run after the end: %q", f.ran[1:])
			}
		})
	}
}

func TestPicturesGoIntoFiles(t *testing.T) {
	f := newFake()
	png, jpeg := []byte("\x89PNG data"), []byte("\xff\xd8 data")
	f.on("a", func(out session.Output) {
		out.Display(session.Display{Data: map[string]any{"image/png": png, "text/plain": "two words"}})
		out.Display(session.Display{Data: map[string]any{"image/jpeg": base64.StdEncoding.EncodeToString(jpeg)}})
		out.Display(session.Display{ID: "live", Data: map[string]any{"image/png": []byte("old")}})
		out.Display(session.Display{ID: "live", Update: true, Data: map[string]any{"image/png": []byte("new")}})
	})
	f.gives("b", map[string]any{"image/svg+xml": "<svg/>", "application/pdf": []byte("%PDF")})
	dir := filepath.Join(t.TempDir(), "made", "anew")
	stdout, _, err := run(t, write(t, "s.go", "a\n// %%\nb"), f, script.Options{Out: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"cell01-1.png": string(png), "cell01-2.jpg": string(jpeg), "cell01-3.png": "new",
		"cell02-1.svg": "<svg/>", "cell02-2.pdf": "%PDF",
	}
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(data)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	lines := []string{"two words"}
	for _, name := range []string{"cell01-1.png", "cell01-2.jpg", "cell01-3.png", "cell02-1.svg", "cell02-2.pdf"} {
		lines = append(lines, filepath.Join(dir, name))
	}
	if want := strings.Join(lines, "\n") + "\n"; stdout != want {
		t.Errorf("stdout: got %q, want %q", stdout, want)
	}
}

func TestUpdatesArePrintedOnceAtTheEnd(t *testing.T) {
	f := newFake()
	f.on("a", func(out session.Output) {
		out.Display(session.Display{ID: "bar", Data: map[string]any{"text/plain": "0 %"}})
		for _, state := range []string{"50 %", "99 %", "100 %"} {
			out.Display(session.Display{ID: "bar", Update: true, Data: map[string]any{"text/plain": state}})
		}
	})
	stdout, _, err := run(t, write(t, "s.go", "a"), f, script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if stdout != "0 %\n100 %\n" {
		t.Errorf("got %q, want the first and the last state", stdout)
	}
}

func TestInputIsRefused(t *testing.T) {
	f := newFake()
	var got error
	f.on("a", func(out session.Output) { _, got = out.Input("name? ", false) })
	if _, _, err := run(t, write(t, "s.go", "a"), f, script.Options{}); err != nil {
		t.Fatal(err)
	}
	if got == nil {
		t.Error("a cell that asks got an answer with nobody there")
	}
}

func TestFileThatCannotBeRun(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"other kind", "s.py", "", "cannot be run"},
		{"no JSON", "s.ipynb", "{", "read the notebook's JSON"},
		{"two values", "s.ipynb", notebook(t) + "{}", "something follows its end"},
		{"old format", "s.ipynb", `{"nbformat": 3, "worksheets": []}`, "nbformat 3 is not known"},
		{"other language", "s.ipynb", `{"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": []}`, "for python"},
		{"no cells", "s.ipynb", `{"nbformat": 4}`, "no list of cells"},
		{"odd cell", "s.ipynb", `{"nbformat": 4, "cells": [1]}`, "entry 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, tt.file, tt.text)
			_, _, err := run(t, file, newFake(), script.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "run "+file+": ") {
				t.Errorf("got %v, want an error with %q that names the file", err, tt.want)
			}
		})
	}
	if _, _, err := run(t, filepath.Join(t.TempDir(), "none.go"), newFake(), script.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
}
