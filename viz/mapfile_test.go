package viz_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vlab/viz"
)

func sampleMap() viz.Map {
	return viz.Map{W: 3, H: 2, V: []float32{0, 1, -2.5, 1e-30, float32(math.NaN()), 6}}
}

// sameMap compares cell by cell; NaN equals NaN.
func sameMap(t *testing.T, got, want viz.Map) {
	t.Helper()
	if got.W != want.W || got.H != want.H || len(got.V) != len(want.V) {
		t.Fatalf("got a map of %d by %d with %d values, want %d by %d", got.W, got.H, len(got.V), want.W, want.H)
	}
	for i, v := range got.V {
		if w := want.V[i]; v != w && (v == v || w == w) { // NaN alone differs from itself
			t.Errorf("cell %d: got %g, want %g", i, v, w)
		}
	}
}

// npyBytes is a .npy file by hand, its head 118 bytes long.
func npyBytes(head, numbers string) string {
	return "\x93NUMPY\x01\x00\x76\x00" + fmt.Sprintf("%-117s\n", head) + numbers
}

func TestNPYBytes(t *testing.T) {
	var got bytes.Buffer
	if err := (viz.Map{W: 2, H: 1, V: []float32{1, -2}}).WriteNPY(&got); err != nil {
		t.Fatal(err)
	}
	want := npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", "\x00\x00\x80\x3f\x00\x00\x00\xc0")
	if got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestNPYRoundTrip(t *testing.T) {
	var file bytes.Buffer
	if err := sampleMap().WriteNPY(&file); err != nil {
		t.Fatal(err)
	}
	m, err := viz.ReadNPY(&file)
	if err != nil {
		t.Fatal(err)
	}
	sameMap(t, m, sampleMap())

	stack := []viz.Map{sampleMap(), bump(3, 2, .3, .3, .2, 1, 1), bump(3, 2, .7, .6, .2, 1, 2)}
	if err := viz.WriteNPYStack(&file, stack); err != nil {
		t.Fatal(err)
	}
	maps, err := viz.ReadNPYStack(&file)
	if err != nil || len(maps) != 3 {
		t.Fatalf("got %d maps and error %v, want 3", len(maps), err)
	}
	for i := range maps {
		sameMap(t, maps[i], stack[i])
	}
}

func TestReadNPYTakesDoubles(t *testing.T) {
	file := npyBytes("{'shape': (1, 1), 'fortran_order': False, 'descr': '<f8'}", "\x00\x00\x00\x00\x00\x00\xf8\x3f")
	m, err := viz.ReadNPY(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	sameMap(t, m, viz.Map{W: 1, H: 1, V: []float32{1.5}})
}

func TestReadNPYNamesWhatIsWrong(t *testing.T) {
	head := func(descr, order, shape string) string {
		return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	}
	for name, c := range map[string]struct{ file, want string }{
		"empty":     {"", "does not begin"},
		"png":       {"\x89PNG\r\n\x1a\n0000000000", "does not begin"},
		"version":   {"\x93NUMPY\x02\x00\x76\x00\x00\x00", "version 2.0, want 1.0"},
		"cut head":  {npyBytes(head("'<f4'", "False", "(1, 2)"), "")[:60], "head ends early"},
		"half head": {npyBytes("{'descr': '<f4'}", ""), "lacks descr"},
		"integers":  {npyBytes(head("'<i8'", "False", "(1, 1)"), "12345678"), "<i8, want <f4 or <f8"},
		"columns":   {npyBytes(head("'<f4'", "True", "(1, 1)"), "1234"), "columns first"},
		"one":       {npyBytes(head("'<f4'", "False", "(2,)"), "12345678"), "1 dimensions, want 2"},
		"short":     {npyBytes(head("'<f4'", "False", "(1, 2)"), "1234567"), "7 bytes of numbers, want 8"},
		"long":      {npyBytes(head("'<f4'", "False", "(1, 2)"), "1234567890"), "at least 9 bytes of numbers, want 8"},
		"huge":      {npyBytes(head("'<f4'", "False", "(99999, 99999)"), ""), "too large"},
		"endless":   {npyBytes(head("'<f4'", "False", "(99999999999999999999, 1)"), ""), "too large"},
	} {
		if _, err := viz.ReadNPY(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
	}
	if _, err := viz.ReadNPYStack(strings.NewReader(npyBytes(head("'<f4'", "False", "(1, 1)"), "1234"))); err == nil || !strings.Contains(err.Error(), "want 3") {
		t.Errorf("a map as a stack: got %v", err)
	}
	if _, err := viz.ReadNPYStack(strings.NewReader(npyBytes(head("'<f4'", "False", "(4, 0, 3)"), ""))); err == nil || !strings.Contains(err.Error(), "3 by 0") {
		t.Errorf("maps without cells: got %v", err)
	}
	if err := viz.WriteNPYStack(io.Discard, []viz.Map{sampleMap(), {W: 1, H: 1, V: []float32{1}}}); err == nil || !strings.Contains(err.Error(), "map 1 has 1 by 1") {
		t.Errorf("maps of two sizes: got %v", err)
	}
	if err := viz.WriteNPYStack(io.Discard, nil); err == nil {
		t.Error("a stack of nothing: got no error")
	}
}

// TestNumPyReadsAndWrites has numpy itself load both kinds of file and save one.
func TestNumPyReadsAndWrites(t *testing.T) {
	python := pythonWithNumPy(t)
	dir := t.TempDir()
	write := func(name string, to func(io.Writer) error) {
		var file bytes.Buffer
		if err := to(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("map.npy", sampleMap().WriteNPY)
	write("stack.npy", func(w io.Writer) error { return viz.WriteNPYStack(w, []viz.Map{sampleMap(), sampleMap()}) })
	const script = `import numpy as n
m, s = n.load("map.npy"), n.load("stack.npy")
print(m.dtype, m.shape, m.flags.c_contiguous, m[0, 2], m[1, 2], n.isnan(m[1, 1]), s.shape, n.array_equal(s[1], m, equal_nan=True))
n.save("back.npy", m * 2)`
	cmd := exec.CommandContext(t.Context(), python, "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if want := "float32 (2, 3) True -2.5 6.0 True (2, 2, 3) True\n"; err != nil || string(out) != want {
		t.Fatalf("got %q and error %v, want %q", out, err, want)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "back.npy"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := viz.ReadNPY(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := sampleMap()
	for i := range want.V {
		want.V[i] *= 2
	}
	sameMap(t, m, want)
}

// pythonWithNumPy looks where the tools of `make` keep their own and along PATH.
func pythonWithNumPy(t *testing.T) string {
	t.Helper()
	cache, _ := os.UserCacheDir()
	found, _ := filepath.Glob(filepath.Join(cache, "vlab", "*", "bin", "python"))
	for _, p := range append(found, "python3") {
		if exec.CommandContext(t.Context(), p, "-c", "import numpy").Run() == nil {
			return p
		}
	}
	t.Skip("no python with numpy here")
	return ""
}

func TestMapJSON(t *testing.T) {
	got, err := json.Marshal(sampleMap())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"width":3,"height":2,"values":[[0,1,-2.5],[1e-30,null,6]]}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, m := range []viz.Map{sampleMap(), {}, bump(5, 4, .2, .3, .1, 1, 9)} {
		raw, err := json.Marshal(map[string]any{"phrase": m})
		if err != nil {
			t.Fatal(err)
		}
		var back struct{ Phrase viz.Map }
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		sameMap(t, back.Phrase, m)
	}
	for in, want := range map[string]string{
		`{"width":2,"height":2,"values":[[1,2]]}`:     "1 rows of values, but a map of 2 by 2",
		`{"width":2,"height":2,"values":[[1,2],[3]]}`: "row 1 has 1 values, but the width is 2",
		`{"width":-2,"height":0,"values":[]}`:         "map of -2 by 0",
		`{"width":1,"height":1,"values":[["a"]]}`:     "read map: json",
		`{"width":1,"height":1,"values":[[1e99]]}`:    "read map: json",
		`[]`: "read map: json",
	} {
		var m viz.Map
		if err := json.Unmarshal([]byte(in), &m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", in, err, want)
		}
	}
}
