package bench

import (
	"math/bits"

	"vlab/albef"
)

// The counts below are of matrix products only, 2·m·n·k for one of m x k by
// k x n, and of those that the mathematics needs: masked positions alone go
// through the MLM head, and an image's keys and values are projected once.
// Whoever computes more than that gets no credit for it.

// block is a transformer layer's products for n tokens of width c, with an MLP
// of width hidden: query, key, value, output, MLP, and attention over itself.
func block(n, c, hidden float64) float64 {
	return 2*n*c*(4*c+2*hidden) + 4*n*n*c
}

// imageFLOPs is one image through the image encoder.
func imageFLOPs(c albef.Config) float64 {
	grid, w := float64(c.Grid()), float64(c.VisionWidth)
	return stemFLOPs(c) + float64(c.VisionDepth)*block(grid*grid+1, w, float64(c.VisionMLP))
}

// stemFLOPs is the patch convolution of one image, or the stack of convolutions
// that halve its side until a pixel is a patch.
func stemFLOPs(c albef.Config) float64 {
	if c.Stem == albef.ConvStem {
		return convFLOPs(c)
	}
	return 2 * float64(3*c.ImageRes*c.ImageRes) * float64(c.VisionWidth)
}

// convFLOPs is the convolution stem of one image, see newStem in albef/vit.go.
func convFLOPs(c albef.Config) (total float64) {
	in, halvings := 3, bits.TrailingZeros(uint(c.PatchSize))
	for i := range halvings {
		out, side := max(c.VisionWidth>>(halvings-1-i), 16), c.ImageRes>>(i+1)
		total += 2 * float64(side*side*3*3*in*out)
		in = out
	}
	return total + 2*float64(c.Grid()*c.Grid()*in*c.VisionWidth)
}

// textFLOPs is a text of n tokens through the text encoder.
func textFLOPs(c albef.Config, n float64) float64 {
	return float64(c.FusionLayer) * block(n, float64(c.Hidden), float64(c.Intermediate))
}

// keyFLOPs is one image's keys and values for all fusion layers.
func keyFLOPs(c albef.Config) float64 {
	patches := float64(c.Grid()*c.Grid() + 1)
	return float64(c.Layers-c.FusionLayer) * 2 * 2 * patches * float64(c.VisionWidth) * float64(c.Hidden)
}

// fusionFLOPs is a text of n tokens through the fusion encoder, the image's
// keys and values given. Of the last layer, asked tokens are wanted.
func fusionFLOPs(c albef.Config, n, asked float64) float64 {
	before := float64(c.Layers - c.FusionLayer - 1)
	return before*(selfFLOPs(c, n, n)+meetFLOPs(c, n)) + selfFLOPs(c, n, asked) + meetFLOPs(c, asked)
}

// selfFLOPs is the self-attention of a fusion layer: keys and values of n
// tokens, the rest for those that are asked.
func selfFLOPs(c albef.Config, n, asked float64) float64 {
	w := float64(c.Hidden)
	return 2*2*n*w*w + asked*(2*2*w*w+2*2*n*w)
}

// meetFLOPs is what follows in a fusion layer for n tokens: attention to the
// image and the MLP.
func meetFLOPs(c albef.Config, n float64) float64 {
	w, patches := float64(c.Hidden), float64(c.Grid()*c.Grid()+1)
	return n * (2*2*w*w + 2*2*patches*w + 2*2*w*float64(c.Intermediate))
}

// wordFLOPs is one position through the MLM head.
func wordFLOPs(c albef.Config) float64 {
	return 2 * float64(c.Hidden) * float64(c.Hidden+c.VocabSize)
}

// StepFLOPs counts the floating-point operations of a pretraining step with
// distillation on batch images with texts of tokens tokens, padding included,
// of which MLM asks for hidden in all.
//
// The online model encodes the image once, the text twice (clean and masked),
// and fuses four times (matched, two negatives, masked), of which ITM asks for
// the first token and MLM for the hidden words; its backward takes twice its
// forward, but for the stem, whose input wants no gradient. The momentum model
// encodes the image once, the text twice, and fuses once.
// Projections to the joint space, similarities with the queue, the ITM head
// and everything elementwise are left out: under 1 %.
func StepFLOPs(c albef.Config, batch, tokens, hidden int) float64 {
	n, words := float64(tokens), float64(hidden)/float64(batch)
	masked := fusionFLOPs(c, n, words)
	online := imageFLOPs(c) + 2*textFLOPs(c, n) + keyFLOPs(c) + 3*fusionFLOPs(c, n, 1) + masked
	momentum := imageFLOPs(c) + 2*textFLOPs(c, n) + keyFLOPs(c) + masked
	return float64(batch)*(3*online-stemFLOPs(c)+momentum) + float64(hidden)*4*wordFLOPs(c)
}

// EmbedFLOPs counts one image and one text of tokens tokens to their features.
func EmbedFLOPs(c albef.Config, tokens int) float64 {
	return imageFLOPs(c) + textFLOPs(c, float64(tokens))
}

// GradCAMFLOPs counts one pair's forward and the backward from the match to
// the attention of layer: through the fusion layers after it, towards the text
// alone (the weights and the image want no gradient).
func GradCAMFLOPs(c albef.Config, tokens, layer int) float64 {
	n := float64(tokens)
	total := imageFLOPs(c) + textFLOPs(c, n) + keyFLOPs(c) + fusionFLOPs(c, n, 1)
	if layer < c.Layers-1 {
		c.FusionLayer = layer + 1
		total += fusionFLOPs(c, n, 1)
	}
	return total
}
