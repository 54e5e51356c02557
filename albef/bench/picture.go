package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// The pictures that are decoded: JPEGs of quality 90 with chroma at half the
// resolution both ways (4:2:0), the usual form of a photograph.
const (
	pictureCount                = 16
	pictureWidth, pictureHeight = 640, 480
	pictureQuality              = 90

	// PictureCaption is the caption of each.
	PictureCaption = "A man in a blue shirt is standing on a ladder, cleaning a window."
)

// WritePictures writes the pictures that are decoded into dir, always the same
// ones, and returns their paths.
func WritePictures(dir string) ([]string, error) {
	rng := rand.New(rand.NewPCG(3, 4))
	var paths []string
	for i := range pictureCount {
		var content bytes.Buffer
		if err := jpeg.Encode(&content, drawPicture(rng), &jpeg.Options{Quality: pictureQuality}); err != nil {
			return nil, err
		}
		path := filepath.Join(dir, fmt.Sprintf("%02d.jpg", i))
		if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// drawPicture draws what compresses about as a photograph does: brightness with
// detail of all sizes, whose strength falls with its size, colours that change
// slowly, and some discs with sharp edges.
func drawPicture(rng *rand.Rand) *image.RGBA {
	light := noise(rng, 256, 9, 0.74)
	var tint [3][]float64
	for i := range tint {
		tint[i] = noise(rng, 256, 3, 0.5)
	}
	for range 12 {
		disc(rng, light)
	}
	img := image.NewRGBA(image.Rect(0, 0, pictureWidth, pictureHeight))
	for i, l := range light {
		shade := func(t float64) uint8 { return uint8(min(max(128+70*l+45*t, 0), 255)) }
		img.SetRGBA(i%pictureWidth, i/pictureWidth, color.RGBA{shade(tint[0][i]), shade(tint[1][i]), shade(tint[2][i]), 255})
	}
	return img
}

// noise sums layers of smooth random values, the first with a cell of so many
// pixels, each next with one of half the side and fall times the strength.
func noise(rng *rand.Rand, cell, layers int, fall float64) []float64 {
	out, strength := make([]float64, pictureWidth*pictureHeight), 1.0
	for range layers {
		w := pictureWidth/cell + 2
		grid := make([]float64, w*(pictureHeight/cell+2))
		for i := range grid {
			grid[i] = rng.Float64()*2 - 1
		}
		for i := range out {
			x, y := i%pictureWidth, i/pictureWidth
			at := y/cell*w + x/cell
			fx, fy := float64(x%cell)/float64(cell), float64(y%cell)/float64(cell)
			top := grid[at]*(1-fx) + grid[at+1]*fx
			low := grid[at+w]*(1-fx) + grid[at+w+1]*fx
			out[i] += strength * (top*(1-fy) + low*fy)
		}
		cell, strength = max(cell/2, 1), strength*fall
	}
	return out
}

// disc makes a disc lighter or darker.
func disc(rng *rand.Rand, light []float64) {
	cx, cy, r, by := rng.IntN(pictureWidth), rng.IntN(pictureHeight), 20+rng.IntN(80), rng.Float64()*2-1
	for i := range light {
		if x, y := i%pictureWidth-cx, i/pictureWidth-cy; x*x+y*y < r*r {
			light[i] += by
		}
	}
}
