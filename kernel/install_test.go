package kernel

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstall(t *testing.T) {
	prefix := t.TempDir()
	o := InstallOptions{Prefix: prefix, Executable: "/opt/vlab"}
	for range 2 { // the second replaces the first
		dir, err := Install(o)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(prefix, "share", "jupyter", "kernels", "vlab"); dir != want {
			t.Fatalf("installed in %s, want %s", dir, want)
		}
		checkSpec(t, dir)
	}
	left, err := os.ReadDir(filepath.Join(prefix, "share", "jupyter", "kernels"))
	if err != nil || len(left) != 1 {
		t.Errorf("kernels holds %v, %v, want only vlab", left, err)
	}
	dir, err := Uninstall(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("after uninstall %s: %v, want it gone", dir, err)
	}
	if _, err := Uninstall(o); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("second uninstall: %v, want an error that names %s", err, dir)
	}
}

func checkSpec(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"argv":           []any{"/opt/vlab", "kernel", "run", "--connection-file", "{connection_file}"},
		"display_name":   "Go (vlab)",
		"language":       "go",
		"interrupt_mode": "message",
		"metadata":       map[string]any{"debugger": false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kernel.json (-want +got):\n%s", diff)
	}
	for name, size := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		checkLogo(t, filepath.Join(dir, name), size)
	}
}

func checkLogo(t *testing.T, path string, size int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != size || b.Dy() != size {
		t.Errorf("%s is %v, want %d pixels square", path, b, size)
	}
	r, g, b, _ := img.At(size/2, size/2).RGBA()
	if r < 2*g || r < 2*b {
		t.Errorf("the middle of %s is %x %x %x, want red", path, r, g, b)
	}
}

func TestInstallRefuses(t *testing.T) {
	prefix := t.TempDir()
	python := filepath.Join(prefix, "share", "jupyter", "kernels", "python3")
	if err := os.MkdirAll(python, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(python, "kernel.json"), []byte(`{"language":"python"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		options InstallOptions
		want    string
	}{
		{"another language's kernel", InstallOptions{Prefix: prefix, Name: "python3"}, "kernel for python"},
		{"a path as name", InstallOptions{Prefix: prefix, Name: "../x"}, "not allowed"},
		{"a hidden name", InstallOptions{Prefix: prefix, Name: ".."}, "not allowed"},
		{"two places", InstallOptions{Prefix: prefix, User: true}, "more than one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Install(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("install: %v, want error with %q", err, tt.want)
			}
			if _, err := Uninstall(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("uninstall: %v, want error with %q", err, tt.want)
			}
		})
	}
}

func TestUserFolder(t *testing.T) {
	t.Setenv("JUPYTER_DATA_DIR", "/data")
	for _, o := range []InstallOptions{{}, {User: true}} {
		if dir, err := o.dir(); err != nil || dir != "/data/kernels/vlab" {
			t.Errorf("folder of %+v is %s, %v, want /data/kernels/vlab", o, dir, err)
		}
	}
}
