package albef

import (
	"fmt"
	"strings"

	"vlab/albef/torch/weights"
)

// officialHeadWidth is the width of an attention head in every official model;
// the number of heads can't be seen in the weights.
const officialHeadWidth = 64

// ConfigOf reads the sizes of a model from its weights. What tensors don't
// tell (heads, dropout, which keys) is taken from base where it is set there,
// else it is the official choice.
func ConfigOf(state *weights.Dict, base Config) (Config, error) {
	c := base
	r := sizeReader{state: state}
	cls := r.shape("visual_encoder.cls_token", 3)
	positions := r.shape("visual_encoder.pos_embed", 3)
	words := r.shape("text_encoder.bert.embeddings.word_embeddings.weight", 2)
	maxPositions := r.shape("text_encoder.bert.embeddings.position_embeddings.weight", 2)
	fc1 := r.shape("visual_encoder.blocks.0.mlp.fc1.weight", 2)
	dense := r.shape("text_encoder.bert.encoder.layer.0.intermediate.dense.weight", 2)
	if r.missing != "" {
		return c, &hintError{
			fmt.Errorf("read the sizes of a checkpoint: no %s in it", r.missing),
			"vlab inspect tells which kind of checkpoint it is; pretraining, retrieval and grounding ones can be opened",
		}
	}
	c.VisionWidth, c.VisionMLP = cls[2], fc1[0]
	c.VocabSize, c.Hidden, c.MaxPositions = words[0], words[1], maxPositions[0]
	c.Intermediate = dense[0]
	if _, t := LookUp(state, "vision_proj.weight"); t != nil { // VQA, VE and NLVR2 have none
		c.EmbedDim = r.shape("vision_proj.weight", 2)[0]
	}
	c.VisionDepth = r.count("visual_encoder.blocks.%d.norm1.weight")
	c.Layers = r.count("text_encoder.bert.encoder.layer.%d.output.dense.weight")
	c.FusionLayer = c.Layers - r.countFrom("text_encoder.bert.encoder.layer.%d.crossattention.self.query.weight", c.Layers)
	c.Stem, c.PatchSize = PatchStem, 0
	if n := r.count("visual_encoder.patch_embed.stem.%d.weight"); n > 0 {
		c.Stem, c.PatchSize = ConvStem, 1<<n
	} else if _, t := LookUp(state, "visual_encoder.patch_embed.proj.weight"); t != nil {
		c.PatchSize = t.Shape[len(t.Shape)-1]
	}
	c.ImageRes = isqrt(positions[1]-1) * c.PatchSize
	if _, t := LookUp(state, "image_queue"); t != nil {
		c.QueueSize = t.Shape[1]
	}
	c.Norms = PostNorm
	if _, t := LookUp(state, "text_encoder.bert.encoder.text_norm.weight"); t != nil {
		c.Norms = PreNorm
	}
	c.CellLabels = nil
	for i := range r.count("cell_head.%d.weight") {
		c.CellLabels = append(c.CellLabels, r.shape(fmt.Sprintf("cell_head.%d.weight", i), 2)[0])
	}
	return c.withOfficialChoices(), nil
}

// withOfficialChoices fills what is still unset.
func (c Config) withOfficialChoices() Config {
	if c.VisionHeads == 0 {
		c.VisionHeads = max(1, c.VisionWidth/officialHeadWidth)
	}
	if c.Heads == 0 {
		c.Heads = max(1, c.Hidden/officialHeadWidth)
	}
	if c.CrossKeys == "" {
		c.CrossKeys = AllKeys
	}
	if c.QueueSize == 0 {
		c.QueueSize = 1
	}
	if c.EmbedDim == 0 {
		c.EmbedDim = 256
	}
	if c.Temperature == 0 {
		c.Temperature = 0.07
	}
	if c.MaskProb == 0 {
		c.MaskProb = 0.15
	}
	if c.MomentumDecay == 0 {
		c.MomentumDecay = 0.995
	}
	return c
}

type sizeReader struct {
	state   *weights.Dict
	missing string
}

func (r *sizeReader) shape(name string, dims int) []int {
	_, t := LookUp(r.state, name)
	if t == nil || len(t.Shape) != dims {
		if r.missing == "" {
			r.missing = name
		}
		return make([]int, dims)
	}
	return t.Shape
}

func (r *sizeReader) count(pattern string) int {
	n := 0
	for {
		if _, t := LookUp(r.state, fmt.Sprintf(pattern, n)); t == nil {
			return n
		}
		n++
	}
}

// countFrom counts how many of the first n names exist.
func (r *sizeReader) countFrom(pattern string, n int) int {
	have := 0
	for i := range n {
		if _, t := LookUp(r.state, strings.Replace(pattern, "%d", fmt.Sprint(i), 1)); t != nil {
			have++
		}
	}
	return have
}
