package weights

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// fullDisk fails after n bytes as a full disk does.
type fullDisk struct{ n int }

func (f *fullDisk) Write(b []byte) (int, error) {
	if len(b) > f.n {
		n := f.n
		f.n = 0
		return n, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	f.n -= len(b)
	return len(b), nil
}

// wantNoSpace demands an error that names the file and hints at the space.
func wantNoSpace(t *testing.T, path string, err error) {
	t.Helper()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want ENOSPC and the name %s", err, path)
	}
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "space") {
		t.Errorf("error %v has no hint about space", err)
	}
}

// wantFiles demands that a folder holds these names and nothing else.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder has %v, want %v", got, want)
	}
}

func TestFailedWriteLeavesOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.pth")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	err := writeFile(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 3<<20)); err != nil {
			return err
		}
		return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	})
	wantNoSpace(t, path, err)
	wantFiles(t, filepath.Dir(path), "a.pth")
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the file holds %q, want what it held before", got)
	}
	if err := WritePTH(path, int64(1)); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, filepath.Dir(path), "a.pth")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, want that of the old file, 0640 (%v)", info.Mode(), err)
	}
}

// The error of the writer comes out wherever in the file it happens.
func TestZipReportsFullDisk(t *testing.T) {
	storages := [][]byte{make([]byte, 5000), make([]byte, 300)}
	whole := &counter{w: io.Discard}
	if err := writeZip(whole, []byte("N."), storages); err != nil {
		t.Fatal(err)
	}
	for n := int64(0); n < whole.n; n += 97 {
		if err := writeZip(&fullDisk{n: int(n)}, []byte("N."), storages); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("full after %d of %d bytes: error %v, want ENOSPC", n, whole.n, err)
		}
	}
}

// On a file system that is really full, neither format leaves anything behind.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	d := NewDict()
	d.Set("small", FromFloat32s([]int{2}, []float32{1, 2}))
	pth, safe := filepath.Join(dir, "a.pth"), filepath.Join(dir, "a.safetensors")
	if err := errors.Join(WritePTH(pth, d), WriteSafetensors(safe, d, nil)); err != nil {
		t.Fatal(err)
	}
	d.Set("large", &Tensor{DType: U8, Shape: []int{1 << 20}, Data: make([]byte, 1<<20)})
	wantNoSpace(t, pth, WritePTH(pth, d))
	wantNoSpace(t, safe, WriteSafetensors(safe, d, nil))
	wantFiles(t, dir, "a.pth", "a.safetensors")
	for _, path := range []string{pth, safe} {
		old, err := Read(path)
		if err != nil || old.Len() != 1 {
			t.Errorf("the older %s is gone: %v", path, err)
		}
	}
}

func TestWriteFollowsLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := WritePTH(link, int64(7)); err != nil {
		t.Fatal(err)
	}
	if v, err := ReadPTH(target); v != int64(7) {
		t.Errorf("the link's target holds %v (%v), want 7", v, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link was replaced: %v %v", info.Mode(), err)
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "a.pth"): "no such file",
		dir:                                 "not a regular file",
	} {
		err := WritePTH(path, nil)
		var hint interface{ Hint() string }
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &hint) {
			t.Errorf("%s: error %v, want %q with a hint", path, err, want)
		}
	}
	wantFiles(t, dir)
}
