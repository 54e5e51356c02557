package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// buildFront builds the front as the Makefile does and returns its path. Beside it
// lies nothing.
func buildFront(t testing.TB, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vlab")
	cmd := exec.CommandContext(t.Context(), "go", slices.Concat([]string{"build", "-tags", "front", "-o", path}, flags, []string{"."})...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return path
}

// ranFront runs the front and returns what it printed, and its exit status.
func ranFront(t *testing.T, path string, args ...string) (out, errs string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// helped lists the commands whose help lies in files for the front.
func helped() (names []string) {
	for _, c := range commands() {
		if c.run == nil && c.summary != "" {
			names = append(names, c.name)
		}
	}
	return names
}

// TestHelpFiles compares the files that the front prints with what the commands
// say themselves.
func TestHelpFiles(t *testing.T) {
	files, err := filepath.Glob("help/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); !slices.Contains(helped(), name) {
			t.Errorf("%s is the help of no command in vlab-torch", file)
		}
	}
	for _, name := range helped() {
		var want bytes.Buffer
		if status := Main([]string{name, "--help"}, env{&want, io.Discard}); status != 0 {
			t.Fatalf("vlab %s --help: status %d", name, status)
		}
		file := filepath.Join("help", name+".txt")
		if *update {
			if err := os.WriteFile(file, want.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not what vlab %s --help prints (make golden writes it anew): %v\ngot\n%s\nwant\n%s", file, name, err, got, &want)
		}
	}
}

// TestCommandsRun has each command run by the table or by withTorch, not by both.
func TestCommandsRun(t *testing.T) {
	for _, c := range commands() {
		run, err := withTorch(c.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if (c.run == nil) != (run != nil) {
			t.Errorf("vlab %s: in the table %t, in withTorch %t, want one of them", c.name, c.run != nil, run != nil)
		}
	}
}

// TestFrontNeedsNoLibrary looks into the program for what is loaded before main.
func TestFrontNeedsNoLibrary(t *testing.T) {
	f, err := elf.Open(buildFront(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the front loads %q (%v), want nothing", libraries, err)
	}
}

// TestFront runs the front without vlab-torch, and with a stand-in that tells how it was called.
func TestFront(t *testing.T) {
	elsewhere := t.TempDir()
	front := buildFront(t, "-ldflags", "-X main.builtIn="+elsewhere)
	for _, args := range append([][]string{{"help"}, {"--help"}, {}, {"captioning"}, {"run", "--help"}, {"run"}}, helpsOf(helped())...) {
		var wantOut, wantErrs bytes.Buffer
		want := Main(args, env{&wantOut, &wantErrs})
		out, errs, status := ranFront(t, front, args...)
		if out != wantOut.String() || errs != wantErrs.String() || status != want {
			t.Errorf("vlab %q: got status %d\n%s%s\nwant %d\n%s%s", args, status, out, errs, want, &wantOut, &wantErrs)
		}
	}
	if out, _, status := ranFront(t, front, "version"); !strings.HasPrefix(out, "vlab ") || status != 0 {
		t.Errorf("vlab version: got %q and status %d", out, status)
	}
	_, errs, status := ranFront(t, front, "doctor")
	if want := "vlab: vlab-torch is not in "; status != exitFailed || !strings.HasPrefix(errs, want) || !strings.Contains(errs, "\nhint: make build") {
		t.Errorf("without vlab-torch: status %d\n%s\nwant %d and %s", status, errs, exitFailed, want)
	}
	for _, dir := range []string{elsewhere, filepath.Dir(front)} { // the second goes first
		standIn(t, dir)
		out, _, status := ranFront(t, front, "search", "--text", "a b", "-k", "2")
		if want := dir + "/vlab-torch [search] [--text] [a b] [-k] [2]\n"; out != want || status != 7 {
			t.Errorf("got %q and status %d, want %q and 7", out, status, want)
		}
	}
}

func helpsOf(names []string) (lines [][]string) {
	for _, name := range names {
		lines = append(lines, []string{name, "--help"}, []string{name, "-h"})
	}
	return lines
}

// standIn writes a vlab-torch that prints its arguments and ends with status 7.
func standIn(t *testing.T, dir string) {
	t.Helper()
	const script = "#!/bin/sh\nprintf %s \"$0\"\nprintf ' [%s]' \"$@\"\necho\nexit 7\n"
	if err := os.WriteFile(filepath.Join(dir, "vlab-torch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkHelp is what a person waits for vlab --help; under 30 ms is at once.
func BenchmarkHelp(b *testing.B) {
	front := buildFront(b)
	for b.Loop() {
		if err := exec.CommandContext(b.Context(), front, "--help").Run(); err != nil {
			b.Fatal(err)
		}
	}
}
