package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this test binary as vlab.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		productChild: serveProduct,
		"vlab":       func() { os.Exit(Main(os.Args[1:], env{os.Stdout, os.Stderr})) },
	})
}

// TestScript runs the scripts in testdata/script. Beside the usual commands they
// have status, interrupt and tmpfs, and $FIXTURES.
func TestScript(t *testing.T) {
	fixtures := os.Getenv("VLAB_FIXTURES")
	if fixtures == "" {
		fixtures = filepath.Join("..", "..", "albef", "testdata", "fixtures")
	}
	fixtures, err := filepath.Abs(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	mountable := canMount(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("FIXTURES", fixtures)
			e.Setenv("VLAB_CACHE", filepath.Join(e.WorkDir, ".cache"))
			e.Setenv("TMPDIR", e.WorkDir)
			e.Setenv("OMP_NUM_THREADS", "1") // scripts run side by side
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": endsWith, "interrupt": interruptWhen, "tmpfs": mountSmall,
		},
		Condition: func(name string) (bool, error) {
			if name != "tmpfs" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return mountable, nil
		},
	})
}

// endsWith is "status N command...": the command must end with status N; its
// output is there for stdout and stderr.
func endsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, want %s", got, want)
	}
}

// interruptWhen is "interrupt file regexp command...": once the file holds the
// expression the command gets a SIGINT, and must end within three seconds with
// the status of an interrupt.
func interruptWhen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt file regexp command...")
	}
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), "TMPDIR="+ts.Getenv("TMPDIR"), "VLAB_CACHE="+ts.Getenv("VLAB_CACHE"))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	pattern := regexp.MustCompile(args[1])
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for found := false; !found; {
		select {
		case err := <-ended:
			ts.Fatalf("ended before it could be interrupted: %v", err)
		case <-tick.C:
		}
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		found = err == nil && pattern.Match(data)
	}
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		ts.Check(cmd.Process.Kill())
		ts.Fatalf("still running three seconds after the interrupt")
	}
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		ts.Fatalf("exit status %d, want %d", got, exitInterrupted)
	}
}

// mountSmall is "tmpfs dir size": a file system of that size, for the script's
// duration.
func mountSmall(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs dir size")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(syscall.Mount("none", dir, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			ts.Logf("unmount %s: %v", dir, err)
		}
	})
}

// canMount tells whether this user may mount a small file system.
func canMount(t *testing.T) bool {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no file system can be mounted here, so a full disk is not tried: %v", err)
		return false
	}
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Error(err)
	}
	return true
}
