package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documented are the pages with a command sequence that trains and measures,
// and by how many points it must better a result, above the first measurement
// and above what a constant answer gets.
var documented = []struct {
	page     string
	results  []string
	majority string // the constant answer's result, "" where there is none
	better   float64
}{
	{"retrieval.md", []string{"test_txt_r1", "test_img_r1"}, "", 8},
	{"vqa.md", []string{"test_acc"}, "test_majority", 8},
}

// TestDocs runs the commands of the pages as they stand.
func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of training")
	}
	for _, d := range documented {
		t.Run(d.page, func(t *testing.T) {
			t.Parallel()
			measured := follow(t, readPage(t, d.page))
			if len(measured) < 2 {
				t.Fatalf("%d of the commands measure with --evaluate, want one before training and one after", len(measured))
			}
			before, after := measured[0], measured[len(measured)-1]
			for _, result := range d.results {
				constant := "no constant answer"
				floor := before[result]
				if d.majority != "" {
					constant = fmt.Sprintf("%.4g with the best constant answer", after[d.majority])
					floor = max(floor, after[d.majority])
				}
				t.Logf("%s: %.4g before, %.4g after, %s", result, before[result], after[result], constant)
				if !(after[result] >= floor+d.better) {
					t.Errorf("%s: want %g more", result, d.better)
				}
			}
		})
	}
}

// page is what a reader of a page of the docs copies from it.
type page struct {
	commands []string          // in order, without comments
	files    map[string]string // the YAML files by name
}

var (
	block    = regexp.MustCompile(`(?m)(?:^    .*\n)+`)
	yamlName = regexp.MustCompile("`([a-z-]+\\.yaml)`")
)

// readPage finds the first block of commands of a page and its YAML files: the
// blocks that begin with a key, each named by the last `name.yaml` before it.
func readPage(t *testing.T, name string) page {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	p := page{files: map[string]string{}}
	for _, at := range block.FindAllIndex(raw, -1) {
		content := regexp.MustCompile(`(?m)^    `).ReplaceAllString(string(raw[at[0]:at[1]]), "")
		switch names := yamlName.FindAllSubmatch(raw[:at[0]], -1); {
		case strings.HasPrefix(content, "vlab ") && p.commands == nil:
			for line := range strings.Lines(content) {
				command, _, _ := strings.Cut(line, " # ")
				p.commands = append(p.commands, strings.TrimSpace(command))
			}
		case regexp.MustCompile(`^[a-z_]+: `).MatchString(content) && len(names) > 0:
			p.files[string(names[len(names)-1][1])] = content
		}
	}
	if len(p.commands) == 0 || len(p.files) == 0 {
		t.Fatalf("docs/%s has %d commands and %d YAML files", name, len(p.commands), len(p.files))
	}
	return p
}

// follow does what a page says in an empty folder, and returns the results of
// the commands that measure.
func follow(t *testing.T, p page) (measured []map[string]float64) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range p.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range p.commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "OMP_NUM_THREADS=1")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, errs.String())
		}
		if strings.Contains(command, " --evaluate") {
			measured = append(measured, parseResults(t, out.String()))
		}
	}
	return measured
}

// parseResults reads lines such as "test_acc 41.3".
func parseResults(t *testing.T, out string) map[string]float64 {
	t.Helper()
	results := map[string]float64{}
	for line := range strings.Lines(out) {
		var key string
		var value float64
		if _, err := fmt.Sscan(line, &key, &value); err != nil {
			t.Fatalf("a line %q among the results", line)
		}
		results[key] = value
	}
	return results
}
