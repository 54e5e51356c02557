package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vlab/albef/task"
)

// documented are the pages with a command sequence that trains and measures,
// and by how much it must better each result, above the first measurement and
// above what a constant answer gets.
var documented = []struct {
	page   string
	better map[string]float64
}{
	{"pretraining.md", map[string]float64{"test_txt_r1": 15, "test_img_r1": 15}},
	{"retrieval.md", map[string]float64{"test_txt_r1": 8, "test_img_r1": 8}},
	{"vqa.md", map[string]float64{"test_acc": 12}},
	{"ve.md", map[string]float64{"val_acc": 0.2, "test_acc": 0.2}},
	{"nlvr.md", map[string]float64{"val_acc": 0.05, "test_acc": 0.05}},
	{"grounding.md", map[string]float64{"val_d": 0.04, "testB_d": 0.02}},
}

// constantOf is the result of a constant answer that stands beside another
// result, such as test_majority beside test_acc; "" where there is none.
func constantOf(result string) string {
	for suffix, constant := range map[string]string{"_acc": "_majority", "_d": "_largest_d"} {
		if split, ok := strings.CutSuffix(result, suffix); ok {
			return split + constant
		}
	}
	return ""
}

// TestDocs runs the commands of the pages as they stand.
func TestDocs(t *testing.T) {
	t.Parallel()
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
			for result, better := range d.better {
				floor, constant := before[result], "no constant answer"
				if name := constantOf(result); name != "" {
					floor, constant = max(floor, after[name]), fmt.Sprintf("%s %.4g", name, after[name])
				}
				t.Logf("%s: %.4g before, %.4g after, %s", result, before[result], after[result], constant)
				if !(after[result] >= floor+better) {
					t.Errorf("%s: want %g more", result, better)
				}
			}
		})
	}
}

// TestBuiltInConfigurationsAreThePages has lab.Finetune and vlab TASK --config
// TASK do what the pages say.
func TestBuiltInConfigurationsAreThePages(t *testing.T) {
	for _, name := range task.Names() {
		page := map[string]string{"pretrain-nlvr": "nlvr"}[name]
		if page == "" {
			page = name
		}
		raw, err := os.ReadFile(filepath.Join("..", "..", "albef", "task", "configs", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := readPage(t, page+".md").files[name+".yaml"]; got != string(raw) {
			t.Errorf("docs/%s.md has %s.yaml as\n%s\nand it is built in as\n%s", page, name, got, raw)
		}
	}
}

// TestQuirksTable looks whether the table has all of them, and whether the tests
// that it names are there.
func TestQuirksTable(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "quirks.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = filepath.WalkDir(filepath.Join("..", ".."), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|.*\|$`).FindAllStringSubmatch(string(raw), -1)
	for i, row := range rows {
		if row[1] != fmt.Sprint(i+1) {
			t.Fatalf("row %d is about quirk %s", i+1, row[1])
		}
		named := regexp.MustCompile(`\bTest\w+`).FindAllString(row[0], -1)
		if len(named) == 0 && !strings.Contains(row[0], "doesn't apply") {
			t.Errorf("quirk %s: no test", row[1])
		}
		for _, name := range named {
			if !tests[name] {
				t.Errorf("quirk %s: there is no %s", row[1], name)
			}
		}
	}
	if len(rows) != 48 {
		t.Errorf("%d quirks, want 48", len(rows))
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
