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
	// Part draws which part of a picture of w by h pixels the output shows.
	Part(w, h int, rng *rand.Rand) Part
	// ApplyPart writes the part of img in region into dst as [3, R, R],
	// normalised. All else that is random comes from rng. It fails if dst has
	// another length than 3*R*R.
	ApplyPart(img *RGB, region Region, rng *rand.Rand, dst []float32) error
	// Apply is Part and ApplyPart for a picture decoded in full.
	Apply(img *RGB, rng *rand.Rand, dst []float32) error
}

// Resized is the test transform of the official code: bicubic to R x R without
// regard to the aspect, then CLIP's normalisation. Make it with [NewResized].
type Resized struct {
	size  int
	norm  *normaliser
	works freeList[work]
}

// NewResized returns the test transform for pictures of size by size pixels.
func NewResized(size int) *Resized { return &Resized{size: size, norm: clipNormaliser()} }

// Size is the side of the output in pixels.
func (t *Resized) Size() int { return t.size }

// Part is all of the picture, which only decoded in full gives the official
// pixels.
func (t *Resized) Part(w, h int, _ *rand.Rand) Part { return Part{Box: image.Rect(0, 0, w, h)} }

// Apply implements [Transform]; it takes nothing from rng, which may be nil.
func (t *Resized) Apply(img *RGB, rng *rand.Rand, dst []float32) error {
	return t.ApplyPart(img, whole(img), rng, dst)
}

// ApplyPart implements [Transform]; it takes nothing from rng, which may be nil.
func (t *Resized) ApplyPart(img *RGB, region Region, _ *rand.Rand, dst []float32) error {
	if err := checkPart(img, region, t.size, dst); err != nil {
		return err
	}
	w := takeWork(&t.works)
	defer t.works.put(w)
	w.picture.reset(t.size, t.size)
	w.resizer.resize(&w.picture, img, region, false)
	t.norm.apply(dst, &w.picture, nil)
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
	// the crop still has Size pixels each way. The pixels then differ slightly
	// from the official ones, by about one grey level on average.
	FastDecode bool
}

// PretrainAugment is the official transform of pretraining: crops of 20 to
// 100 % of the area, flips, two random operations at level 7. As all three of
// these it decodes fast.
func PretrainAugment(size int) TrainConfig {
	return TrainConfig{Size: size, MinArea: 0.2, FastDecode: true, Augment: OfficialRandAugment()}
}

// FinetuneAugment is the official transform of fine-tuning: as
// [PretrainAugment], with crops of at least half of the area.
func FinetuneAugment(size int) TrainConfig {
	return TrainConfig{Size: size, MinArea: 0.5, FastDecode: true, Augment: OfficialRandAugment()}
}

// GroundingAugment is the official transform of grounding, which never crops.
func GroundingAugment(size int) TrainConfig {
	return TrainConfig{Size: size, FastDecode: true, Augment: OfficialRandAugment()}
}

// Augmented is the training transform: a random crop resized to R x R, a flip
// with probability one half, RandAugment, CLIP's normalisation. Make it with
// [NewAugmented].
type Augmented struct {
	config TrainConfig
	norm   *normaliser
	works  freeList[work]
}

// NewAugmented returns the training transform that config describes.
func NewAugmented(config TrainConfig) *Augmented {
	return &Augmented{config: config, norm: clipNormaliser()}
}

// Size is the side of the output in pixels.
func (t *Augmented) Size() int { return t.config.Size }

// Part draws a crop.
func (t *Augmented) Part(w, h int, rng *rand.Rand) Part {
	part := Part{Box: image.Rect(0, 0, w, h)}
	if t.config.MinArea > 0 {
		part.Box = randomCrop(rng, w, h, t.config.MinArea)
	}
	if t.config.FastDecode {
		part.MinSide = t.config.Size
	}
	return part
}

// Apply implements [Transform].
func (t *Augmented) Apply(img *RGB, rng *rand.Rand, dst []float32) error {
	return t.ApplyPart(img, regionOf(t.Part(img.W, img.H, rng).Box, 1), rng, dst)
}

// ApplyPart implements [Transform].
func (t *Augmented) ApplyPart(img *RGB, region Region, rng *rand.Rand, dst []float32) error {
	size := t.config.Size
	if err := checkPart(img, region, size, dst); err != nil {
		return err
	}
	w := takeWork(&t.works)
	defer t.works.put(w)
	w.picture.reset(size, size)
	w.resizer.resize(&w.picture, img, region, rng.Float64() < 0.5)
	augmented, tone := t.config.Augment.apply(w, rng)
	t.norm.apply(dst, augmented, tone)
	return nil
}

// work is the memory of one Apply.
type work struct {
	resizer        Resizer
	picture, spare RGB
	tone, next     tables
}

func takeWork(kept *freeList[work]) *work {
	if w := kept.take(); w != nil {
		return w
	}
	return &work{}
}

func checkPart(img *RGB, region Region, size int, dst []float32) error {
	if box := region.pixels(); box.Empty() || !box.In(img.Bounds()) {
		return fmt.Errorf("transform image: region %v of a picture of %dx%d", region, img.W, img.H)
	}
	if len(dst) != 3*size*size {
		return fmt.Errorf("transform image: output has %d numbers, want 3*%d*%d", len(dst), size, size)
	}
	return nil
}

// flip mirrors m left to right in place.
func flip(m *RGB) {
	for y := range m.H {
		flipRow(m.Pix[3*m.W*y:][:3*m.W])
	}
}

func flipRow(row []byte) {
	for l, r := 0, len(row)-3; l < r; l, r = l+3, r-3 {
		row[l], row[r] = row[r], row[l]
		row[l+1], row[r+1] = row[r+1], row[l+1]
		row[l+2], row[r+2] = row[r+2], row[l+2]
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
