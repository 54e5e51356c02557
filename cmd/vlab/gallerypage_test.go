package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGalleryPage runs the commands and the cell of the page on saved galleries
// as they stand, in one folder.
func TestGalleryPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "gallery.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cell := filepath.Join(dir, "cell.go")
	var commands []string
	for _, found := range block.FindAllString(string(raw), -1) {
		content := regexp.MustCompile(`(?m)^    `).ReplaceAllString(found, "")
		if !strings.HasPrefix(content, "vlab ") {
			if err := os.WriteFile(cell, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for line := range strings.Lines(content) {
			command, _, _ := strings.Cut(line, " # ")
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	if len(commands) != 4 {
		t.Fatalf("the page has %d commands, want 4: %q", len(commands), commands)
	}
	says := []string{"", " encoded", "up to date", "3 of "}
	for i, command := range append(commands, "vlab run "+cell) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "OMP_NUM_THREADS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		want := "8 of " // the cell's ranking
		if i < len(says) {
			want = says[i]
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("%s: got\n%s\nwant %q", command, out, want)
		}
	}
}
