package train_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef/train"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// officialYAML holds every key of the official configs, in their spelling.
const officialYAML = `train_file: ['data/a.json',
             'data/b.json'
             ]
# a comment
val_file: 'data/val.json'
test_file: ['data/test.json']
answer_list: 'data/answer_list.json'
image_root: '/images/' #flickr30k-images/
vqa_root: '/vqa/'
vg_root: '/vg/'
refcoco_data: 'data'
det_file: 'data/dets.json'
coco_file: 'data/cocos.json'
bert_config: 'configs/config_bert.json'
image_res: 384
vision_width: 768
embed_dim: 256
batch_size: 64
batch_size_train: 32
batch_size_test: 16
queue_size: 65536
momentum: 0.995
temp: 0.07
mlm_probability: 0.15
k_test: 128
alpha: 0.4
distill: True
warm_up: False
eval_ema: False
eos: '[SEP]'
optimizer: {opt: adamW, lr: 1e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-5, epochs: 5, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`

const ownYAML = `model: {width: 160, depth: 3}
max_steps: 2000
seed: 7
dtype: bf16
log_every: 10
save_every: 500
eval_every: 250
num_workers: 2
grad_clip: 1
accumulate: 4
checkpoint_activations: true
cuda_graphs: off
scenes: {n: 32000, seed: 1}
start: demo
`

func parseConfig(t *testing.T, yaml string) *train.Config {
	t.Helper()
	c, err := train.ParseConfig("x.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseConfig(t *testing.T) {
	c := parseConfig(t, officialYAML+ownYAML)
	want := &train.Config{
		TrainFile: []string{"data/a.json", "data/b.json"}, ValFile: []string{"data/val.json"},
		TestFile: []string{"data/test.json"}, AnswerList: "data/answer_list.json",
		ImageRoot: "/images/", VQARoot: "/vqa/", VGRoot: "/vg/",
		RefcocoData: "data", DetFile: "data/dets.json", CocoFile: "data/cocos.json",
		BertConfig: "configs/config_bert.json", ImageRes: 384, VisionWidth: 768, EmbedDim: 256,
		BatchSize: 64, BatchSizeTrain: 32, BatchSizeTest: 16,
		Temperature: 0.07, MaskProb: 0.15, QueueSize: 65536, MomentumDecay: 0.995,
		DistillWeight: 0.4, Distill: true, KTest: 128, EOS: "[SEP]",
		Augment: "official", Inference: "rank", NumBeams: 3, GradcamMode: "itm", BlockNum: 8,
		Optimizer: train.OptimizerConfig{Opt: "adamW", LR: 1e-5, WeightDecay: 0.02, Eps: 1e-8, Betas: []float64{0.9, 0.999}},
		Schedular: train.ScheduleConfig{Sched: "cosine", LR: 1e-5, Epochs: 5, MinLR: 1e-6, DecayRate: 1, WarmupLR: 1e-5, WarmupEpochs: 1},
		MaxSteps:  2000, Seed: 7, DType: "bf16", LogEvery: 10, SaveEvery: 500, EvalEvery: 250, NumWorkers: 2, GradClip: 1,
		Accumulate: 4, CheckpointActivations: true, CUDAGraphs: "off",
	}
	if diff := cmp.Diff(want, c, ignoreRawNodes()); diff != "" {
		t.Errorf("config (-want +got)\n%s", diff)
	}
	if err := c.Validate(); err != nil {
		t.Errorf("Validate: %v", err)
	}
	var scenes struct{ N, Seed int }
	if err := c.Scenes.Decode(&scenes); err != nil || scenes.N != 32000 || scenes.Seed != 1 {
		t.Errorf("scenes %+v, error %v; want 32000 and 1", scenes, err)
	}
	if c.Start.Value != "demo" || c.Model.IsZero() {
		t.Errorf("start %q, model %+v; want demo and a map", c.Start.Value, c.Model)
	}
	wantSchedule := train.Schedule{LR: 1e-5, MinLR: 1e-6, WarmupLR: 1e-5, WarmupEpochs: 1, Epochs: 5}
	if got := c.Schedule(); got != wantSchedule {
		t.Errorf("Schedule() = %+v, want %+v", got, wantSchedule)
	}
}

func ignoreRawNodes() cmp.Option {
	return cmp.Options{
		cmpopts.IgnoreFields(train.Config{}, "Model", "Scenes", "Start"),
		cmpopts.IgnoreUnexported(train.Config{}),
	}
}

func TestParseConfigDefaults(t *testing.T) {
	c := parseConfig(t, "# nothing\n")
	if diff := cmp.Diff(train.DefaultConfig(), c, ignoreRawNodes()); diff != "" {
		t.Errorf("empty file (-default +got)\n%s", diff)
	}
	c = parseConfig(t, "alpha: 0\ntemp:\n")
	if c.DistillWeight != 0 || !c.Has("alpha") || c.Temperature != 0.07 || c.Has("temp") || c.Has("optimizer.lr") {
		t.Errorf("got alpha %v and temp %v, want the file's 0 and the default", c.DistillWeight, c.Temperature)
	}
}

func TestParseConfigNumbers(t *testing.T) {
	for spelling, want := range map[string]float64{
		"1e-5": 1e-5, "1E-5": 1e-5, "1.0e-05": 1e-5, "+.5": 0.5, "1.": 1, "3": 3, "1e+2": 100, "2e1": 20,
	} {
		c := parseConfig(t, "optimizer:\n  lr: "+spelling+"\n")
		if c.Optimizer.LR != want {
			t.Errorf("lr: %s is %v, want %v", spelling, c.Optimizer.LR, want)
		}
	}
	for spelling, want := range map[string]bool{"True": true, "yes": true, "OFF": false, "false": false} {
		if c := parseConfig(t, "distill: "+spelling+"\n"); c.Distill != want {
			t.Errorf("distill: %s is %v, want %v", spelling, c.Distill, want)
		}
	}
}

func TestParseConfigErrors(t *testing.T) {
	tests := []struct{ name, yaml, want, hint string }{
		{"unknown key", "temp: 0.1\nbatch_size_trian: 3\n", `config x.yaml:2: unknown key "batch_size_trian"`, `did you mean "batch_size_train"?`},
		{"unknown nested key", "optimizer:\n  lr: 1\n  weigth_decay: 0\n", `config x.yaml:3: unknown key "optimizer.weigth_decay"`, `did you mean "optimizer.weight_decay"?`},
		{"far from all", "schedular: {banana: 1}\n", `config x.yaml:1: unknown key "schedular.banana"`, "known keys: cooldown_epochs, decay_rate, "},
		{"text for a number", "a: 1", `config x.yaml:1: unknown key "a"`, "known keys: "},
		{"text for a whole number", "\nimage_res: big\n", `config x.yaml:2: image_res: want a whole number, got "big"`, ""},
		{"half for a whole number", "image_res: 1.5\n", `config x.yaml:1: image_res: want a whole number, got "1.5"`, ""},
		{"quoted number", "optimizer: {lr: '1e-5'}\n", `config x.yaml:1: optimizer.lr: want a number, got "1e-5"`, ""},
		{"endless number", "temp: .inf\n", `config x.yaml:1: temp: want a number, got ".inf"`, ""},
		{"list for text", "eos: [SEP]\n", `config x.yaml:1: eos: want text, got a list`, ""},
		{"map in a list", "train_file:\n- a.json\n- {b: c}\n", `config x.yaml:2: train_file: want text or a list of texts, got a list`, ""},
		{"number for truth", "distill: 1\n", `config x.yaml:1: distill: want true or false, got "1"`, ""},
		{"value for a map", "optimizer: adamW\n", `config x.yaml:1: optimizer: want a map, got "adamW"`, ""},
		{"twice", "temp: 1\nalpha: 0\ntemp: 2\n", `config x.yaml:3: key "temp" is already on line 1`, ""},
		{"no map", "- a\n", "config x.yaml:1: want keys with values, got a list", ""},
		{"alias", "scenes: &s {n: 1}\nmodel: [*s]\n", "config x.yaml:2: model: holds a YAML alias", "write the value out"},
		{"characters", "temp: 1\nalpha: @\n", "config x.yaml:2: found character that cannot start any token", ""},
		{"syntax", "temp: 1\nalpha: [1\nseed: 2\n", "config x.yaml:2: did not find expected ',' or ']'", ""},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, err := train.ParseConfig("x.yaml", []byte(c.yaml))
			checkConfigError(t, err, c.want, c.hint)
		})
	}
	_, err := train.ReadConfig(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("ReadConfig of no file: %v", err)
	}
}

// checkConfigError wants err to read as want and its hint to start with hint.
func checkConfigError(t *testing.T, err error, want, hint string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Fatalf("error\n got %v\nwant %s", err, want)
	}
	var hinted interface{ Hint() string }
	got := ""
	if errors.As(err, &hinted) {
		got = hinted.Hint()
	}
	if !strings.HasPrefix(got, hint) || hint == "" && got != "" {
		t.Errorf("hint %q, want %q", got, hint)
	}
}

func TestConfigSet(t *testing.T) {
	c := parseConfig(t, officialYAML+ownYAML)
	for key, value := range map[string]string{
		"optimizer.lr": "3e-4", "train_file": "[c.json, d.json]", "test_file": "e.json", "eos": "[SEP]",
		"model.depth": "6", "model.text.layers": "2", "start": "checkpoint.pth", "val_file": "", "distill": "no",
	} {
		if err := c.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	var model struct {
		Width, Depth int
		Text         struct{ Layers int }
	}
	if err := c.Model.Decode(&model); err != nil {
		t.Fatal(err)
	}
	if model.Width != 160 || model.Depth != 6 || model.Text.Layers != 2 {
		t.Errorf("model %+v, want width 160, depth 6, text layers 2", model)
	}
	if c.Optimizer.LR != 3e-4 || c.EOS != "[SEP]" || c.Start.Value != "checkpoint.pth" || c.Distill || len(c.ValFile) != 0 {
		t.Errorf("after Set: %+v", c)
	}
	if !slices.Equal(c.TrainFile, []string{"c.json", "d.json"}) || !slices.Equal(c.TestFile, []string{"e.json"}) {
		t.Errorf("train_file %q, test_file %q", c.TrainFile, c.TestFile)
	}
	if !c.Has("model.depth") || c.Has("model.width") {
		t.Errorf("Has(model.depth) = %v, Has(model.width) = %v; want only what Set gave", c.Has("model.depth"), c.Has("model.width"))
	}
}

func TestConfigSetErrors(t *testing.T) {
	tests := []struct{ key, value, want, hint string }{
		{"batch_size_trian", "3", `--set batch_size_trian=3: unknown key "batch_size_trian"`, `did you mean "batch_size_train"?`},
		{"optimizer.l", "3", `--set optimizer.l=3: unknown key "optimizer.l"`, `did you mean "optimizer.lr"?`},
		{"temp.x", "3", `--set temp.x=3: "temp" is a value, not a map`, ""},
		{"temp", "hot", `--set temp=hot: temp: want a number, got "hot"`, ""},
		{"start.at", "3", `--set start.at=3: "start" is "demo", not a map`, "write it as a map in the config"},
		{"train_file", "[a", `--set train_file=[a: the value is not YAML`, "put text in quotes"},
		{"", "3", `--set =3: the key is empty`, "write --set key=value"},
	}
	for _, c := range tests {
		checkConfigError(t, parseConfig(t, officialYAML+ownYAML).Set(c.key, c.value), c.want, c.hint)
	}
}

func TestConfigValidate(t *testing.T) {
	c := parseConfig(t, officialYAML)
	if err := c.Set("alpha", "1.5"); err != nil {
		t.Fatal(err)
	}
	checkConfigError(t, c.Validate(), "--set alpha=1.5: alpha is 1.5", "alpha must be from 0 to 1")
	checkConfigError(t, parseConfig(t, "temp: 1\noptimizer: {opt: sgd, lr: 1}\n").Validate(), "config x.yaml:2: optimizer.opt is sgd", "optimizer.opt must be adamW")
	checkConfigError(t, parseConfig(t, "optimizer: {lr: 1}\naccumulate: 0\n").Validate(), "config x.yaml:2: accumulate is 0", "accumulate must be 1 or more")
	checkConfigError(t, parseConfig(t, "temp: 1\n").Validate(), "config: optimizer.lr is 0", "optimizer.lr must be more than 0")
	checkConfigError(t, parseConfig(t, "optimizer: {lr: 1}\ndtype: fp8\n").Validate(), "config x.yaml:2: dtype is fp8", "dtype must be fp32 or bf16")
	checkConfigError(t, parseConfig(t, "optimizer: {lr: 1}\ncuda_graphs: yes\n").Validate(), "config x.yaml:2: cuda_graphs is yes", "cuda_graphs must be auto, on or off")
}

func TestConfigWriteFile(t *testing.T) {
	c := parseConfig(t, officialYAML+ownYAML)
	if err := c.Set("model.lr_scale", "1e-05"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := c.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	again, err := train.ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again, ignoreRawNodes()); diff != "" {
		t.Errorf("read back (-written +read)\n%s", diff)
	}
	var model map[string]float64
	if err := again.Model.Decode(&model); err != nil || model["width"] != 160 || model["lr_scale"] != 1e-5 {
		t.Errorf("model %v, error %v", model, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "lr: 1.0e-05\n") {
		t.Errorf("no YAML 1.1 number in\n%s", data)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files in the folder, want 1", len(files))
	}
	if err := c.WriteFile(filepath.Join(path, "config.yaml")); err == nil {
		t.Error("WriteFile into what is no folder: got no error")
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(officialYAML + ownYAML)
	f.Add("a: &a [*a]\nmodel: *a\n")
	f.Add("<<: {temp: 1}\noptimizer: {<<: 1}\n? [x]\n: y\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := train.ParseConfig("f", []byte(s))
		if err != nil {
			return
		}
		if math.IsNaN(c.Temperature) || math.IsInf(c.Temperature, 0) {
			t.Errorf("temp %v", c.Temperature)
		}
		_ = c.Validate()
		_ = c.Set("model.a.b", "1")
		if err := c.WriteFile(filepath.Join(t.TempDir(), "c")); err != nil {
			t.Error(err)
		}
	})
}
