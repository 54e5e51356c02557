package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// defaultName is the folder of the kernel specification and the name by which
// notebooks remember their kernel.
const defaultName = "vlab"

// InstallOptions says where a kernel specification goes. At most one of User,
// SysPrefix and Prefix is set; none means User.
type InstallOptions struct {
	// User means the person's own Jupyter folder.
	User bool
	// SysPrefix means the environment of the python3 on the PATH, or of the
	// interpreter that VLAB_PYTHON names.
	SysPrefix bool
	// Prefix is a folder such as /usr/local, below which share/jupyter/kernels is.
	Prefix string
	// Name is the kernel's name; empty means "vlab".
	Name string
	// Executable is the binary that clients start; empty means this one.
	Executable string
}

// spec is the content of kernel.json.
type spec struct {
	Argv          []string       `json:"argv"`
	DisplayName   string         `json:"display_name"`
	Language      string         `json:"language"`
	InterruptMode string         `json:"interrupt_mode"`
	Metadata      map[string]any `json:"metadata"`
}

// Install writes the kernel specification, with logos, and returns its folder.
// An earlier one of the same name is replaced as a whole; one of another
// language is an error.
func Install(o InstallOptions) (dir string, err error) {
	dir, err = o.dir()
	if err != nil {
		return "", fmt.Errorf("install kernel: %w", err)
	}
	if err := o.install(dir); err != nil {
		return "", fmt.Errorf("install kernel in %s: %w", dir, err)
	}
	return dir, nil
}

// Uninstall removes what Install wrote with the same options and returns the
// folder. A specification that is not there, or is of another language, is an error.
func Uninstall(o InstallOptions) (dir string, err error) {
	dir, err = o.dir()
	if err != nil {
		return "", fmt.Errorf("uninstall kernel: %w", err)
	}
	err = checkOurs(dir)
	if err == nil {
		_, err = os.Stat(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = hinted(err, "jupyter kernelspec list shows the kernels that are installed")
	}
	if err == nil {
		err = os.RemoveAll(dir)
	}
	if err != nil {
		return "", fmt.Errorf("uninstall kernel: %w", err)
	}
	return dir, nil
}

// install writes a new folder beside the final one, so that a client never sees
// half a specification.
func (o InstallOptions) install(dir string) error {
	s, err := o.spec()
	if err != nil {
		return err
	}
	if err := checkOurs(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return writeHint(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".vlab-")
	if err != nil {
		return writeHint(err)
	}
	if err := errors.Join(os.Chmod(tmp, 0o755), s.write(tmp), writeLogos(tmp), os.RemoveAll(dir)); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	if err := os.Rename(tmp, dir); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

func (o InstallOptions) spec() (spec, error) {
	exe := o.Executable
	if exe == "" {
		var err error
		if exe, err = os.Executable(); err != nil {
			return spec{}, fmt.Errorf("find this binary: %w", err)
		}
	}
	exe, err := filepath.Abs(exe)
	if err != nil {
		return spec{}, fmt.Errorf("find %s: %w", exe, err)
	}
	return spec{
		Argv:          []string{exe, "kernel", "run", "--connection-file", "{connection_file}"},
		DisplayName:   "Go (vlab)",
		Language:      "go",
		InterruptMode: "message",
		Metadata:      map[string]any{"debugger": false},
	}, nil
}

func (s spec) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode kernel.json: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "kernel.json"), append(data, '\n'), 0o644)
}

// checkOurs refuses a folder that holds a kernel of another language. An absent
// one is fine, and so is one without a readable kernel.json.
func checkOurs(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return nil //nolint:nilerr // nothing of somebody else's to protect
	}
	var s spec
	if json.Unmarshal(data, &s) == nil && s.Language != "" && s.Language != "go" {
		return hinted(fmt.Errorf("%s is a kernel for %s", dir, s.Language), "choose another --name")
	}
	return nil
}

// dir is the folder of the specification.
func (o InstallOptions) dir() (string, error) {
	name := o.Name
	if name == "" {
		name = defaultName
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`).MatchString(name) {
		return "", hinted(fmt.Errorf("kernel name %q is not allowed", name),
			"use letters, digits, dots, underscores and hyphens")
	}
	data, err := o.dataDir()
	if err != nil {
		return "", err
	}
	dir, err := filepath.Abs(filepath.Join(data, "kernels", name))
	if err != nil {
		return "", fmt.Errorf("find %s: %w", data, err)
	}
	return dir, nil
}

func (o InstallOptions) dataDir() (string, error) {
	chosen := 0
	for _, set := range []bool{o.User, o.SysPrefix, o.Prefix != ""} {
		if set {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return "", hinted(errors.New("more than one place to install to"), "give one of --user, --sys-prefix and --prefix")
	case o.Prefix != "":
		return filepath.Join(o.Prefix, "share", "jupyter"), nil
	case o.SysPrefix:
		prefix, err := pythonPrefix()
		return filepath.Join(prefix, "share", "jupyter"), err
	}
	return userDataDir()
}

// pythonPrefix asks the Python that a client would run under for its sys.prefix.
func pythonPrefix() (string, error) {
	python := os.Getenv("VLAB_PYTHON")
	if python == "" {
		python = "python3"
	}
	out, err := exec.Command(python, "-c", "import sys; print(sys.prefix)").Output() //nolint:noctx // answers in a moment, to a command that waits for nothing else
	if err != nil {
		return "", hinted(fmt.Errorf("ask %s for its prefix: %w", python, err),
			"activate the environment that Jupyter is in, or give --prefix")
	}
	return strings.TrimSpace(string(out)), nil
}

// userDataDir is where Jupyter looks for a person's own kernels.
func userDataDir() (string, error) {
	if dir := os.Getenv("JUPYTER_DATA_DIR"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" && runtime.GOOS != "darwin" {
		return filepath.Join(dir, "jupyter"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the person's folder: %w", err)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Jupyter"), nil
	}
	return filepath.Join(home, ".local", "share", "jupyter"), nil
}

func writeHint(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return hinted(err, "install with --user, or with --prefix and a folder of your own")
	}
	return err
}
