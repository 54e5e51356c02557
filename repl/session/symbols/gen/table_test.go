package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"vlab/repl/session/symbols"
)

// TestGeneratedFilesAreCurrent generates table and comments anew and compares.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	for name, generate := range map[string]func(context.Context) ([]byte, error){fileName: generate, docsName: generateDocs} {
		want, err := generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what this Go has: run go generate ./repl/session/symbols", name)
		}
	}
	if c := symbols.Comment("strings", "Builder.WriteString"); c.Text == "" || len(c.Params) != 1 {
		t.Errorf("strings.Builder.WriteString: %+v, want its comment and its parameter", c)
	}
}
