package bench

import (
	"vlab/albef"
	"vlab/albef/task"
)

// rerankFLOPs counts an evaluation of retrieval with these score matrices: every
// image and text encoded once, without padding, an image's keys and values
// projected once, and every pair that either direction asks about fused once. Of
// the last layer the first token is wanted, see TextModel.askSelf.
func rerankFLOPs(c albef.Config, images int, byImage, byText []float32) float64 {
	texts := len(byImage) / images
	total := float64(images) * (imageFLOPs(c) + keyFLOPs(c))
	for t := range texts {
		n := float64(CaptionTokens(t))
		// What a text does before it meets an image is done once.
		w := float64(c.Hidden)
		pair := fusionFLOPs(c, n, 1)
		if c.Layers-c.FusionLayer == 1 {
			pair -= selfFLOPs(c, n, 1) + 2*w*w
		} else {
			pair += askFLOPs(c, n) - selfFLOPs(c, n, 1) - selfFLOPs(c, n, n) - 2*n*w*w
		}
		total += textFLOPs(c, n) + selfFLOPs(c, n, n) + 2*n*w*w
		for i := range images {
			if byImage[i*texts+t] != task.Unranked || byText[t*images+i] != task.Unranked {
				total += pair
			}
		}
	}
	return total
}

// askFLOPs is the self-attention of a fusion layer for one of n tokens, without
// their keys and values: four products of a row, and every head looks at the whole
// tokens.
func askFLOPs(c albef.Config, n float64) float64 {
	w := float64(c.Hidden)
	return 4*2*w*w + 2*2*float64(c.Heads)*n*w
}

// AnswerFLOPs counts the ranking of all answers, of words(i) words each, to one
// question of tokens tokens about one image: the fused question, its keys and
// values for the decoder, and in the decoder [CLS] once and every word once.
func AnswerFLOPs(c albef.Config, tokens int, words func(i int) int, answers int) float64 {
	n, w, layers := float64(tokens), float64(c.Hidden), float64(c.Layers-c.FusionLayer)
	decode := func(words float64) float64 {
		cross := 2*2*words*w*w + 2*2*words*n*w
		return layers*(block(words, w, float64(c.Intermediate))+cross) + words*wordFLOPs(c)
	}
	total := imageFLOPs(c) + textFLOPs(c, n) + keyFLOPs(c) + fusionFLOPs(c, n, n) + layers*2*2*n*w*w + decode(1)
	for i := range answers {
		total += decode(float64(words(i)))
	}
	return total
}
