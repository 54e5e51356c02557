// Package corpus reads the sources of the corpus of cells, for fuzzing.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Sources returns the sources of all cells in a folder's cases.
func Sources(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "[0-9]*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no cases in %s: %w", dir, err)
	}
	source := regexp.MustCompile(`(?s)-- cell\d+ --\n(.*?)-- expect`)
	var list []string
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, m := range source.FindAllSubmatch(b, -1) {
			list = append(list, string(m[1]))
		}
	}
	return list, nil
}
