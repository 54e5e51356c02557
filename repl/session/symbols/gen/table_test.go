package main

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
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
		// Comments change from one release to the next, names don't.
		if of := versionOf(got); name == docsName && of != runtime.Version() {
			t.Logf("%s is of %s, and this is %s: not compared", name, of, runtime.Version())
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what this Go has: run go generate ./repl/session/symbols", name)
		}
	}
	if c := symbols.Comment("strings", "Builder.WriteString"); c.Text == "" || len(c.Params) != 1 {
		t.Errorf("strings.Builder.WriteString: %+v, want its comment and its parameter", c)
	}
}

// versionOf returns the comment of a zip file.
func versionOf(file []byte) string {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return ""
	}
	return z.Comment
}
