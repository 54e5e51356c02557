package task

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// TestDecayWithQuirks: the official models of VQA, VE and NLVR2 don't read
// their momentum from the configuration.
func TestDecayWithQuirks(t *testing.T) {
	for _, tt := range []struct {
		quirks bool
		want   float64
	}{{false, 0.9}, {true, 0.995}} {
		o := &origin{config: albef.Config{MomentumDecay: 0.9}}
		o.fixDecay(&train.Config{OfficialQuirks: tt.quirks})
		if got := o.config.MomentumDecay; got != tt.want {
			t.Errorf("official_quirks %v: momentum is %v, want %v", tt.quirks, got, tt.want)
		}
	}
}

// TestPretrainLoadsStrictlyWithQuirks: a checkpoint for queries, which has no
// momentum model, will do to begin with, but not officially.
func TestPretrainLoadsStrictlyWithQuirks(t *testing.T) {
	for _, quirks := range []string{"false", "true"} {
		c, err := train.ParseConfig("test.yaml", []byte("scenes: {seed: 1}\noptimizer: {lr: 1e-3}\nbatch_size: 4\nqueue_size: 8\nofficial_quirks: "+quirks))
		if err != nil {
			t.Fatal(err)
		}
		r := run{Pretrain: Pretrain{
			Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: "../lab/demo/demo.safetensors",
		}, log: slog.New(slog.DiscardHandler)}
		err = r.prepare()
		if err == nil {
			r.opt.Close()
			r.Model.Close()
			err = r.metrics.Close()
		}
		if strict := err != nil && strings.Contains(err.Error(), "weights, such as "); strict != (quirks == "true") {
			t.Errorf("official_quirks %s: got %v", quirks, err)
		}
	}
}

// TestBertConfigRefusesWhatIsBuiltIn: a model with another norm would be another
// model.
func TestBertConfigRefusesWhatIsBuiltIn(t *testing.T) {
	for content, want := range map[string]string{
		`{"hidden_size": 48, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}`: "",
		`{"layer_norm_eps": 1e-5}`: "layer_norm_eps is 1e-05, and only 1e-12 can be had",
		`{"hidden_act": "relu"}`:   "hidden_act is relu, and only gelu can be had",
		`{"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.2}`:           "attention_probs_dropout_prob is 0.2, and only 0.1 can be had",
		`{"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3, "x": [1]}`: "",
	} {
		path := filepath.Join(t.TempDir(), "bert.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c := albef.Base()
		if err := readBertConfig(path, &c); (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
	}
}

// TestCheckpointWithoutItsVocabularyIsRefused: words that no weights stand for
// would end the process.
func TestCheckpointWithoutItsVocabularyIsRefused(t *testing.T) {
	o, err := readOrigin(train.DefaultConfig(), filepath.Join(fixture.Dir(t), "checkpoint_00.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.checkWords(); err == nil || !strings.Contains(err.Error(), "words in the vocabulary") {
		t.Errorf("got %v", err)
	}
}
