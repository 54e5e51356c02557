package weights_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"vlab/albef/torch/weights"
)

// BenchmarkRead reads and maps 256 MB of weights in 64 tensors; beside the bytes a
// second, look at the bytes allocated: once the file, and none.
func BenchmarkRead(b *testing.B) {
	d := weights.NewDict()
	for i := range 64 {
		d.Set(strconv.Itoa(i), &weights.Tensor{DType: weights.F32, Shape: []int{1 << 10, 1 << 10}, Data: make([]byte, 4<<20)})
	}
	pth, safe := filepath.Join(b.TempDir(), "a.pth"), filepath.Join(b.TempDir(), "a.safetensors")
	if err := weights.WritePTH(pth, d); err != nil {
		b.Fatal(err)
	}
	if err := weights.WriteSafetensors(safe, d, nil); err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{"pth": pth, "safetensors": safe} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(256 << 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := weights.Read(path); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" mapped", func(b *testing.B) {
			b.SetBytes(256 << 20)
			b.ReportAllocs()
			for b.Loop() {
				_, m, err := mapped(path)
				if err != nil {
					b.Fatal(err)
				}
				m.Close()
			}
		})
	}
}

// BenchmarkWrite writes a checkpoint of 64 MB, to the disk and through fsync.
func BenchmarkWrite(b *testing.B) {
	d := weights.NewDict()
	d.Set("a", &weights.Tensor{DType: weights.U8, Shape: []int{64 << 20}, Data: make([]byte, 64<<20)})
	path := filepath.Join(b.TempDir(), "a.pth")
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if err := weights.WritePTH(path, d); err != nil {
			b.Fatal(err)
		}
	}
}
