package viz_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"vlab/viz"
)

// TestParityAttMap compares with what the official getAttMap wrote. The official code works in single precision, hence 1e-5 on the
// map; a map value that rounds to the other side of one of jet's 256 steps may move a colour by one step, 4/256, so of the colours
// 99.5 % must be within 1e-4 and all within 0.02.
func TestParityAttMap(t *testing.T) {
	in, shape := fixture(t, "gradcam.safetensors", "attmap.in")
	m, err := viz.NewMap(shape[1], shape[0], in)
	if err != nil {
		t.Fatal(err)
	}
	rgb, size := fixture(t, "gradcam.safetensors", "attmap.rgb")
	h, w := size[0], size[1]

	want, _ := fixture(t, "gradcam.safetensors", "attmap.blur_only")
	worst, mean, _ := compare(t, m.AttMap(w, h).V, want, 0)
	t.Logf("map: max difference %.2g, mean %.2g", worst, mean)
	if worst > 1e-5 {
		t.Errorf("map: got max difference %g, mean %g, want at most 1e-5", worst, mean)
	}

	want, _ = fixture(t, "gradcam.safetensors", "attmap.out")
	worst, mean, share := compare(t, viz.AttMapRGB(rgb, w, h, m), want, 1e-4)
	t.Logf("colours: max difference %.2g, mean %.2g, beyond 1e-4: %.3f %%", worst, mean, 100*share)
	if worst > .02 || share > .005 {
		t.Errorf("colours: got max difference %g, mean %g, share beyond 1e-4 %g, want at most 0.02 and 0.005", worst, mean, share)
	}
}

// compare is the largest and the mean difference, and the share of differences beyond tolerance.
func compare(t *testing.T, got, want []float32, tolerance float64) (worst, mean, share float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d values, want %d", len(got), len(want))
	}
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			t.Fatalf("value %d: got %g, want %g", i, got[i], want[i])
		}
		worst, mean = max(worst, d), mean+d/float64(len(got))
		if d > tolerance {
			share += 1 / float64(len(got))
		}
	}
	return worst, mean, share
}

// fixture reads one float32 tensor of a safetensors file of the project's fixtures, or of those that VLAB_FIXTURES names.
func fixture(t *testing.T, file, name string) (values []float32, shape []int) {
	t.Helper()
	dir := os.Getenv("VLAB_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "albef", "testdata", "fixtures")
	}
	raw, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	head := binary.LittleEndian.Uint64(raw)
	var entries map[string]struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	if err := json.Unmarshal(raw[8:8+head], &entries); err != nil {
		t.Fatal(err)
	}
	e, ok := entries[name]
	if !ok || e.DType != "F32" {
		t.Fatalf("%s: no float32 tensor %q", file, name)
	}
	for data := raw[8+head:][e.Offsets[0]:e.Offsets[1]]; len(data) > 0; data = data[4:] {
		values = append(values, math.Float32frombits(binary.LittleEndian.Uint32(data)))
	}
	return values, e.Shape
}
