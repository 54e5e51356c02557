package data_test

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"vlab/albef/data"
)

// photo draws what costs as much to decode as a photograph: detail of all
// sizes, discs with sharp edges, noise. At 640x480 its JPEG of quality 90 has
// about 130 kB.
func photo(w, h int, seed uint64) *image.RGBA {
	rng := rand.New(rand.NewPCG(seed, 7))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	grey := make([]float64, w*h)
	for size, height := 128, 30.0; size >= 2; size, height = size/2, height*0.8 {
		addNoise(grey, w, h, size, height, rng)
	}
	var discs [20][7]float64
	for i := range discs {
		discs[i] = [7]float64{
			rng.Float64() * float64(w), rng.Float64() * float64(h), 10 + rng.Float64()*70,
			rng.Float64() * 255, rng.Float64() * 255, rng.Float64() * 255,
		}
	}
	for i, g := range grey {
		x, y := float64(i%w), float64(i/w)
		g += rng.NormFloat64() * 5
		rgb := [3]float64{
			110 + g + 50*math.Sin(x/150), 115 + g + 40*math.Cos(y/120), 105 + 0.8*g + 45*math.Sin((x+y)/170),
		}
		for _, d := range discs {
			if dx, dy := x-d[0], y-d[1]; dx*dx+dy*dy < d[2]*d[2] {
				for c := range rgb {
					rgb[c] = rgb[c]/2 + d[3+c]/2
				}
			}
		}
		for c := range rgb {
			img.Pix[4*i+c] = byte(min(max(rgb[c], 0), 255))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

// addNoise adds random values at a grid of points size pixels apart, with
// straight lines between them.
func addNoise(to []float64, w, h, size int, height float64, rng *rand.Rand) {
	across := w/size + 2
	grid := make([]float64, across*(h/size+2))
	for i := range grid {
		grid[i] = rng.NormFloat64() * height
	}
	for i := range to {
		x, y := i%w, i/w
		p := grid[y/size*across+x/size:]
		fx, fy := float64(x%size)/float64(size), float64(y%size)/float64(size)
		to[i] += (p[0]*(1-fx)+p[1]*fx)*(1-fy) + (p[across]*(1-fx)+p[across+1]*fx)*fy
	}
}

// photos are n photos of w by h, or those in the folder VLAB_PHOTOS names.
func photos(b testing.TB, n, w, h int) []data.Pretrain {
	dir := os.Getenv("VLAB_PHOTOS")
	if dir == "" {
		dir = b.TempDir()
		for i := range n {
			content := encodeJPEG(b, photo(w, h, uint64(i)))
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jpg", i)), content, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(names) == 0 {
		b.Fatalf("no photos in %s: %v", dir, err)
	}
	records := make([]data.Pretrain, len(names))
	for i, name := range names {
		records[i] = data.Pretrain{Image: name, Captions: []string{"a photo"}}
	}
	return records
}

// BenchmarkDecodeAugment is all that pretraining does to a picture of 640x480,
// from the file to the numbers. Time of the processor is measured in blocks of
// pictures, since a machine with other work to do hardly shows another.
func BenchmarkDecodeAugment(b *testing.B) {
	records := photos(b, 8, 640, 480)
	const block = 200
	exact := data.PretrainAugment(128)
	exact.FastDecode = false
	for name, config := range map[string]data.TrainConfig{
		"256": data.PretrainAugment(256), "128": data.PretrainAugment(128), "128-exact": exact,
	} {
		b.Run(name, func(b *testing.B) {
			size := config.Size
			source := data.NewPretrainSource(records, data.NewAugmented(config), nil)
			pcg := rand.NewPCG(1, 1)
			rng := rand.New(pcg)
			dst := make([]float32, 3*size*size)
			b.ReportAllocs()
			var blocks []float64
			start := cpuTime(b)
			for i := 0; b.Loop(); i++ {
				pcg.Seed(1, uint64(i%block))
				if _, err := source.Load(i%len(records), rng, dst); err != nil {
					b.Fatal(err)
				}
				if i%block == block-1 {
					now := cpuTime(b)
					blocks = append(blocks, float64((now-start).Microseconds())/block)
					start = now
				}
			}
			if len(blocks) > 0 {
				slices.Sort(blocks)
				b.ReportMetric(blocks[0], "min-cpu-us/op")
				b.ReportMetric(blocks[len(blocks)/2], "median-cpu-us/op")
			}
		})
	}
}

// cpuTime is what this process has used of the processor.
func cpuTime(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStage times the parts of the same: the decoding of what a crop
// needs, the whole picture's, resize and flip, and the rest without RandAugment.
func BenchmarkStage(b *testing.B) {
	records := photos(b, 8, 640, 480)
	for _, size := range []int{256, 128} {
		config := data.PretrainAugment(size)
		b.Run(fmt.Sprintf("decode/%d", size), func(b *testing.B) {
			var d data.Decoder
			tf := data.NewAugmented(config)
			rng := rand.New(rand.NewPCG(1, 1))
			for i := 0; b.Loop(); i++ {
				if _, _, err := d.DecodeFor(records[i%len(records)].Image, tf, rng); err != nil {
					b.Fatal(err)
				}
			}
		})
		config.Augment = data.RandAugment{}
		for name, tf := range map[string]data.Transform{"crop": data.NewAugmented(config), "whole": data.NewResized(size)} {
			b.Run(fmt.Sprintf("resize+normalise %s/%d", name, size), func(b *testing.B) {
				img := mustDecode(b, records[0].Image)
				rng := rand.New(rand.NewPCG(1, 1))
				dst := make([]float32, 3*size*size)
				for b.Loop() {
					if err := tf.Apply(img, rng, dst); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	path := photos(b, 8, 640, 480)[0].Image
	var d data.Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResize(b *testing.B) {
	src, dst := data.FromImage(scene(640, 480, 1)), data.NewRGB(256, 256)
	var r data.Resizer
	b.ReportAllocs()
	for b.Loop() {
		r.Resize(dst, src, src.Bounds())
	}
}

func BenchmarkOp(b *testing.B) {
	src, dst := data.FromImage(photo(256, 256, 1)), &data.RGB{}
	for op := data.AutoContrast; op <= data.ShearY; op++ {
		b.Run(op.String(), func(b *testing.B) {
			for b.Loop() {
				op.Apply(dst, src, op.Arg(7))
			}
		})
	}
}
