package data

import (
	"image"
	"math"
	"math/rand/v2"
)

// Crops have an aspect between 3:4 and 4:3, as in torchvision.
const minAspect, maxAspect = 3.0 / 4, 4.0 / 3

// randomCrop draws the box of torchvision's RandomResizedCrop: an area of
// minArea to 1 times the picture's and an aspect drawn on a logarithmic scale,
// ten tries to fit it in, and else the largest central box of allowed aspect.
func randomCrop(rng *rand.Rand, w, h int, minArea float64) image.Rectangle {
	logMin, logMax := math.Log(minAspect), math.Log(maxAspect)
	for range 10 {
		area := float64(w) * float64(h) * uniform(rng, minArea, 1)
		aspect := math.Exp(uniform(rng, logMin, logMax))
		cw := int(math.RoundToEven(math.Sqrt(area * aspect)))
		ch := int(math.RoundToEven(math.Sqrt(area / aspect)))
		if cw > 0 && ch > 0 && cw <= w && ch <= h {
			y := rng.IntN(h - ch + 1)
			x := rng.IntN(w - cw + 1)
			return image.Rect(x, y, x+cw, y+ch)
		}
	}
	return centralCrop(w, h)
}

func centralCrop(w, h int) image.Rectangle {
	cw, ch := w, h
	switch aspect := float64(w) / float64(h); {
	case aspect < minAspect:
		ch = int(math.RoundToEven(float64(w) / minAspect))
	case aspect > maxAspect:
		cw = int(math.RoundToEven(float64(h) * maxAspect))
	}
	x, y := (w-cw)/2, (h-ch)/2
	return image.Rect(x, y, x+cw, y+ch)
}

func uniform(rng *rand.Rand, low, high float64) float64 {
	return low + (high-low)*rng.Float64()
}
