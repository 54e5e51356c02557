package session_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPage runs the cell of docs/session.md, and asks for every command of its table.
func TestPage(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "session.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	var cell []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "    ") {
			cell = append(cell, strings.TrimPrefix(line, "    "))
		} else if len(cell) > 0 {
			break
		}
	}
	s := start(t)
	got, _ := eval(t, s, strings.Join(cell, ""))
	if want := "[{circle 0.9} {red 0.7}]"; got != want || !strings.Contains(page, want) {
		t.Errorf("the page's cell gives %q, want %q as it says", got, want)
	}
	help, _ := eval(t, s, "%help")
	for _, m := range regexp.MustCompile("(?m)^\\| `%+(\\w+)").FindAllStringSubmatch(page, -1) {
		if !strings.Contains(help, "%"+m[1]) {
			t.Errorf("the page has %%%s, and %%help has not", m[1])
		}
	}
}
