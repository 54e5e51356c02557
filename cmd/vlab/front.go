//go:build front

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// The tag front builds this package without what needs libtorch, which takes
// 150 ms and 140 MB to load: a static program that gives help and runs the
// terminal, the kernel and scripts, whose cells have a process of their own. All
// else it hands over to the package's other build.
const torchName = "vlab-torch"

// builtIn is the folder for which the front was built, where it is not beside
// vlab-torch: set by the linker, or "".
var builtIn string

// helps are what vlab COMMAND --help prints of the commands in vlab-torch.
//
//go:embed help
var helps embed.FS

// withTorch turns this process into vlab-torch, with the same command line. Only
// help does not need it.
func withTorch(name string, args []string) (runner, error) {
	if text, err := helps.ReadFile("help/" + name + ".txt"); err == nil && isHelp(args) {
		return func(_ context.Context, e env, _ []string) error {
			_, err := e.stdout.Write(text)
			return err
		}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	path, err := findTorch(filepath.Dir(self), builtIn)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("run %s: %w", path, syscall.Exec(path, os.Args, os.Environ()))
}

// isHelp reports whether the arguments ask for help and nothing else.
func isHelp(args []string) bool {
	return len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help")
}

// findTorch returns the first of the folders' vlab-torch.
func findTorch(dirs ...string) (string, error) {
	for _, dir := range dirs {
		path := filepath.Join(dir, torchName)
		if info, err := os.Stat(path); dir != "" && err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &hintedError{
		fmt.Errorf("%s is not in %s", torchName, dirs[0]),
		"make build and make install make both programs; where vlab is copied to, " + torchName + " belongs beside it",
	}
}
