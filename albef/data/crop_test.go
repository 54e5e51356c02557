package data

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func TestRandomCropStaysInBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sizes := []image.Point{{X: 640, Y: 480}, {X: 480, Y: 640}, {X: 1, Y: 1}, {X: 2, Y: 1}, {X: 20000, Y: 10}, {X: 10, Y: 20000}, {X: 7, Y: 9}}
	for _, size := range sizes {
		for range 500 {
			box := randomCrop(rng, size.X, size.Y, 0.2)
			if box.Empty() || !box.In(image.Rectangle{Max: size}) {
				t.Fatalf("size %v: box %v", size, box)
			}
		}
	}
}

func TestRandomCropDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 2))
	const n, w, h = 20000, 1000, 1000
	minArea, maxArea, logAspect, minRatio, maxRatio := 1.0, 0.0, 0.0, 9.0, 0.0
	for range n {
		box := randomCrop(rng, w, h, 0.5)
		area := float64(box.Dx()*box.Dy()) / (w * h)
		aspect := float64(box.Dx()) / float64(box.Dy())
		minArea, maxArea = min(minArea, area), max(maxArea, area)
		minRatio, maxRatio = min(minRatio, aspect), max(maxRatio, aspect)
		logAspect += math.Log(aspect) / n
	}
	if minArea < 0.495 || minArea > 0.51 || maxArea < 0.97 {
		t.Errorf("areas from %.3f to %.3f, want 0.5 to 1", minArea, maxArea)
	}
	if minRatio < 0.745 || minRatio > 0.76 || maxRatio > 1.34 || maxRatio < 1.32 {
		t.Errorf("aspects from %.3f to %.3f, want 3/4 to 4/3", minRatio, maxRatio)
	}
	if math.Abs(logAspect) > 0.01 {
		t.Errorf("mean log aspect %.4f, want 0", logAspect)
	}
}

// What torchvision's RandomResizedCrop falls back to after ten misses.
func TestCentralCrop(t *testing.T) {
	tests := []struct {
		w, h int
		want image.Rectangle
	}{
		{20000, 10, image.Rect(9993, 0, 10006, 10)},
		{10, 20000, image.Rect(0, 9993, 10, 10006)},
		{100, 100, image.Rect(0, 0, 100, 100)},
		{4, 3, image.Rect(0, 0, 4, 3)},
	}
	for _, tt := range tests {
		if got := centralCrop(tt.w, tt.h); got != tt.want {
			t.Errorf("%dx%d: got %v, want %v", tt.w, tt.h, got, tt.want)
		}
	}
}
