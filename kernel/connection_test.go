package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadConnection(t *testing.T) {
	const ports = `"shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5`
	tests := []struct {
		name, text string
		want       string // the shell's endpoint, or part of the error
	}{
		{"tcp", `{"transport":"tcp","ip":"127.0.0.1",` + ports + `}`, "tcp://127.0.0.1:1"},
		{"defaults", `{` + ports + `}`, "tcp://127.0.0.1:1"},
		{"ipv6", `{"ip":"::1",` + ports + `}`, "tcp://[::1]:1"},
		{"ipc", `{"transport":"ipc","ip":"/tmp/k",` + ports + `}`, "ipc:///tmp/k-1"},
		{"no ports", `{}`, "shell_port is 0"},
		{"unknown transport", `{"transport":"pgm",` + ports + `}`, `"pgm"`},
		{"not json", `{`, "unexpected end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := readConnection(path)
			got := c.endpoint(c.ShellPort)
			if err != nil {
				got = err.Error()
				if !strings.Contains(got, path) {
					t.Errorf("error %q does not name the file", got)
				}
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("endpoint or error %q, want %q", got, tt.want)
			}
		})
	}
	_, err := readConnection("/no/such/file")
	if h, ok := err.(interface{ Hint() string }); !ok || h.Hint() == "" {
		t.Errorf("error %v has no hint", err)
	}
}
