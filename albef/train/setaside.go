package train

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SetAside moves what an earlier run left in dir into a folder of its own there,
// earlier-1, earlier-2 and so on, so that a new run overwrites nothing, and
// returns its path; "" where there was no earlier run. log.txt stays: it keeps
// all it has, as officially.
func SetAside(dir string) (moved string, err error) {
	left, err := filepath.Glob(filepath.Join(dir, "checkpoint_*.pth"))
	if err != nil {
		return "", fmt.Errorf("set an earlier run aside: %w", err)
	}
	if len(left) == 0 {
		return "", nil
	}
	for n := 1; ; n++ {
		moved = filepath.Join(dir, fmt.Sprintf("earlier-%d", n))
		if err = os.Mkdir(moved, 0o755); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("set an earlier run aside: %w", err)
	}
	for _, pattern := range []string{"metrics.jsonl", "config.yaml", "result", "events.out.tfevents.*"} {
		more, _ := filepath.Glob(filepath.Join(dir, pattern))
		left = append(left, more...)
	}
	for _, path := range left {
		if err := os.Rename(path, filepath.Join(moved, filepath.Base(path))); err != nil {
			return "", fmt.Errorf("set an earlier run aside: %w", err)
		}
	}
	return moved, nil
}
