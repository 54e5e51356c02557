package task

import (
	"encoding/json"
	"fmt"
	"os"

	"vlab/albef"
)

// readBertConfig takes the text side's sizes from an official
// config_bert.json.
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
	}{&c.Hidden, &c.Intermediate, &c.Layers, &c.Heads, &c.FusionLayer, &c.VocabSize, &c.MaxPositions, &c.Dropout}
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("config: bert_config %s: %w", path, err)
	}
	return nil
}
