package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"vlab/kernel"
)

// TestJupyter has real clients drive the whole program as a kernel.
func TestJupyter(t *testing.T) {
	if testing.Short() {
		t.Skip("real clients take half a minute")
	}
	python := os.Getenv("VLAB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import jupyter_client, jupyter_kernel_test, nbconvert, papermill, zmq").CombinedOutput(); err != nil {
		t.Skipf("%s has not all that the clients need (kernel/requirements.txt): %v\n%s", python, err, out)
	}
	vlab, err := exec.LookPath("vlab")
	if err != nil {
		t.Fatal(err)
	}
	prefix := t.TempDir()
	if _, err := kernel.Install(kernel.InstallOptions{Prefix: prefix, Name: "vlab-test", Executable: vlab}); err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"conformance.py", "client.py", "tools.py"} {
		t.Run(script, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "testdata/jupyter/"+script)
			cmd.Env = append(os.Environ(), "JUPYTER_PATH="+prefix+"/share/jupyter", "JUPYTER_RUNTIME_DIR="+t.TempDir(),
				"XDG_STATE_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1", "OMP_NUM_THREADS=1")
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), "\nOK") || strings.Contains(string(out), "skipped=") {
				t.Error("not all of the client's tests ran")
			}
		})
	}
}
