package train_test

import (
	"os"
	"path/filepath"
	"testing"

	"vlab/albef/train"
)

func TestSetAsideKeepsEarlierRuns(t *testing.T) {
	dir := t.TempDir()
	put := func(names ...string) {
		for _, name := range names {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("config.yaml", "log.txt", "notes.txt")
	if moved, err := train.SetAside(dir); moved != "" || err != nil {
		t.Fatalf("without checkpoints: got %q, %v", moved, err)
	}
	for _, want := range []string{"earlier-1", "earlier-2"} {
		put("checkpoint_00.pth", "checkpoint_last.pth", "metrics.jsonl", "config.yaml", "result/a.json", "events.out.tfevents.1.host")
		moved, err := train.SetAside(dir)
		if err != nil || moved != filepath.Join(dir, want) {
			t.Fatalf("got %q, %v, want %s", moved, err, want)
		}
		for _, name := range []string{"checkpoint_00.pth", "checkpoint_last.pth", "metrics.jsonl", "config.yaml", "result/a.json", "events.out.tfevents.1.host"} {
			if got, err := os.ReadFile(filepath.Join(moved, name)); string(got) != name {
				t.Errorf("%s in %s: got %q, %v", name, want, got, err)
			}
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s is still in its old place", name)
			}
		}
	}
	for _, name := range []string{"log.txt", "notes.txt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
