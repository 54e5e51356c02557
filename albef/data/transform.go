package data

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Transform turns a picture into model input. Its methods may be called from
// several goroutines at once.
type Transform interface {
	// Size is the side R of the square output.
	Size() int
	// MinSide is how small a picture may be decoded without loss to the
	// output, for [Decoder.MinSide].
	MinSide() int
	// Apply writes the picture into dst as [3, R, R], normalised. All that is
	// random comes from rng. It fails if dst has another length than 3*R*R.
	Apply(img *RGB, rng *rand.Rand, dst []float32) error
}

// Resized is the test transform of the official code: bicubic to R x R without
// regard to the aspect, then CLIP's normalisation. Make it with [NewResized].
type Resized struct {
	size  int
	norm  normaliser
	works freeList[work]
}

// NewResized returns the test transform for pictures of size by size pixels.
func NewResized(size int) *Resized { return &Resized{size: size, norm: clipNormaliser()} }

// Size is the side of the output in pixels.
func (t *Resized) Size() int { return t.size }

// MinSide is 0: only a picture decoded in full gives the official pixels.
func (t *Resized) MinSide() int { return 0 }

// Apply implements [Transform]; it takes nothing from rng, which may be nil.
func (t *Resized) Apply(img *RGB, _ *rand.Rand, dst []float32) error {
	if err := checkOutput(img, t.size, dst); err != nil {
		return err
	}
	w := takeWork(&t.works)
	defer t.works.put(w)
	w.picture.reset(t.size, t.size)
	w.resizer.Resize(&w.picture, img, img.Bounds())
	t.norm.apply(dst, &w.picture)
	return nil
}

// TrainConfig says how [Augmented] varies a picture.
type TrainConfig struct {
	Size int // the side of the output in pixels

	// MinArea is the least share of the picture that a crop keeps; 0 means no
	// cropping: the whole picture is resized.
	MinArea float64
	// Augment is what follows crop and flip; its zero value does nothing.
	Augment RandAugment
	// FastDecode lets a large JPEG be decoded at a fraction of its size where
	// every crop still has Size pixels. The pixels then differ slightly from
	// the official ones.
	FastDecode bool
}

// PretrainAugment is the official transform of pretraining: crops of 20 to
// 100 % of the area, flips, two random operations at level 7.
func PretrainAugment(size int) TrainConfig {
	return TrainConfig{Size: size, MinArea: 0.2, Augment: OfficialRandAugment()}
}

// FinetuneAugment is the official transform of fine-tuning: as
// [PretrainAugment], with crops of at least half of the area.
func FinetuneAugment(size int) TrainConfig {
	return TrainConfig{Size: size, MinArea: 0.5, Augment: OfficialRandAugment()}
}

// GroundingAugment is the official transform of grounding, which never crops.
func GroundingAugment(size int) TrainConfig {
	return TrainConfig{Size: size, Augment: OfficialRandAugment()}
}

// Augmented is the training transform: a random crop resized to R x R, a flip
// with probability one half, RandAugment, CLIP's normalisation. Make it with
// [NewAugmented].
type Augmented struct {
	config TrainConfig
	norm   normaliser
	works  freeList[work]
}

// NewAugmented returns the training transform that config describes.
func NewAugmented(config TrainConfig) *Augmented {
	return &Augmented{config: config, norm: clipNormaliser()}
}

// Size is the side of the output in pixels.
func (t *Augmented) Size() int { return t.config.Size }

// MinSide is 0 unless FastDecode is set.
func (t *Augmented) MinSide() int {
	if !t.config.FastDecode {
		return 0
	}
	return safeSide(t.config.Size, t.config.MinArea)
}

// Apply implements [Transform].
func (t *Augmented) Apply(img *RGB, rng *rand.Rand, dst []float32) error {
	size := t.config.Size
	if err := checkOutput(img, size, dst); err != nil {
		return err
	}
	w := takeWork(&t.works)
	defer t.works.put(w)
	box := img.Bounds()
	if t.config.MinArea > 0 {
		box = randomCrop(rng, img.W, img.H, t.config.MinArea)
	}
	w.picture.reset(size, size)
	w.resizer.Resize(&w.picture, img, box)
	if rng.Float64() < 0.5 {
		flip(&w.picture)
	}
	t.norm.apply(dst, t.config.Augment.apply(&w.picture, &w.spare, rng))
	return nil
}

// work is the memory of one Apply.
type work struct {
	resizer        Resizer
	picture, spare RGB
}

func takeWork(kept *freeList[work]) *work {
	if w := kept.take(); w != nil {
		return w
	}
	return &work{}
}

func checkOutput(img *RGB, size int, dst []float32) error {
	if img.W <= 0 || img.H <= 0 {
		return fmt.Errorf("transform image: size %dx%d", img.W, img.H)
	}
	if len(dst) != 3*size*size {
		return fmt.Errorf("transform image: output has %d numbers, want 3*%d*%d", len(dst), size, size)
	}
	return nil
}

// flip mirrors m left to right in place.
func flip(m *RGB) {
	for y := range m.H {
		row := m.Pix[3*m.W*y:][:3*m.W]
		for l, r := 0, 3*(m.W-1); l < r; l, r = l+3, r-3 {
			row[l], row[r] = row[r], row[l]
			row[l+1], row[r+1] = row[r+1], row[l+1]
			row[l+2], row[r+2] = row[r+2], row[l+2]
		}
	}
}

// Flip returns img mirrored left to right.
func Flip(img *RGB) *RGB {
	out := img.Clone()
	flip(out)
	return out
}

// CropResize returns the part of img inside box at size by size pixels, as
// torchvision's resized_crop. box must lie within img and not be empty.
func CropResize(img *RGB, box image.Rectangle, size int) *RGB {
	out := NewRGB(size, size)
	new(Resizer).Resize(out, img, box)
	return out
}
