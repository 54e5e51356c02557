package task

import (
	"fmt"

	"vlab/albef"
	"vlab/albef/train"

	"gopkg.in/yaml.v3"
)

// modelConfig is the preset under model, or the official size, with what the
// official keys say in its place.
func modelConfig(c *train.Config) (albef.Config, error) {
	out, err := described(c, albef.Base())
	if err != nil {
		return out, err
	}
	override(c, &out)
	return out, out.Validate()
}

// Untold is what weights don't tell, the heads and the dropout: what model and
// bert_config say, or else the official choice.
func Untold(c *train.Config) (albef.Config, error) {
	return described(c, albef.Config{Dropout: albef.Base().Dropout})
}

// described puts what model and bert_config say in the place of what out has.
func described(c *train.Config, out albef.Config) (albef.Config, error) {
	if c.Model.Kind == yaml.ScalarNode {
		var err error
		if out, err = albef.Preset(c.Model.Value); err != nil {
			return out, fmt.Errorf("config: %w", err)
		}
	} else if err := decodeNode(&c.Model, &out, "model"); err != nil {
		return out, err
	}
	if c.BertConfig != "" {
		if err := readBertConfig(c.BertConfig, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// override puts what the official keys say in the place of what out has.
func override(c *train.Config, out *albef.Config) {
	set := func(key string, to *int, v int) {
		if c.Has(key) {
			*to = v
		}
	}
	set("image_res", &out.ImageRes, c.ImageRes)
	set("vision_width", &out.VisionWidth, c.VisionWidth)
	set("embed_dim", &out.EmbedDim, c.EmbedDim)
	set("queue_size", &out.QueueSize, c.QueueSize)
	for key, to := range map[string]struct {
		field *float64
		value float64
	}{
		"temp": {&out.Temperature, c.Temperature}, "mlm_probability": {&out.MaskProb, c.MaskProb},
		"momentum": {&out.MomentumDecay, c.MomentumDecay},
	} {
		if c.Has(key) {
			*to.field = to.value
		}
	}
}
