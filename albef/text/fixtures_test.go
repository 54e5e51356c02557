package text_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// readFixture decodes a json file written by the official code, out of the
// folder VLAB_FIXTURES or else the project's own.
func readFixture(t *testing.T, name string, v any) {
	t.Helper()
	dir := os.Getenv("VLAB_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "fixtures")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
