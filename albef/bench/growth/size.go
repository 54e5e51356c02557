package main

import (
	"vlab/albef"
	"vlab/albef/bench"
)

// size is what a step's time is measured against.
type size struct {
	Batch  int `json:"batch"`  // images, each with a text
	Tokens int `json:"tokens"` // of the longest text
	Pixels int `json:"pixels"` // a side of an image
	Layers int `json:"layers"` // of ViT, and of BERT, whose second half fuses
}

// reference is the size that all others are compared with, [albef.Mid] at the
// batch that the benchmark has.
func reference() size {
	c := albef.Mid()
	return size{Batch: 16, Tokens: bench.TextLength, Pixels: c.ImageRes, Layers: c.VisionDepth}
}

// config is [albef.Mid] at size z. A batch has to divide the queue, so that
// the queue is the nearest multiple below Mid's.
func (z size) config() albef.Config {
	c := albef.Mid()
	c.ImageRes, c.VisionDepth, c.Layers, c.FusionLayer = z.Pixels, z.Layers, z.Layers, z.Layers/2
	c.QueueSize -= c.QueueSize % z.Batch
	return c
}

func (z size) flops() float64 { return bench.MeanStepFLOPs(z.config(), z.Batch, z.Tokens) }

// patches is how many tokens an image has, the CLS token among them.
func (z size) patches() int {
	grid := z.config().Grid()
	return grid*grid + 1
}

// axis is one thing that varies while the rest stays as at the reference.
type axis struct {
	name, label string
	unit        string // what time grows by, singular
	reference   size
	values      []int
	set         func(z *size, v int)
	grid        int                  // every which value there is between those measured: images have whole patches
	amount      func(z size) float64 // of what unit names
}

// at is the reference with v on the axis.
func (a axis) at(v int) size {
	z := a.reference
	a.set(&z, v)
	return z
}

// around varies each of a size's parts around ref.
func around(ref size) []axis {
	return []axis{
		{
			name: "batch", label: "batch (images)", unit: "pair", values: []int{4, 8, 16, 24, 32}, reference: ref, grid: 1,
			set: func(z *size, v int) { z.Batch = v }, amount: func(z size) float64 { return float64(z.Batch) },
		},
		{
			name: "length", label: "longest text (tokens)", unit: "token", values: []int{10, 25, 50, 75, 100}, reference: ref, grid: 1,
			set: func(z *size, v int) { z.Tokens = v }, amount: func(z size) float64 { return float64(z.Tokens) },
		},
		{
			name: "image size", label: "image (pixels a side)", unit: "patch", values: []int{64, 96, 128, 160, 192, 224, 256}, reference: ref,
			grid: albef.Mid().PatchSize,
			set:  func(z *size, v int) { z.Pixels = v }, amount: func(z size) float64 { return float64(z.patches()) },
		},
		{
			name: "depth", label: "depth (layers of ViT, and of BERT)", unit: "layer", values: []int{2, 4, 6, 8, 10, 12}, reference: ref, grid: 2,
			set: func(z *size, v int) { z.Layers = v }, amount: func(z size) float64 { return float64(z.Layers) },
		},
	}
}
