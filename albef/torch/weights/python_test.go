package weights_test

import (
	"errors"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef/torch/weights"
)

// withoutTorch is how torchfile.py exits where a module is missing.
const withoutTorch = 77

// python runs testdata/torchfile.py with the interpreter that VLAB_PYTHON names,
// and skips the test where it has no PyTorch.
func python(t *testing.T, args ...string) string {
	t.Helper()
	interpreter := os.Getenv("VLAB_PYTHON")
	if interpreter == "" {
		interpreter = "python3"
	}
	cmd := exec.CommandContext(t.Context(), interpreter, append([]string{filepath.Join("testdata", "torchfile.py")}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.Is(err, exec.ErrNotFound) || errors.As(err, &exit) && exit.ExitCode() == withoutTorch {
		t.Skipf("VLAB_PYTHON should name a Python with torch, numpy and safetensors: %s: %v %s", interpreter, err, stderr.String())
	}
	if err != nil {
		t.Fatalf("torchfile.py %v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// sample holds every kind of value that can be written, with tied tensors and
// tensors that are part of another.
func sample(t *testing.T) *weights.OrderedMap {
	t.Helper()
	base := weights.FromFloat32s([]int{3, 4}, []float32{0, 1, -2, 3.5, 4, 5, 6, 7, 8, 9, float32(math.Inf(1)), 1e-40})
	state := weights.NewDict()
	state.Set("weight", base)
	state.Set("tied", &weights.Tensor{DType: weights.F32, Shape: []int{12}, Data: base.Data})
	state.Set("row", &weights.Tensor{DType: weights.F32, Shape: []int{4}, Data: base.Data[16:32]})
	state.Set("scalar", weights.FromFloat32s(nil, []float32{0.07}))
	state.Set("empty", weights.FromFloat32s([]int{0, 3}, nil))
	for _, d := range []weights.DType{
		weights.F64, weights.F16, weights.BF16, weights.I64, weights.I32, weights.I16, weights.I8, weights.U8, weights.Bool,
	} {
		state.Set("as "+d.String(), weights.FromFloat32s([]int{4}, []float32{0, 1, 2.5, 100}).To(d))
	}
	meta := weights.NewOrderedDict()
	meta.Attrs = weights.NewMap()
	set(t, meta.Attrs, "version", 1)
	list := &weights.List{Items: []weights.Value{int64(-1), int64(255), int64(65535), int64(1 << 40), int64(math.MinInt64), 0.1}}
	big1 := new(big.Int).Lsh(big.NewInt(1), 63)
	big2 := new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(3), 70))

	v := weights.NewMap()
	set(t, v, "model", state)
	set(t, v, "metadata", meta)
	set(t, v, 5, weights.Tuple{nil, true, false, "grün ✓", []byte{0, 255}, weights.Symbol("torch.bfloat16"), big1, big2})
	set(t, v, weights.Tuple{"a", int64(1)}, weights.Tuple{})
	set(t, v, "list", list)
	set(t, v, "same list", list)
	set(t, v, "empties", []any{&weights.List{}, weights.NewMap(), weights.Tuple{int64(1)}, weights.Tuple{1.5, 2.5}})
	set(t, v, "set", &weights.Set{Items: []weights.Value{int64(5)}})
	return v
}

func set(t *testing.T, m *weights.OrderedMap, k, v weights.Value) {
	t.Helper()
	if err := m.Set(k, v); err != nil {
		t.Fatal(err)
	}
}

// torch.load sees in a file of WritePTH what ReadPTH sees, with and without
// weights_only.
func TestTorchLoadsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sample.pth")
	if err := weights.WritePTH(path, sample(t)); err != nil {
		t.Fatal(err)
	}
	want := describe(mustReadPTH(t, path))
	for _, mode := range []string{"weights_only", "anything"} {
		if got := python(t, "describe", path, mode); got != want {
			t.Errorf("torch.load, %s: %s", mode, firstDifference(got, want))
		}
	}
}

// torch.load sees a checkpoint that was read and written again as it was.
func TestTorchLoadsCheckpoint(t *testing.T) {
	for _, name := range []string{"checkpoint_00.pth", "pretrain_init.pth", "nlvr_init.pth"} {
		v := mustReadPTH(t, fixture(t, name))
		path := filepath.Join(t.TempDir(), name)
		if err := weights.WritePTH(path, v); err != nil {
			t.Fatal(err)
		}
		want := python(t, "describe", fixture(t, name), "weights_only")
		if got := python(t, "describe", path, "weights_only"); got != want {
			t.Errorf("%s: torch.load sees another file: %s", name, firstDifference(got, want))
		}
		if got := describe(v); got != want {
			t.Errorf("%s: ReadPTH sees what torch.load does not: %s", name, firstDifference(got, want))
		}
	}
}

// ReadPTH sees in a file of torch.save what Python put in, in every form: views,
// ties, old and new containers.
func TestReadsTorchSaved(t *testing.T) {
	for _, form := range []string{"zip", "legacy", "protocol4"} {
		t.Run(form, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sample.pth")
			want := python(t, "make", path, form)
			if got := describe(mustReadPTH(t, path)); got != want {
				t.Errorf("differs: %s", firstDifference(got, want))
			}
		})
	}
}

func TestSafetensorsWithPython(t *testing.T) {
	dir := t.TempDir()
	d := weights.NewDict()
	d.Set("byte", weights.FromFloat32s([]int{3}, []float32{1, 2, 3}).To(weights.U8))
	d.Set("double", weights.FromFloat32s([]int{1, 2}, []float32{1.5, -2}).To(weights.F64))
	d.Set("half", weights.FromFloat32s(nil, []float32{1.5}).To(weights.F16))
	d.Set("name \"é\"", weights.FromInt64s([]int{2, 0}, nil))
	path := filepath.Join(dir, "ours.safetensors")
	if err := weights.WriteSafetensors(path, d, map[string]string{"kind": "test"}); err != nil {
		t.Fatal(err)
	}
	want := describe(sortedMap(t, d)) + "[('kind', 'test')]\n"
	if got := python(t, "safetensors-describe", path); got != want {
		t.Errorf("safetensors sees another file: %s", firstDifference(got, want))
	}
	path = filepath.Join(dir, "theirs.safetensors")
	want = python(t, "safetensors-make", path)
	theirs, meta, err := weights.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(sortedMap(t, theirs)); got != want || meta["format"] != "pt" {
		t.Errorf("metadata %v; differs: %s", meta, firstDifference(got, want))
	}
}

func sortedMap(t *testing.T, d *weights.Dict) *weights.OrderedMap {
	t.Helper()
	m := weights.NewMap()
	names := d.Keys()
	slices.Sort(names)
	for _, name := range names {
		x, _ := d.Get(name)
		set(t, m, name, x)
	}
	return m
}
