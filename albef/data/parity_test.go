package data_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"vlab/albef/data"
)

// fixtures is the folder of reference outputs of the official code.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("VLAB_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "testdata", "fixtures")
	}
	if _, err := os.Stat(filepath.Join(dir, "image")); err != nil {
		t.Fatalf("fixtures: %v", err)
	}
	return dir
}

func mustDecode(t testing.TB, elem ...string) *data.RGB {
	t.Helper()
	img, err := data.Decode(filepath.Join(elem...), 0)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// checkPixels fails unless got equals want to within tolerance grey levels.
func checkPixels(t testing.TB, got, want *data.RGB, tolerance int) {
	t.Helper()
	if got.W != want.W || got.H != want.H {
		t.Fatalf("size: got %dx%d, want %dx%d", got.W, got.H, want.W, want.H)
	}
	if len(got.Pix) != len(want.Pix) {
		t.Fatalf("bytes: got %d, want %d", len(got.Pix), len(want.Pix))
	}
	worst, differing, at := 0, 0, 0
	for i := range want.Pix {
		d := int(got.Pix[i]) - int(want.Pix[i])
		if d = max(d, -d); d > 0 {
			differing++
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > tolerance {
		t.Errorf("%d of %d bytes differ, most by %d at x=%d y=%d channel %d: got %d, want %d", differing, len(want.Pix),
			worst, at/3%want.W, at/3/want.W, at%3, got.Pix[at], want.Pix[at])
	}
}

func TestParityTransformResize(t *testing.T) {
	dir := filepath.Join(fixtures(t), "image")
	src := mustDecode(t, dir, "src.png")
	for _, size := range []int{64, 96, 224} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			checkPixels(t, data.Resize(src, size, size), mustDecode(t, dir, fmt.Sprintf("resize%d.png", size)), 0)
		})
	}
}

func TestParityTransformCrop(t *testing.T) {
	dir := fixtures(t)
	content, err := os.ReadFile(filepath.Join(dir, "image_transform.json"))
	if err != nil {
		t.Fatal(err)
	}
	var crops map[string]struct{ Top, Left, Height, Width, Size int }
	if err := json.Unmarshal(content, &crops); err != nil {
		t.Fatal(err)
	}
	if len(crops) == 0 {
		t.Fatal("image_transform.json names no crops")
	}
	src := mustDecode(t, dir, "image", "src.png")
	for name, c := range crops {
		t.Run(name, func(t *testing.T) {
			got := data.CropResize(src, image.Rect(c.Left, c.Top, c.Left+c.Width, c.Top+c.Height), c.Size)
			checkPixels(t, got, mustDecode(t, dir, "image", name+".png"), 0)
		})
	}
}

func TestParityTransformFlip(t *testing.T) {
	dir := filepath.Join(fixtures(t), "image")
	checkPixels(t, data.Flip(mustDecode(t, dir, "src.png")), mustDecode(t, dir, "hflip.png"), 0)
}

func TestParityTransformTest(t *testing.T) {
	dir := fixtures(t)
	src := mustDecode(t, dir, "image", "src.png")
	for _, size := range []int{64, 96} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := safetensor(t, filepath.Join(dir, "image_transform.safetensors"), fmt.Sprintf("test_transform_%d", size))
			got := make([]float32, 3*size*size)
			if err := data.NewResized(size).Apply(src, nil, got); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("got %d numbers, want %d", len(got), len(want))
			}
			worst := 0.0
			for i := range want {
				worst = max(worst, math.Abs(float64(got[i]-want[i])))
			}
			if worst > 0 {
				t.Errorf("largest difference %g, want 0", worst)
			}
		})
	}
}

func TestParityRandAugment(t *testing.T) {
	dir := fixtures(t)
	content, err := os.ReadFile(filepath.Join(dir, "randaugment", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Ops []struct {
			Op    string
			Level float64
			Args  []json.RawMessage
			File  string
		}
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Ops) == 0 {
		t.Fatal("manifest.json names no operations")
	}
	src := mustDecode(t, dir, "image", "ra_src.png")
	for _, m := range manifest.Ops {
		t.Run(m.File, func(t *testing.T) {
			op, err := data.ParseOp(m.Op)
			if err != nil {
				t.Fatal(err)
			}
			arg := 0.0
			if len(m.Args) > 0 {
				if err := json.Unmarshal(m.Args[0], &arg); err != nil {
					t.Fatal(err)
				}
			}
			if got := op.Arg(m.Level); math.Abs(got-math.Abs(arg)) > 1e-12 {
				t.Errorf("%v.Arg(%g): got %g, want %g", op, m.Level, got, math.Abs(arg))
			}
			got := &data.RGB{}
			op.Apply(got, src, arg)
			checkPixels(t, got, mustDecode(t, dir, "randaugment", m.File), 0)
		})
	}
}

// safetensor reads one float32 tensor: the file is the length of a json header
// in 8 bytes, the header, and the numbers.
func safetensor(t testing.TB, path, name string) []float32 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(content)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(content[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Dtype       string
		DataOffsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(header[name], &entry); err != nil {
		t.Fatalf("tensor %s: %v", name, err)
	}
	if entry.Dtype != "F32" {
		t.Fatalf("tensor %s: type %s, want F32", name, entry.Dtype)
	}
	raw := content[8+int(n):][entry.DataOffsets[0]:entry.DataOffsets[1]]
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}
