package table

import (
	"context"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Load reads packages' types from their compiled forms, which the go command makes
// where they aren't there.
func Load(ctx context.Context, importPaths ...string) ([]*types.Package, error) {
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, importPaths...)
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list %s: %w", strings.Join(importPaths, " "), err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
	from := importer.ForCompiler(token.NewFileSet(), "gc", open)
	pkgs := make([]*types.Package, len(importPaths))
	for i, path := range importPaths {
		if pkgs[i], err = from.Import(path); err != nil {
			return nil, fmt.Errorf("read the compiled %s: %w", path, err)
		}
	}
	return pkgs, nil
}
