package notebooks

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// vlab builds the binary once a test.
func vlab(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole notebooks")
	}
	bin := filepath.Join(t.TempDir(), "vlab")
	run(t, nil, "go", "build", "-o", bin, "vlab/cmd/vlab")
	return bin
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(append(os.Environ(), "OMP_NUM_THREADS=1"), env...) // other tests run beside these
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

func all(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("*.ipynb")
	if err != nil || len(found) == 0 {
		t.Fatalf("no notebooks here: %v", err)
	}
	return found
}

func TestNotebooksRunWithVlab(t *testing.T) {
	bin := vlab(t)
	for _, name := range all(t) {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			run(t, []string{"VLAB_CACHE=" + t.TempDir()}, bin, "run", name, "--out", out)
			pictures, _ := filepath.Glob(filepath.Join(out, "*.png"))
			if len(pictures) < 3 {
				t.Errorf("%d pictures, want 3 or more", len(pictures))
			}
			for _, p := range pictures {
				checkPicture(t, p)
			}
		})
	}
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if b := img.Bounds(); b.Dx() < 100 || b.Dy() < 50 { // a sheet without pictures has a title
		t.Errorf("%s is %v, smaller than a figure", path, b)
	}
}

// TestNotebooksRunInJupyter runs them with nbclient through the installed
// kernel, as nbconvert and papermill do.
func TestNotebooksRunInJupyter(t *testing.T) {
	bin := vlab(t)
	python := os.Getenv("VLAB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import nbclient, nbformat").Run() != nil {
		t.Skipf("%s has no nbclient: make setup installs it, and make test names that Python", python)
	}
	prefix := t.TempDir()
	run(t, nil, bin, "kernel", "install", "--prefix", prefix)
	env := []string{
		"JUPYTER_PATH=" + filepath.Join(prefix, "share", "jupyter"), "VLAB_CACHE=" + t.TempDir(),
		"JUPYTER_RUNTIME_DIR=" + t.TempDir(), "IPYTHONDIR=" + t.TempDir(), "XDG_STATE_HOME=" + t.TempDir(),
	}
	for _, name := range all(t) {
		t.Run(name, func(t *testing.T) {
			done := filepath.Join(t.TempDir(), name)
			run(t, env, python, "run.py", name, done, "vlab")
			if n := pngOutputs(t, done); n < 3 {
				t.Errorf("%d outputs of image/png, want 3 or more", n)
			}
		})
	}
}

func pngOutputs(t *testing.T, notebook string) int {
	t.Helper()
	raw, err := os.ReadFile(notebook)
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Outputs []struct {
				Type string `json:"output_type"`
				Data map[string]any
			}
		}
	}
	if err := json.Unmarshal(raw, &nb); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range nb.Cells {
		for _, o := range c.Outputs {
			if o.Type == "error" {
				t.Errorf("%s: an output is an error: %v", notebook, o.Data)
			}
			if _, ok := o.Data["image/png"]; ok {
				n++
			}
		}
	}
	return n
}
