package bench

import (
	"vlab/albef"
	"vlab/albef/task"
)

// rerankFLOPs counts an evaluation of retrieval with these score matrices: every
// image and text encoded once, without padding, an image's keys and values
// projected once, and every pair that either direction asks about fused once.
func rerankFLOPs(c albef.Config, images int, byImage, byText []float32) float64 {
	texts := len(byImage) / images
	total := float64(images) * (imageFLOPs(c) + keyFLOPs(c))
	for t := range texts {
		n := float64(CaptionTokens(t))
		// What a text does before it meets an image is done once.
		first := selfFLOPs(c, n, n)
		if c.Layers-c.FusionLayer == 1 {
			first = selfFLOPs(c, n, 1)
		}
		total += textFLOPs(c, n) + selfFLOPs(c, n, n)
		for i := range images {
			if byImage[i*texts+t] != task.Unranked || byText[t*images+i] != task.Unranked {
				total += fusionFLOPs(c, n, 1) - first
			}
		}
	}
	return total
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
