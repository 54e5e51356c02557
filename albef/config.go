package albef

import "fmt"

// Config holds the sizes and choices of a model. The zero value is not usable:
// start from [Base] or [Tiny], or from [ConfigOf] a checkpoint.
type Config struct {
	ImageRes    int  `yaml:"image_res" json:"image_res"`       // side of the input image, pixels
	PatchSize   int  `yaml:"patch_size" json:"patch_size"`     // side of a patch, pixels
	VisionWidth int  `yaml:"vision_width" json:"vision_width"` // channels of the image encoder
	VisionDepth int  `yaml:"vision_depth" json:"vision_depth"`
	VisionHeads int  `yaml:"vision_heads" json:"vision_heads"`
	VisionMLP   int  `yaml:"vision_mlp" json:"vision_mlp"` // hidden width of the image encoder's MLPs
	Stem        Stem `yaml:"stem" json:"stem"`

	VocabSize    int       `yaml:"vocab_size" json:"vocab_size"`
	Hidden       int       `yaml:"hidden_size" json:"hidden_size"`
	Intermediate int       `yaml:"intermediate_size" json:"intermediate_size"`
	Layers       int       `yaml:"num_hidden_layers" json:"num_hidden_layers"` // text and fusion layers together
	FusionLayer  int       `yaml:"fusion_layer" json:"fusion_layer"`           // the first layer that attends to the image
	Heads        int       `yaml:"num_attention_heads" json:"num_attention_heads"`
	MaxPositions int       `yaml:"max_position_embeddings" json:"max_position_embeddings"`
	Dropout      float64   `yaml:"dropout" json:"dropout"` // on embeddings, attention and dense outputs of the text side, while training
	Norms        Norms     `yaml:"norms" json:"norms"`
	CrossKeys    CrossKeys `yaml:"cross_keys" json:"cross_keys"`

	EmbedDim      int     `yaml:"embed_dim" json:"embed_dim"` // width of the joint space
	QueueSize     int     `yaml:"queue_size" json:"queue_size"`
	Temperature   float64 `yaml:"temp" json:"temp"` // where the learned temperature starts
	MaskProb      float64 `yaml:"mlm_probability" json:"mlm_probability"`
	MomentumDecay float64 `yaml:"momentum" json:"momentum"`
	CellLabels    []int   `yaml:"cell_labels" json:"cell_labels"` // sizes of the image encoder's supervised heads, see [Model.CellLoss]
}

// Stem turns pixels into patch tokens.
type Stem string

// The stems. PatchStem is the official single convolution as wide as a patch;
// ConvStem is a stack of overlapping 3x3 convolutions of stride 2, with which
// a small model learns shapes that it misses otherwise.
const (
	PatchStem Stem = "patch"
	ConvStem  Stem = "conv"
)

// Norms says where the text side's layer norms stand.
type Norms string

// The places for norms. PostNorm is BERT's; PreNorm trains from scratch more
// easily and adds one norm after the text and one after the fusion layers.
const (
	PostNorm Norms = "post"
	PreNorm  Norms = "pre"
)

// CrossKeys says which image tokens the fusion layers attend to.
type CrossKeys string

// The choices of keys. AllKeys is official; PatchKeys leaves the image's CLS
// token out, so that what is said of a place has to be looked up at the place.
const (
	AllKeys   CrossKeys = "all"
	PatchKeys CrossKeys = "patches"
)

// Base is the official size: ViT-B/16 and the first six and last six layers of
// BERT-base (configs/Pretrain.yaml and config_bert.json).
func Base() Config {
	return Config{
		ImageRes: 256, PatchSize: 16, VisionWidth: 768, VisionDepth: 12, VisionHeads: 12, VisionMLP: 3072, Stem: PatchStem,
		VocabSize: 30522, Hidden: 768, Intermediate: 3072, Layers: 12, FusionLayer: 6, Heads: 12, MaxPositions: 512,
		Dropout: 0.1, Norms: PostNorm, CrossKeys: AllKeys,
		EmbedDim: 256, QueueSize: 65536, Temperature: 0.07, MaskProb: 0.15, MomentumDecay: 0.995,
	}
}

// Mid is the benchmark's size: small enough for a step a second on two cores.
func Mid() Config {
	c := Base()
	c.ImageRes, c.VisionWidth, c.VisionDepth, c.VisionHeads, c.VisionMLP = 128, 192, 6, 3, 768
	c.Hidden, c.Intermediate, c.Layers, c.FusionLayer, c.Heads = 192, 768, 6, 3, 3
	c.EmbedDim, c.QueueSize = 128, 4096
	return c
}

// Tiny is the size for the drawn scenes of albef/scenes: about 3 million
// parameters over 64-pixel images, with a convolution stem, pre-norm and no
// CLS among the keys, which together learn shapes, words and places within
// minutes on two cores.
func Tiny() Config {
	return Config{
		ImageRes: 64, PatchSize: 8, VisionWidth: 160, VisionDepth: 4, VisionHeads: 4, VisionMLP: 640, Stem: ConvStem,
		VocabSize: 30522, Hidden: 160, Intermediate: 640, Layers: 5, FusionLayer: 2, Heads: 4, MaxPositions: 64,
		Norms: PreNorm, CrossKeys: PatchKeys,
		EmbedDim: 128, QueueSize: 1024, Temperature: 0.07, MaskProb: 0.25, MomentumDecay: 0.99,
	}
}

// Preset returns a named configuration: base, mid or tiny.
func Preset(name string) (Config, error) {
	switch name {
	case "base":
		return Base(), nil
	case "mid":
		return Mid(), nil
	case "tiny":
		return Tiny(), nil
	}
	return Config{}, fmt.Errorf("model preset %q: want one of base, mid, tiny", name)
}

// Grid returns how many patches there are along a side of the image.
func (c Config) Grid() int { return c.ImageRes / c.PatchSize }

// Validate reports the first thing that doesn't fit together.
func (c Config) Validate() error {
	positive := []struct {
		name  string
		value int
	}{
		{"image_res", c.ImageRes},
		{"patch_size", c.PatchSize},
		{"vision_width", c.VisionWidth},
		{"vision_heads", c.VisionHeads},
		{"vision_mlp", c.VisionMLP},
		{"vocab_size", c.VocabSize},
		{"hidden_size", c.Hidden},
		{"intermediate_size", c.Intermediate},
		{"num_hidden_layers", c.Layers},
		{"num_attention_heads", c.Heads},
		{"max_position_embeddings", c.MaxPositions},
		{"embed_dim", c.EmbedDim},
		{"queue_size", c.QueueSize},
	}
	for _, p := range positive {
		if p.value <= 0 {
			return fmt.Errorf("model config: %s is %d, want more than 0", p.name, p.value)
		}
	}
	switch {
	case c.ImageRes%c.PatchSize != 0:
		return fmt.Errorf("model config: image_res %d is no multiple of patch_size %d", c.ImageRes, c.PatchSize)
	case c.VisionWidth%c.VisionHeads != 0:
		return fmt.Errorf("model config: vision_width %d is no multiple of vision_heads %d", c.VisionWidth, c.VisionHeads)
	case c.Hidden%c.Heads != 0:
		return fmt.Errorf("model config: hidden_size %d is no multiple of num_attention_heads %d", c.Hidden, c.Heads)
	case c.FusionLayer < 0 || c.FusionLayer >= c.Layers:
		return fmt.Errorf("model config: fusion_layer %d, want 0 to %d", c.FusionLayer, c.Layers-1)
	case c.Stem != PatchStem && c.Stem != ConvStem:
		return fmt.Errorf("model config: stem %q, want patch or conv", c.Stem)
	case c.Stem == ConvStem && c.PatchSize&(c.PatchSize-1) != 0:
		return fmt.Errorf("model config: stem conv wants a patch_size that is a power of two, not %d", c.PatchSize)
	case c.Norms != PostNorm && c.Norms != PreNorm:
		return fmt.Errorf("model config: norms %q, want post or pre", c.Norms)
	case c.CrossKeys != AllKeys && c.CrossKeys != PatchKeys:
		return fmt.Errorf("model config: cross_keys %q, want all or patches", c.CrossKeys)
	}
	return nil
}
