package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"vlab/cmd/vlab/symbols" // a change of the packages is a change of this test, too, which else would be cached
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

// TestDocsAreCurrent does the same for the doc comments.
func TestDocsAreCurrent(t *testing.T) {
	want, err := generateDocs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", docsName))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the packages say now: run go generate ./cmd/vlab/symbols", docsName)
	}
	if symbols.Comment("vlab/albef/lab", "Model.Ground").Text == "" || symbols.Comment("vlab/viz", "").Text == "" {
		t.Error("m.Ground or package viz has no doc comment")
	}
}
