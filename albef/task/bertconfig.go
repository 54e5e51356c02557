package task

import (
	"encoding/json"
	"fmt"
	"os"

	"vlab/albef"
)

// bertEps is what the model's layer norms on the text side add to a variance.
const bertEps = 1e-12

// readBertConfig takes the text side's sizes from an official
// config_bert.json. What the model has built in must have its official value
// there.
func readBertConfig(path string, c *albef.Config) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return &hintError{fmt.Errorf("config: bert_config: %w", err), "the path is taken from the folder that vlab runs in"}
	}
	b := struct {
		Hidden       *int     `json:"hidden_size"`
		Intermediate *int     `json:"intermediate_size"`
		Layers       *int     `json:"num_hidden_layers"`
		Heads        *int     `json:"num_attention_heads"`
		Fusion       *int     `json:"fusion_layer"`
		Vocab        *int     `json:"vocab_size"`
		MaxPositions *int     `json:"max_position_embeddings"`
		Dropout      *float64 `json:"hidden_dropout_prob"`

		AttentionDropout *float64 `json:"attention_probs_dropout_prob"`
		Eps              *float64 `json:"layer_norm_eps"`
		Act              *string  `json:"hidden_act"`
	}{
		Hidden: &c.Hidden, Intermediate: &c.Intermediate, Layers: &c.Layers, Heads: &c.Heads, Fusion: &c.FusionLayer,
		Vocab: &c.VocabSize, MaxPositions: &c.MaxPositions, Dropout: &c.Dropout,
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("config: bert_config %s: %w", path, err)
	}
	for _, fixed := range []struct {
		key       string
		got, want any
		other     bool
	}{
		{"attention_probs_dropout_prob", deref(b.AttentionDropout), c.Dropout, b.AttentionDropout != nil && *b.AttentionDropout != c.Dropout},
		{"layer_norm_eps", deref(b.Eps), float64(bertEps), b.Eps != nil && *b.Eps != bertEps},
		{"hidden_act", deref(b.Act), "gelu", b.Act != nil && *b.Act != "gelu"},
	} {
		if fixed.other {
			return &hintError{
				fmt.Errorf("config: bert_config %s: %s is %v, and only %v can be had", path, fixed.key, fixed.got, fixed.want),
				"the official config_bert.json has it so; the attention's dropout is that of hidden_dropout_prob",
			}
		}
	}
	return nil
}

// deref is the value behind p, its zero for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
