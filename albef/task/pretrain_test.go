package task_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vlab/albef/scenes"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/train"
)

func TestMain(m *testing.M) {
	before := torch.Live()
	code := m.Run()
	if now := torch.Live(); code == 0 && now != before {
		fmt.Fprintf(os.Stderr, "torch.Live() is %d after all tests, want %d\n", now, before)
		code = 1
	}
	os.Exit(code)
}

// small is a model of a few thousand parameters on drawn scenes.
const small = `
model: {image_res: 32, patch_size: 8, vision_width: 16, vision_depth: 1, vision_heads: 2, vision_mlp: 32, stem: conv,
  hidden_size: 16, intermediate_size: 32, num_hidden_layers: 2, fusion_layer: 1, num_attention_heads: 2,
  max_position_embeddings: 40, dropout: 0.1, norms: pre, cross_keys: patches, embed_dim: 8}
scenes: {seed: 3, epoch_steps: 4, claims: 2, phrases: 0.2, mask_words: true, cells: true}
batch_size: 4
queue_size: 8
alpha: 0.4
optimizer: {opt: adamW, lr: 1e-3, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-3, epochs: 2, min_lr: 1e-5}
log_every: 1
`

func config(t *testing.T, yaml string) *train.Config {
	t.Helper()
	c, err := train.ParseConfig("test.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var quiet = slog.New(slog.DiscardHandler)

// losses reads a run's metrics.jsonl.
func losses(t *testing.T, dir string) []map[string]float64 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []map[string]float64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var m map[string]float64
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		out = append(out, m)
	}
	return out
}

func TestPretrainGoesOnAsIfItHadNeverStopped(t *testing.T) {
	plain := goesOn(t, small)
	recorded := goesOn(t, small+"cuda_graphs: on\n")
	for i := range plain {
		for name, want := range plain[i] {
			if got := recorded[i][name]; name != "time" && math.Abs(got-want) > 1e-3 {
				t.Errorf("step %d %s: %v recorded, %v as it is", i+1, name, got, want)
			}
		}
	}
	for name, keys := range map[string]string{
		"layers again":           "checkpoint_activations: true\ngrad_clip: 1\n",
		"in parts, layers again": "accumulate: 2\ncheckpoint_activations: true\ndtype: bf16\n",
	} {
		t.Run(name, func(t *testing.T) { goesOn(t, small+keys) })
	}
}

// TestAnInterruptedStartGoesOn: steps of the supervised start are kept like any others.
func TestAnInterruptedStartGoesOn(t *testing.T) {
	goesOnAfter(t, small+"start: {steps: 6, batch_size: 4, lr: 1e-3, freeze_epoch: -1, itc: 0.5}\n", "start", 0)
}

// goesOn runs a configuration in one go and in two, and returns the first's steps.
func goesOn(t *testing.T, yaml string) []map[string]float64 {
	t.Helper()
	return goesOnAfter(t, yaml, "pretrain", 3)
}

// goesOnAfter interrupts the second run at the third step of a stage, when so many
// steps of pretraining are done.
func goesOnAfter(t *testing.T, yaml, stage string, done int) []map[string]float64 {
	t.Helper()
	whole, parted := t.TempDir(), t.TempDir()
	m, err := task.Pretrain{Config: config(t, yaml), Dir: whole, Device: torch.CPU, Logger: quiet}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Model.Close()

	ctx, cancel := context.WithCancel(t.Context())
	m, err = task.Pretrain{
		Config: config(t, yaml), Dir: parted, Device: torch.CPU, Logger: quiet,
		Observe: func(at string, p train.Progress) {
			if at == stage && p.Step == 3 {
				cancel()
			}
		},
	}.Run(ctx)
	if !errors.Is(err, train.ErrInterrupted) {
		t.Fatalf("a cancelled run: got %v, want ErrInterrupted", err)
	}
	m.Model.Close()
	if got := len(losses(t, parted)); got != done {
		t.Fatalf("steps recorded at the interrupt: got %d, want %d", got, done)
	}
	m, err = task.Pretrain{Config: config(t, yaml), Dir: parted, Device: torch.CPU, Logger: quiet, Resume: true}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Model.Close()

	a, b := losses(t, whole), losses(t, parted)
	if len(a) != 8 || len(b) != 8 {
		t.Fatalf("steps recorded: got %d and %d, want 8", len(a), len(b))
	}
	for i := range a {
		for _, name := range []string{"loss_mlm", "loss_ita", "loss_itm", "loss_claims", "loss_cells"} {
			if d := a[i][name] - b[i][name]; d > 1e-4 || d < -1e-4 {
				t.Errorf("step %d %s: %v in one go, %v in two", i+1, name, a[i][name], b[i][name])
			}
		}
	}
	return a
}

func TestPretrainOnRecordsSkipsAndNamesBadImages(t *testing.T) {
	corpus, out := t.TempDir(), t.TempDir()
	if err := scenes.Write(t.Context(), corpus, 40, 5, 32, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(corpus, "images/train/000003.png"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	yaml := strings.Replace(small, "scenes: {seed: 3, epoch_steps: 4, claims: 2, phrases: 0.2, mask_words: true, cells: true}",
		fmt.Sprintf("train_file: [%s/pretrain.json]\nimage_root: %s\nbert_config: %s/bert.json\nmax_steps: 6\nskip_bad: true", corpus, corpus, out), 1)
	if err := os.WriteFile(filepath.Join(out, "bert.json"), []byte(`{"vocab_size": 30522}`), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := task.Pretrain{Config: config(t, yaml), Dir: out, Device: torch.CPU, Logger: quiet}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Model.Close()
	if got := len(losses(t, out)); got != 6 {
		t.Errorf("steps recorded: got %d, want 6", got)
	}
}

func TestPretrainErrorsNameTheKey(t *testing.T) {
	for _, tt := range []struct{ name, old, with, want string }{
		{"unknown key in scenes", "claims: 2", "claim: 2", "claim"},
		{"parts of another size", "batch_size: 4", "batch_size: 4\naccumulate: 3", "test.yaml:7: accumulate is 3, and 4 pairs can't be cut into as many parts"},
		{"unknown preset", small[:strings.Index(small, "scenes:")], "model: huge\n", "huge"},
		{"queue and batch", "queue_size: 8", "queue_size: 6", "queue_size"},
		{"nothing to train on", small[strings.Index(small, "scenes:"):strings.Index(small, "batch_size:")], "", "train_file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := train.ParseConfig("test.yaml", []byte(strings.Replace(small, tt.old, tt.with, 1)))
			if err == nil {
				_, err = task.Pretrain{Config: c, Dir: t.TempDir(), Device: torch.CPU, Logger: quiet}.Run(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error that names %s", err, tt.want)
			}
		})
	}
}

func TestSceneTokenizerKnowsEveryWord(t *testing.T) {
	tok, vocab, err := task.SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	if tok.Size() != len(vocab) {
		t.Errorf("%d tokens, want %d", tok.Size(), len(vocab))
	}
	for _, w := range scenes.Words() {
		if _, ok := tok.ID(w); !ok {
			t.Errorf("no token %q", w)
		}
	}
}

// TestMemoryStaysFlat trains and compares the resident memory of two moments.
// The long form, 2,000 steps of the tiny preset at batch 8 (some ten minutes on
// one core), runs where VLAB_MEMORY_STEPS is set.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	steps, first, yaml := 400, 200, strings.Replace(small, "epochs: 2", "epochs: 100", 1)
	if os.Getenv("VLAB_MEMORY_STEPS") != "" {
		steps, first = 2000, 200
		c, err := task.ReadConfig("tiny")
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []string{"start.steps=0", "start.freeze_epoch=0", "batch_size=8", "schedular.epochs=20", "save_every=0", "log_every=10"} {
			key, value, _ := strings.Cut(set, "=")
			if err := c.Set(key, value); err != nil {
				t.Fatal(err)
			}
		}
		checkFlat(t, c, steps, first)
		return
	}
	checkFlat(t, config(t, yaml+"save_every: 0\n"), steps, first)
}

func checkFlat(t *testing.T, c *train.Config, steps, first int) {
	t.Helper()
	var early, late, liveEarly, liveLate int64
	m, err := task.Pretrain{
		Config: c, Dir: t.TempDir(), Device: torch.CPU, Logger: quiet,
		Observe: func(stage string, p train.Progress) {
			switch {
			case stage == "pretrain" && p.Step == first:
				early, liveEarly = resident(t), torch.Live()
			case stage == "pretrain" && p.Step == steps:
				late, liveLate = resident(t), torch.Live()
			}
		},
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Model.Close()
	t.Logf("resident memory at step %d: %.1f MB, at step %d: %.1f MB (%+.1f %%); live tensors %d and %d", first,
		float64(early)/1e6, steps, float64(late)/1e6, 100*float64(late-early)/float64(early), liveEarly, liveLate)
	if liveEarly != liveLate {
		t.Errorf("live tensors: %d at step %d, %d at step %d", liveEarly, first, liveLate, steps)
	}
	if float64(late) > 1.03*float64(early) {
		t.Errorf("resident memory grew from %d to %d bytes, more than 3 %%", early, late)
	}
}

// resident is the process's resident memory in bytes after a collection.
func resident(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm here: ", err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(raw), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
