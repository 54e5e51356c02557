package kernel

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// clientModules are the Python modules that the clients in testdata import.
const clientModules = "jupyter_client, jupyter_kernel_test, nbclient, nbformat, zmq"

// python returns an interpreter that has the clients' modules, or skips.
func python(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real clients take some seconds")
	}
	name := os.Getenv("VLAB_PYTHON")
	if name == "" {
		name = "python3"
	}
	if out, err := exec.CommandContext(t.Context(), name, "-c", "import "+clientModules).CombinedOutput(); err != nil {
		t.Skipf("%s has not all of %s (kernel/requirements.txt): %v\n%s", name, clientModules, err, out)
	}
	return name
}

// TestClients has real clients drive this test binary as a kernel.
func TestClients(t *testing.T) {
	interpreter := python(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"conformance.py", "client.py"} {
		t.Run(script, func(t *testing.T) {
			prefix := t.TempDir()
			if _, err := Install(InstallOptions{Prefix: prefix, Name: "vlab-test", Executable: exe}); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), interpreter, "-W", "ignore", "testdata/"+script)
			cmd.Env = append(os.Environ(), runKernel+"=1", "JUPYTER_PATH="+prefix+"/share/jupyter",
				"JUPYTER_RUNTIME_DIR="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
			out, err := cmd.CombinedOutput()
			t.Logf("%s", out)
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				t.Fatalf("%s: %v", script, exit)
			} else if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(out), "\nOK") || strings.Contains(string(out), "skipped=") {
				t.Error("not all of the client's tests ran")
			}
		})
	}
}
