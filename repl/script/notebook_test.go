package script_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/repl/script"
	"vlab/repl/session"

	"github.com/google/go-cmp/cmp"
)

// executed runs a notebook and returns its executed copy.
func executed(t *testing.T, s script.Session, text string) (map[string]any, error) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "executed.ipynb")
	_, _, runErr := run(t, write(t, "s.ipynb", text), s, script.Options{Write: copied, Out: t.TempDir()})
	data, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	var nb map[string]any
	if err := json.Unmarshal(data, &nb); err != nil {
		t.Fatal(err)
	}
	return nb, runErr
}

// cellsOf returns the code cells of a notebook.
func cellsOf(nb map[string]any) []map[string]any {
	var code []map[string]any
	for _, c := range nb["cells"].([]any) {
		if c := c.(map[string]any); c["cell_type"] == "code" {
			code = append(code, c)
		}
	}
	return code
}

func TestExecutedCopyHasTheOutputs(t *testing.T) {
	f := newFake()
	f.cells["a"] = func(_ context.Context, out session.Output) (session.Result, error) {
		out.Stream("stdout", "one\n")
		out.Stream("stdout", "1 %\r2 %\r3 %\n")
		out.Stream("stderr", "warned")
		out.Display(session.Display{ID: "p", Data: map[string]any{"text/plain": "old"}})
		return session.Result{Data: map[string]any{"image/png": []byte("png"), "application/json": `{"k": [1]}`}}, nil
	}
	f.on("b", func(out session.Output) {
		out.Stream("stdout", "forgotten")
		out.ClearOutput(true)
		out.Stream("stdout", "kept")
		out.Display(session.Display{ID: "p", Update: true, Data: map[string]any{"text/plain": "new\nlines"}, Metadata: map[string]any{"w": 1.0}})
	})
	nb, err := executed(t, f, notebook(t, "a", "b", "  \n"))
	if err != nil {
		t.Fatal(err)
	}
	none := map[string]any{}
	want := [][]any{
		{
			map[string]any{"output_type": "stream", "name": "stdout", "text": []any{"one\n", "3 %\n"}},
			map[string]any{"output_type": "stream", "name": "stderr", "text": []any{"warned"}},
			map[string]any{"output_type": "display_data", "data": map[string]any{"text/plain": []any{"new\n", "lines"}}, "metadata": map[string]any{"w": 1.0}},
			map[string]any{
				"output_type": "execute_result", "execution_count": 1.0, "metadata": none,
				"data": map[string]any{"image/png": "cG5n", "application/json": map[string]any{"k": []any{1.0}}},
			},
		},
		{map[string]any{"output_type": "stream", "name": "stdout", "text": []any{"kept"}}},
		{},
	}
	counts := []any{1.0, 2.0, nil}
	for i, c := range cellsOf(nb) {
		if d := cmp.Diff(want[i], c["outputs"]); d != "" {
			t.Errorf("outputs of cell %d (-want +got):\n%s", i+1, d)
		}
		if c["execution_count"] != counts[i] {
			t.Errorf("count of cell %d: got %v, want %v", i+1, c["execution_count"], counts[i])
		}
	}
	if own := nb["metadata"].(map[string]any)["own"]; own != 1.5 {
		t.Errorf("metadata that is not known here: got %v, want 1.5", own)
	}
}

func TestExecutedCopyHasTheError(t *testing.T) {
	f := newFake()
	f.on("a", printing("x"))
	f.fails("b", &session.CellError{Name: "panic", Value: "boom", Line: 1, Traceback: []string{"1 | b"}})
	nb, err := executed(t, f, notebook(t, "a", "b", "c"))
	if err == nil {
		t.Error("the run went on after the error")
	}
	code := cellsOf(nb)
	want := []any{map[string]any{"output_type": "error", "ename": "panic", "evalue": "boom", "traceback": []any{"panic: boom", "1 | b"}}}
	if d := cmp.Diff(want, code[1]["outputs"]); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]any{}, code[2]["outputs"]); d != "" {
		t.Errorf("the cell that was not run keeps its outputs (-want +got):\n%s", d)
	}
}

func TestScriptHasNoExecutedCopy(t *testing.T) {
	f := newFake()
	if _, _, err := run(t, write(t, "s.go", "a"), f, script.Options{Write: "x.ipynb"}); err == nil || len(f.ran) > 0 {
		t.Errorf("got %v after %d cells, want an error before any", err, len(f.ran))
	}
}

func TestParametersInANotebook(t *testing.T) {
	text := notebook(t, "a", "b")
	text = strings.Replace(text, `"metadata":{},"outputs":[{"name":"stdout","output_type":"stream","text":"stale"}],"source":"a"`,
		`"metadata":{"tags":["parameters"]},"outputs":[],"source":"a"`, 1)
	file := write(t, "n.ipynb", text)
	for _, value := range []string{"1", "two words"} { // the second run replaces what the first has put in
		f := newFake()
		want := "x = " + map[string]string{"1": "1", "two words": `"two words"`}[value]
		for _, cell := range []string{"a", "b", want} {
			f.on(cell, func(session.Output) {})
		}
		if _, errs, err := run(t, file, f, script.Options{Write: file, Params: []script.Param{{Name: "x", Value: value}}}); err != nil {
			t.Fatal(err, errs)
		}
		if d := cmp.Diff([]string{"a", want, "b"}, f.ran); d != "" {
			t.Errorf("cells (-want +got):\n%s", d)
		}
	}
}
