package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

func TestAskedWords(t *testing.T) {
	positions, words := asked([]int64{-100, 7, -100, 0})
	if !slices.Equal(positions, []int64{1, 3}) || !slices.Equal(words, []int64{7, 0}) {
		t.Errorf("got %v %v, want [1 3] [7 0]", positions, words)
	}
}

// TestCompare repeats steps of a small model that the same model recorded,
// then with a loss that is off.
func TestCompare(t *testing.T) {
	rec, c := recorded()
	withModel(t, c, func(m *albef.Model, opt *train.AdamW) {
		for i := range equalSteps {
			batch, err := rec.batch(i)
			if err != nil {
				t.Fatal(err)
			}
			got, err := bench.Step(m, opt, batch, bench.Way{})
			if err != nil {
				t.Fatal(err)
			}
			rec.tensors.Set(losses(i), floats(float32(got.Losses[0]), float32(got.Losses[1]), float32(got.Losses[2])))
		}
	})
	withModel(t, c, func(m *albef.Model, opt *train.AdamW) {
		if err := rec.compare(m, opt, "fp32", said(t, rec)); err != nil {
			t.Error(err)
		}
	})
	others := said(t, rec)
	last, _ := rec.tensors.Get(losses(equalSteps - 1))
	v := last.Float32s()
	rec.tensors.Set(losses(equalSteps-1), floats(v[0], v[1], v[2]*1.001))
	withModel(t, c, func(m *albef.Model, opt *train.AdamW) {
		if err := rec.compare(m, opt, "fp32", others); err == nil || !strings.Contains(err.Error(), "apart") {
			t.Errorf("a loss that is off by 1/1000: got %v, want an error", err)
		}
	})
}

// said is what a model that agrees with a record prints of it.
func said(t *testing.T, rec *record) []byte {
	t.Helper()
	var out bytes.Buffer
	for i := range equalSteps {
		v, err := rec.losses(i)
		if err == nil {
			err = json.NewEncoder(&out).Encode(v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// withModel gives fn a model that is the same every time.
func withModel(t *testing.T, c albef.Config, fn func(m *albef.Model, opt *train.AdamW)) {
	t.Helper()
	m, err := albef.New(c, torch.CPU, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.SetSampler(func(w *torch.Tensor) *torch.Tensor { return w.Argmax(1) })
	opt := bench.NewOptimizer(m)
	defer opt.Close()
	fn(m, opt)
}

func losses(step int) string { return "losses." + string(rune('0'+step)) }

// recorded are inputs for a small model, without losses.
func recorded() (*record, albef.Config) {
	c := albef.Mid()
	c.ImageRes, c.VisionWidth, c.VisionMLP, c.VisionDepth, c.VisionHeads = 32, 16, 32, 1, 2
	c.Hidden, c.Intermediate, c.Heads, c.Layers, c.FusionLayer = 16, 32, 2, 2, 1
	c.VocabSize, c.EmbedDim, c.QueueSize, c.Dropout = 200, 8, 6, 0
	pixels := make([]float32, 3*3*32*32)
	for i := range pixels {
		pixels[i] = float32(math.Sin(float64(i * i % 977)))
	}
	ids := []int64{101, 11, 12, 101, 21, 22, 101, 31, 0}
	mask := []int64{1, 1, 1, 1, 1, 1, 1, 1, 0}
	d := weights.NewDict()
	image := floats(pixels...)
	image.Shape = []int{3, 3, 32, 32}
	d.Set("images", image)
	d.Set("ids", ints(ids...))
	d.Set("mask", ints(mask...))
	for _, step := range []string{"0", "1", "2"} {
		d.Set("masked."+step, ints(101, 103, 12, 101, 21, 103, 101, 31, 0))
		d.Set("labels."+step, ints(-100, 11, -100, -100, -100, 22, -100, 31, -100))
	}
	return &record{d, torch.CPU}, c
}

// ints makes 3 rows.
func ints(v ...int64) *weights.Tensor {
	var t *weights.Tensor
	if err := torch.Do(func(s *torch.Scope) { t = albef.ToWeights(s.Ints(v, 3, len(v)/3)) }); err != nil {
		panic(err)
	}
	return t
}

func floats(v ...float32) *weights.Tensor {
	var t *weights.Tensor
	if err := torch.Do(func(s *torch.Scope) { t = albef.ToWeights(s.Floats(v, len(v))) }); err != nil {
		panic(err)
	}
	return t
}

func TestRunReportsWhatACommandSaid(t *testing.T) {
	_, err := run(context.Background(), "sh", "-c", "echo no such folder >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("got %v, want the command's own words", err)
	}
	if _, err = run(context.Background(), "echo", "3 ms"); err == nil || !strings.Contains(err.Error(), "3 ms") {
		t.Errorf("got %v, want what it printed", err)
	}
	r, err := run(context.Background(), "echo", `{"median_ms": 12.5}`)
	if err != nil || r.MedianMS != 12.5 {
		t.Errorf("got %v, %v, want 12.5", r.MedianMS, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"--official", "x", "--dtype", "fp64"},
		{"--official", "x", "--rounds", "many"},
		{"--official", "x", "--rounds", "0"},
		{"--official", "x", "--work", "step,sleep"},
		{"--official", "x", "--size", "tiny"},
		{"--official", "x", "--work", ""},
		{"--official", "x", "--compile", "all"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}

// TestContests lists what is raced, as work/size/type/batch/threads.
func TestContests(t *testing.T) {
	const all = "step/mid/fp32/16/2+compiled step/mid/bf16/16/2+compiled step/full/fp32/2/2 step/full/bf16/2/2 " +
		"rerank/mid/fp32/64/2 gradcam/mid/fp32/1/2 gradcam/full/fp32/1/2 " +
		"embed/mid/fp32/16/2 embed/mid/bf16/16/2 embed/full/fp32/4/2 embed/full/bf16/4/2 answer/mid/fp32/1/2 decode/mid/fp32/32/1 decode/full/fp32/32/1"
	for _, tt := range []struct{ args, want string }{
		{"", all},
		{"--work decode,step --size full --dtype bf16 --compile full --batch 3", "step/full/bf16/3/2+compiled"},
		{"--work gradcam,answer --batch 3 --threads 1 --compile=", "gradcam/mid/fp32/1/1 gradcam/full/fp32/1/1 answer/mid/fp32/3/1"},
		{"--work rerank --size full", ""},
	} {
		o, err := parse(append([]string{"--official", "x"}, strings.Fields(tt.args)...))
		if err != nil {
			t.Fatal(err)
		}
		contests, err := o.contests()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range contests {
			name := fmt.Sprintf("%s/%s/%s/%d/%d", c.work, c.size, c.dtype, c.batch, c.threads)
			if c.compiles {
				name += "+compiled"
			}
			got = append(got, name)
			if c.steps < 1 {
				t.Errorf("%s: %d repetitions", name, c.steps)
			}
		}
		if have := strings.Join(got, " "); have != tt.want {
			t.Errorf("%s: got %s\nwant %s", tt.args, have, tt.want)
		}
	}
}

// TestCommands looks at what each is started with.
func TestCommands(t *testing.T) {
	o, err := parse([]string{"--official", "dir", "--python", "py", "--work", "rerank", "--steps", "3"})
	if err != nil {
		t.Fatal(err)
	}
	contests, err := o.contests()
	if err != nil {
		t.Fatal(err)
	}
	all := o.runners(contests[0])
	if len(all) != 3 || all[0].name != "official" || all[1].name != "modern" || all[2].name != "ours" {
		t.Fatalf("got %+v, want official, modern and ours", all)
	}
	if got, want := strings.Join(all[2].command, " "),
		"bin/vlab bench rerank --json --device cpu --size mid --batch 64 --dtype fp32 --threads 2 --steps 3 --warm 0"; got != want {
		t.Errorf("ours: got %s\nwant %s", got, want)
	}
	for _, r := range all[:2] {
		got := strings.Join(r.command, " ")
		if !strings.HasPrefix(got, "py albef/bench/peer/queries.py rerank --shape {\"images\":200,\"captions\":[8,12,") ||
			!strings.HasSuffix(got, "--batch 64 --dtype fp32 --threads 2 --device cpu --steps 3 --warmup 0") {
			t.Errorf("%s: got %s", r.name, got)
		}
	}
}
