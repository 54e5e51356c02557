package lab_test

import (
	"image"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/lab"
	"vlab/albef/task"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

func pixels(t *testing.T, img image.Image, res int) []float32 {
	t.Helper()
	out := make([]float32, 3*res*res)
	if err := data.NewResized(res).Apply(data.FromImage(img), nil, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// saved writes an untrained model for queries.
func saved(t *testing.T, note map[string]string) string {
	t.Helper()
	tok, vocab, err := task.SceneTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	c := albef.Tiny()
	c.VocabSize, c.CellLabels = tok.Size(), task.CellLabels(c.Grid())
	core, err := albef.New(c, torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := lab.FromTrained(&task.Trained{Model: core, Tokenizer: tok, Vocab: vocab}).Save(path); err != nil {
		t.Fatal(err)
	}
	if note == nil {
		return path
	}
	state, meta, err := weights.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(meta, note)
	if err := weights.WriteSafetensors(path, state, meta); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened is an untrained model that has been through a file.
func opened(t *testing.T) *lab.Model {
	t.Helper()
	m, err := lab.Open(saved(t, nil), lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// TestOpenWithAConfigTakesItsHeads of a file that doesn't tell them.
func TestOpenWithAConfigTakesItsHeads(t *testing.T) {
	path := saved(t, map[string]string{"model": ""})
	dir := t.TempDir()
	bert, config := filepath.Join(dir, "bert.json"), filepath.Join(dir, "c.yaml")
	for file, content := range map[string]string{
		bert: `{"num_attention_heads": 10}`, config: "bert_config: " + bert + "\nimage_res: 32\nk_test: 3\nmodel: {vision_heads: 5}\n",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := lab.Open(path, lab.WithDevice("cpu"), lab.WithConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if c := m.Config(); c.Heads != 10 || c.VisionHeads != 5 || c.ImageRes != 32 {
		t.Errorf("got %d and %d heads at %d px, want 10 and 5 at 32", c.Heads, c.VisionHeads, c.ImageRes)
	}
	if _, err := lab.Open(path, lab.WithConfig("none.yaml")); err == nil {
		t.Error("a missing configuration: no error")
	}
}

// TestSavedModelAnswersAlike compares a model with itself after half precision
// and a file, which holds neither momentum nor queue.
func TestSavedModelAnswersAlike(t *testing.T) {
	a, b := tiny(t), opened(t)
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	x, y := ground(t, a, img, "the red circle"), ground(t, b, img, "the red circle")
	// Half precision has 11 bits: an untrained logit of about 0.1 moves in the third digit at most.
	if math.Abs(x.Logit-y.Logit) > 2e-3 {
		t.Errorf("logit: got %g from the file, want %g", y.Logit, x.Logit)
	}
	if a.Config().Heads != b.Config().Heads || b.Config().CrossKeys != albef.PatchKeys {
		t.Errorf("sizes: got %+v, want %+v", b.Config(), a.Config())
	}
	info, err := os.Stat(saved(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	// 3.4 M parameters of two bytes.
	if mb := float64(info.Size()) / 1e6; mb < 6 || mb > 7.5 {
		t.Errorf("the file has %.1f MB, want about 6.8", mb)
	}
}

func TestOpenTakesTheNoteAndOptions(t *testing.T) {
	path := saved(t, map[string]string{"ground_layer": "4"})
	m, err := lab.Open(path, lab.WithDevice("cpu"), lab.WithImageRes(96), lab.WithShortlist(2))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Layer() != 4 || m.Config().ImageRes != 96 {
		t.Errorf("layer %d and %d pixels, want 4 and 96", m.Layer(), m.Config().ImageRes)
	}
	if g := ground(t, m, lab.Scenes(1, 1).Scene(0).Render(64), "the red circle"); g.Map().W != 12 {
		t.Errorf("map of %d cells a side, want 12", g.Map().W)
	}
	if s := m.String(); !strings.Contains(s, "96 px") || !strings.Contains(s, "3.4 M") || !strings.Contains(s, "cpu") {
		t.Errorf("String: %s", s)
	}
	if _, err := lab.Open(saved(t, map[string]string{"ground_layer": "9"})); err == nil {
		t.Error("ground_layer 9 of 5: no error")
	}
}

func TestOpenRefusesNonsense(t *testing.T) {
	dir := t.TempDir()
	short := filepath.Join(dir, "short.safetensors")
	whole, err := os.ReadFile(saved(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	write(t, short, whole[:len(whole)/2])
	write(t, filepath.Join(dir, "empty.pth"), nil)
	for name, path := range map[string]string{
		"no name": "", "unknown file": filepath.Join(dir, "nothing.pth"), "truncated": short, "0 bytes": filepath.Join(dir, "empty.pth"),
	} {
		m, err := lab.Open(path)
		if err == nil || hint(err) == "" {
			t.Errorf("%s: got %v, %v, want an error with a hint", name, m, err)
		}
	}
	if _, err := lab.Open(dir); err == nil {
		t.Error("folder without checkpoints: no error")
	}
	if _, err := lab.Open("demo", lab.WithDevice("tpu")); err == nil || !strings.Contains(err.Error(), "tpu") {
		t.Errorf("device tpu: %v", err)
	}
}

func TestDemoOpensAndUntrainedDiffers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "vlab-demo-*"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := lab.Open("demo", lab.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if after, _ := filepath.Glob(filepath.Join(os.TempDir(), "vlab-demo-*")); len(after) > len(files) {
		t.Errorf("opening left %v behind", after)
	}
	fresh, err := lab.Untrained(m, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	img := lab.Scenes(1, 1).Scene(0).Render(64)
	if a, b := ground(t, m, img, "the red circle"), ground(t, fresh, img, "the red circle"); a.Logit == b.Logit {
		t.Errorf("trained and untrained have one logit, %g", a.Logit)
	}
	m.Close()
	m.Close()
	if _, err := m.Ground(t.Context(), img, "the red circle"); err == nil {
		t.Error("a closed model answers")
	}
	if s := m.String(); !strings.Contains(s, "closed") {
		t.Errorf("String of a closed model: %s", s)
	}
}

// TestOpeningKeepsTheRandomState: a run in the background must repeat whatever
// a person opens meanwhile.
func TestOpeningKeepsTheRandomState(t *testing.T) {
	torch.Seed(11)
	before := torch.RandomState(torch.CPU)
	m := opened(t)
	fresh, err := lab.Untrained(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	torch.Seed(11)
	if m, err = lab.Open("demo", lab.WithDevice("cpu")); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if string(torch.RandomState(torch.CPU)) != string(before) {
		t.Error("the generator's state has changed")
	}
}
