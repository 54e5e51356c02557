package train_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef/train"

	"github.com/google/go-cmp/cmp"
)

// recordSteps runs steps from first to last, four an epoch, and closes.
func recordSteps(t *testing.T, dir string, resumed, first, last int) {
	t.Helper()
	m, err := train.OpenMetrics(dir, resumed)
	if err != nil {
		t.Fatal(err)
	}
	for step := first; step <= last; step++ {
		epoch := (step - 1) / 4
		err = errors.Join(err, m.Step(step, epoch, map[string]float64{"lr": 1e-5, "loss_mlm": float64(step)}))
		if step%4 == 0 {
			err = errors.Join(err, m.Epoch(epoch, map[string]float64{"val_acc": 0.5}))
		}
	}
	if err := errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
}

func readLines(t *testing.T, path string) []map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for line := range strings.Lines(string(data)) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %q: %v", path, line, err)
		}
		lines = append(lines, v)
	}
	return lines
}

func TestMetricsResume(t *testing.T) {
	dir := t.TempDir()
	recordSteps(t, dir, 0, 1, 7)
	appendTo(t, filepath.Join(dir, "metrics.jsonl"), `{"step":8,"ep`)
	recordSteps(t, dir, 6, 7, 9)

	steps := readLines(t, filepath.Join(dir, "metrics.jsonl"))
	var got []float64
	for _, s := range steps {
		got = append(got, s["step"].(float64))
		if s["loss_mlm"] != s["step"] || s["lr"] != 1e-5 || s["time"].(float64) < 1e9 {
			t.Errorf("line %v: want loss_mlm as step, lr 1e-5 and a time", s)
		}
	}
	if diff := cmp.Diff([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, got); diff != "" {
		t.Errorf("steps (-want +got)\n%s", diff)
	}
	want := []map[string]any{
		{"train_loss_mlm": 2.5, "train_lr": 1e-5, "val_acc": 0.5, "epoch": 0.0},
		{"train_loss_mlm": 6.5, "train_lr": 1e-5, "val_acc": 0.5, "epoch": 1.0}, // steps 5 to 8, of both runs
	}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) })
	if diff := cmp.Diff(want, readLines(t, filepath.Join(dir, "log.txt")), near); diff != "" {
		t.Errorf("log.txt (-want +got)\n%s", diff)
	}
}

func TestMetricsNewRun(t *testing.T) {
	dir := t.TempDir()
	recordSteps(t, dir, 0, 1, 4)
	recordSteps(t, dir, 0, 1, 2)
	if got := len(readLines(t, filepath.Join(dir, "metrics.jsonl"))); got != 2 {
		t.Errorf("%d steps, want the second run's 2", got)
	}
	if got := len(readLines(t, filepath.Join(dir, "log.txt"))); got != 1 {
		t.Errorf("%d epochs, want the first run's 1", got)
	}
}

func TestMetricsLines(t *testing.T) {
	dir := t.TempDir()
	m, err := train.OpenMetrics(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Step(1, 0, map[string]float64{"loss": math.NaN(), "lr": math.Inf(1), "a": 2}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl")) // before Close
	if err != nil {
		t.Fatal(err)
	}
	if got := string(data); !strings.HasPrefix(got, `{"step":1,"epoch":0,"time":`) || !strings.HasSuffix(got, `,"a":2,"loss":"NaN","lr":"+Inf"}`+"\n") {
		t.Errorf("line %q", got)
	}
}

func TestOpenMetricsErrors(t *testing.T) {
	if _, err := train.OpenMetrics(filepath.Join(t.TempDir(), "none"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: error %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics.jsonl")
	for text, want := range map[string]string{
		"{\"step\":1}\nnonsense\n": path + ":2: ",
		"{\"loss\":1}\n":           path + ":1: the line has no step",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := train.OpenMetrics(dir, 5); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("metrics %q: error %v, want one with %q", text, err, want)
		}
		if data, _ := os.ReadFile(path); string(data) != text {
			t.Errorf("metrics %q became %q", text, data)
		}
	}
}

// TestMetricsEvents takes the event files apart. TensorBoard's protobuf spells
// the same events in the bytes below.
func TestMetricsEvents(t *testing.T) {
	dir := t.TempDir()
	recordSteps(t, dir, 0, 1, 1)
	recordSteps(t, dir, 300, 301, 301)
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("event files %q, error %v; want 2", files, err)
	}
	version := "\x1a\x0dbrain.Event:2"
	// step 1: {train/loss_mlm 1.0, train/lr 1e-5}
	first := "\x10\x01\x2a\x28\x0a\x15\x0a\x0etrain/loss_mlm\x15\x00\x00\x80\x3f\x0a\x0f\x0a\x08train/lr\x15\xac\xc5\x27\x37"
	restart := "\x10\xad\x02\x3a\x02\x08\x01" // step 301, START
	last := "\x10\xad\x02" + strings.ReplaceAll(first[2:], "\x00\x00\x80\x3f", "\x00\x80\x96\x43")
	for i, want := range [][]string{{version, first}, {version, restart, last}} {
		if diff := cmp.Diff(want, readEvents(t, files[i])); diff != "" {
			t.Errorf("events of file %d (-want +got)\n%s", i, diff)
		}
	}
}

// readEvents checks the frame and the wall time of each event and returns what
// follows them.
func readEvents(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unmask := func(b []byte) uint32 {
		sum := binary.LittleEndian.Uint32(b) - 0xa282ead8
		return sum>>17 | sum<<15
	}
	var events []string
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		if got, want := unmask(data[8:]), crc32.Checksum(data[:8], crc32.MakeTable(crc32.Castagnoli)); got != want {
			t.Fatalf("%s: checksum %x of the length, want %x", path, got, want)
		}
		event := data[12 : 12+n]
		if got, want := unmask(data[12+n:]), crc32.Checksum(event, crc32.MakeTable(crc32.Castagnoli)); got != want {
			t.Fatalf("%s: checksum %x of an event, want %x", path, got, want)
		}
		if wall := math.Float64frombits(binary.LittleEndian.Uint64(event[1:])); event[0] != 9 || wall < 1e9 {
			t.Errorf("%s: tag %d, wall time %v", path, event[0], wall)
		}
		events = append(events, string(event[9:]))
		data = data[16+n:]
	}
	return events
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
