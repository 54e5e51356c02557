package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vlab/albef/scenes"
)

// officialConfigs are the keys and values of the official configs/*.yaml, in
// their spelling. With ALBEF_OFFICIAL the files themselves are taken.
var officialConfigs = map[string]string{
	"Pretrain": `train_file: ['data/coco.json',
               'data/vg.json']
` + officialBert + `
image_res: 256
vision_width: 768
embed_dim: 256
batch_size: 64
temp: 0.07
mlm_probability: 0.15
queue_size: 65536
momentum: 0.995
alpha: 0.4

optimizer: {opt: adamW, lr: 1e-4, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-4, epochs: 30, min_lr: 1e-5, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 20, cooldown_epochs: 0}
`,
	"Retrieval_flickr": `train_file: ['data/flickr30k_train.json']
val_file: 'data/flickr30k_val.json'
test_file: 'data/flickr30k_test.json'
image_root: '/export/flickr30k-images/'
` + officialBert + officialFinetune + `
k_test: 128
` + officialDistill + `
optimizer: {opt: adamW, lr: 1e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-5, epochs: 10, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
	"Retrieval_coco": `train_file: ['data/coco_train.json']
val_file: 'data/coco_val.json'
test_file: 'data/coco_test.json'
image_root: '/export/coco/images/'
` + officialBert + officialFinetune + `
k_test: 256
` + officialDistill + `
optimizer: {opt: adamW, lr: 1e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-5, epochs: 5, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
	"VQA": `train_file: ['data/vqa_train.json',
            'data/vg_qa.json']
test_file: ['data/vqa_test.json']
answer_list: 'data/answer_list.json'

vqa_root: '/export/vqa/'
vg_root: '/export/vg/'

image_res: 384
batch_size_train: 32
batch_size_test: 16
k_test: 128

alpha: 0.4
distill: True
warm_up: True

eos: '[SEP]'
` + officialBert + `
optimizer: {opt: adamW, lr: 2e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 2e-5, epochs: 8, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 4, cooldown_epochs: 0}
`,
	"VE": `train_file: 'data/ve_train.json'
val_file: 'data/ve_dev.json'
test_file: 'data/ve_test.json'
image_root: '/export/flickr30k-images/'
image_res: 384
batch_size_train: 32
batch_size_test: 64
alpha: 0.4
distill: True
warm_up: False
` + officialBert + `
optimizer: {opt: adamW, lr: 2e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 2e-5, epochs: 5, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
	"NLVR_pretrain": `train_file: ['data/coco.json',
               'data/vg.json']
` + officialBert + `
image_res: 256
vision_width: 768
embed_dim: 256
batch_size: 64

optimizer: {opt: adamW, lr: 2e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 2e-5, epochs: 1, min_lr: 1e-5, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
	"NLVR": `train_file: ['data/nlvr_train.json']
val_file: ['data/nlvr_dev.json']
test_file: ['data/nlvr_test.json']
image_root: '/export/nlvr2/'
image_res: 384
batch_size: 16
` + officialBert + `
alpha: 0.4
distill: True
warm_up: True
eval_ema: False
optimizer: {opt: adamW, lr: 2e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 2e-5, epochs: 10, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
	"Grounding": `train_file: ['data/refcoco+_train.json']
test_file: ['data/refcoco+_val.json','data/refcoco+_test.json']

refcoco_data: 'data'
det_file: 'data/refcoco+/dets.json'
coco_file: 'data/refcoco+/cocos.json'
image_root: '/export/coco/images/'
` + officialBert + `
image_res: 384
batch_size: 32
queue_size: 65536
momentum: 0.995
vision_width: 768
embed_dim: 256
temp: 0.07
` + officialDistill + `
optimizer: {opt: adamW, lr: 1e-5, weight_decay: 0.02}
schedular: {sched: cosine, lr: 1e-5, epochs: 5, min_lr: 1e-6, decay_rate: 1, warmup_lr: 1e-5, warmup_epochs: 1, cooldown_epochs: 0}
`,
}

const (
	officialBert     = "bert_config: 'configs/config_bert.json'\n"
	officialFinetune = `
image_res: 384
batch_size_train: 32
batch_size_test: 64
queue_size: 65536
momentum: 0.995
vision_width: 768
embed_dim: 256
temp: 0.07`
	officialDistill = `
alpha: 0.4
distill: True
warm_up: True
`
)

// smallBert is a config_bert.json, as the official one but small.
const smallBert = `{"architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
  "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 64, "layer_norm_eps": 1e-12, "max_position_embeddings": 64,
  "model_type": "bert", "num_attention_heads": 2, "num_hidden_layers": 4, "pad_token_id": 0, "type_vocab_size": 2,
  "vocab_size": 30522, "fusion_layer": 2, "encoder_width": 32}`

// TestOfficialConfigurations runs each official configuration with other paths
// on a drawn corpus: two steps of a small model, then the evaluation. Widths
// are the model's; of the rest only what a small corpus is too small for
// changes: batches and the queue.
func TestOfficialConfigurations(t *testing.T) {
	dir := t.TempDir()
	corpus := filepath.Join(dir, "corpus")
	if err := scenes.Write(t.Context(), corpus, 40, 3, 64, nil); err != nil {
		t.Fatal(err)
	}
	bert := filepath.Join(dir, "config_bert.json")
	if err := os.WriteFile(bert, []byte(smallBert), 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(names ...string) string {
		for i, name := range names {
			names[i] = filepath.Join(corpus, name)
		}
		return "[" + strings.Join(names, ", ") + "]"
	}
	const widths = "vision_width=32 embed_dim=16"
	pretrained, assigned := filepath.Join(dir, "Pretrain"), filepath.Join(dir, "NLVR_pretrain")
	for _, tt := range []struct {
		command, config, checkpoint string
		paths                       map[string]string
		sizes, result               string
	}{
		{
			"pretrain", "Pretrain", "",
			map[string]string{"train_file": in("pretrain.json"), "bert_config": bert},
			widths + " batch_size=8 queue_size=16 model.vision_depth=2 model.vision_heads=2 model.vision_mlp=64", "",
		},
		{"retrieval", "Retrieval_flickr", pretrained, map[string]string{
			"train_file": in("retrieval_train.json"), "val_file": in("retrieval_val.json"), "test_file": in("retrieval_test.json"), "bert_config": bert,
		}, widths + " batch_size_train=8 queue_size=16", "test_r_mean"},
		{"retrieval", "Retrieval_coco", pretrained, map[string]string{
			"train_file": in("retrieval_train.json"), "val_file": in("retrieval_val.json"), "test_file": in("retrieval_test.json"), "bert_config": bert,
		}, widths + " batch_size_train=8 queue_size=16", "test_r_mean"},
		{"vqa", "VQA", pretrained, map[string]string{
			"train_file": in("vqa_train.json"), "test_file": in("vqa_test.json"), "answer_list": filepath.Join(corpus, "answer_list.json"),
			"vqa_root": corpus, "vg_root": corpus, "bert_config": bert,
		}, "batch_size_train=8", "test_acc"},
		{"ve", "VE", pretrained, map[string]string{
			"train_file": in("ve_train.json"), "val_file": in("ve_dev.json"), "test_file": in("ve_test.json"), "bert_config": bert,
		}, "batch_size_train=8", "test_acc"},
		{"pretrain-nlvr", "NLVR_pretrain", pretrained, map[string]string{"train_file": in("pretrain.json"), "bert_config": bert}, widths + " batch_size=8", ""},
		{"nlvr", "NLVR", assigned, map[string]string{
			"train_file": in("nlvr_train.json"), "val_file": in("nlvr_dev.json"), "test_file": in("nlvr_test.json"), "bert_config": bert,
		}, "batch_size=8", "test_acc"},
		{"grounding", "Grounding", pretrained, map[string]string{
			"train_file": in("refcoco+_train.json"), "test_file": in("refcoco+_val.json", "refcoco+_test.json"), "refcoco_data": corpus,
			"det_file": filepath.Join(corpus, "refcoco+/dets.json"), "coco_file": filepath.Join(corpus, "refcoco+/cocos.json"), "bert_config": bert,
		}, widths + " batch_size=8 queue_size=16", "val_d"},
	} {
		args := []string{
			tt.command, "--config", officialConfig(t, dir, tt.config), "--output_dir", filepath.Join(dir, tt.config), "--device", "cpu",
			"--set", "image_root=" + corpus, "--set", "max_steps=2", "--set", "image_res=64",
		}
		if tt.checkpoint != "" {
			args = append(args, "--checkpoint", tt.checkpoint)
		}
		for key, path := range tt.paths {
			args = append(args, "--set", key+"="+path)
		}
		for size := range strings.FieldsSeq(tt.sizes) {
			args = append(args, "--set", size)
		}
		var out, errs bytes.Buffer
		if status := Main(args, env{&out, &errs}); status != 0 {
			t.Errorf("%s: status %d\n%s", tt.config, status, errs.String())
			continue
		}
		if tt.result != "" && !regexp.MustCompile(`(?m)^`+tt.result+` [0-9.]+$`).MatchString(out.String()) {
			t.Errorf("%s: no %s in\n%s", tt.config, tt.result, out.String())
		}
		if !strings.Contains(errs.String(), "2/2 ") {
			t.Errorf("%s: no two steps in\n%s", tt.config, errs.String())
		}
	}
}

// officialConfig is the path of an official configuration.
func officialConfig(t *testing.T, dir, name string) string {
	t.Helper()
	if checkout := os.Getenv("ALBEF_OFFICIAL"); checkout != "" {
		return filepath.Join(checkout, "configs", name+".yaml")
	}
	path := filepath.Join(dir, name+".yaml")
	if err := os.WriteFile(path, []byte(officialConfigs[name]), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOfficialConfigurationsAreTheOfficialOnes compares the keys and values above
// with a checkout's, paths apart.
func TestOfficialConfigurationsAreTheOfficialOnes(t *testing.T) {
	checkout := os.Getenv("ALBEF_OFFICIAL")
	if checkout == "" {
		t.Skip("ALBEF_OFFICIAL names no checkout of the official code")
	}
	plain := func(raw []byte) string {
		var lines []string
		for line := range strings.Lines(string(raw)) {
			line, _, _ = strings.Cut(line, "#")
			line = strings.Join(strings.Fields(line), " ")
			if key, _, ok := strings.Cut(line, ":"); ok && !strings.Contains(line, "data/") && !strings.Contains(key, "root") {
				lines = append(lines, line)
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	for name, own := range officialConfigs {
		raw, err := os.ReadFile(filepath.Join(checkout, "configs", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := plain([]byte(own)), plain(raw); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}
