package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	_ "vlab/cmd/vlab/symbols" // so that a change of the packages is a change of this test, which else would be cached
)

// TestTablesAreCurrent generates every table anew and compares.
func TestTablesAreCurrent(t *testing.T) {
	for _, path := range packages() {
		want, err := generate(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", fileOf(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what %s has now: run go generate ./cmd/vlab/symbols", fileOf(path), path)
		}
	}
}
