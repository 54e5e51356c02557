package lab

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"vlab/albef"
	features "vlab/albef/gallery"
	"vlab/albef/torch/weights"
)

// featureHash is the same for two models whose features of pictures and texts
// are: it is over the weights that make features, rounded to half precision, so
// that a checkpoint and what [Model.Save] writes of it count as one model, with
// the sizes, the picture size among them, and the vocabulary. It is computed
// once, of a model in training each time. The caller is within work.
func (m *Model) featureHash() (features.Hash, error) {
	if !m.live && m.hash != (features.Hash{}) {
		return m.hash, nil
	}
	c := m.config
	sizes, err := json.Marshal([]any{
		c.ImageRes, c.PatchSize, c.VisionHeads, c.Stem, c.FusionLayer, c.Heads, c.Norms, c.EmbedDim, c.MaxPositions, m.vocab,
	})
	if err != nil {
		return features.Hash{}, err
	}
	sum := sha256.New()
	sum.Write(sizes)
	for _, p := range m.core.Params() {
		if p.Tied || p.Buffer || !makesFeatures(p.Name, c.FusionLayer) {
			continue
		}
		fmt.Fprintf(sum, "\n%s %v\n", unprefixed(p.Name), p.Shape)
		sum.Write(albef.ToWeights(p.Tensor).To(weights.F16).Data)
	}
	var h features.Hash
	sum.Sum(h[:0])
	if !m.live {
		m.hash = h
	}
	return h, nil
}

// unprefixed is a name without the "bert." that the checkpoints of finetuned
// models drop.
func unprefixed(name string) string {
	return strings.Replace(name, "text_encoder.bert.", "text_encoder.", 1)
}

// makesFeatures tells the weights of the image encoder, the text layers below
// the fusion and the projections from all others.
func makesFeatures(name string, fusion int) bool {
	part, rest, _ := strings.Cut(unprefixed(name), ".")
	switch part {
	case "visual_encoder", "vision_proj", "text_proj":
		return true
	case "text_encoder":
	default:
		return false
	}
	if layer, ok := strings.CutPrefix(rest, "encoder.layer."); ok {
		number, _, _ := strings.Cut(layer, ".")
		n, err := strconv.Atoi(number)
		return err == nil && n < fusion
	}
	return strings.HasPrefix(rest, "embeddings.") || strings.HasPrefix(rest, "encoder.text_norm.")
}
