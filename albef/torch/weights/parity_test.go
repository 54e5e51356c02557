package weights_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"vlab/albef/torch/weights"
)

// fixture returns the path of a file written by the official code.
func fixture(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("VLAB_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "fixtures")
	}
	return filepath.Join(dir, name)
}

func mustReadPTH(t testing.TB, path string) *weights.OrderedMap {
	t.Helper()
	v, err := weights.ReadPTH(path)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := v.(*weights.OrderedMap)
	if !ok {
		t.Fatalf("%s holds %T, want a dict", path, v)
	}
	return m
}

func mustStateDict(t testing.TB, v weights.Value) *weights.Dict {
	t.Helper()
	d, err := weights.StateDict(v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// digest is what the fixtures' json files say about a tensor.
type digest struct {
	Shape []int     `json:"shape"`
	Sum   float64   `json:"sum"`
	L2    float64   `json:"l2"`
	First []float64 `json:"first"`
}

// The values in the checkpoint are those that the official code noted when it
// wrote it.
func TestParityCheckpointDigests(t *testing.T) {
	raw, err := os.ReadFile(fixture(t, "pretrain.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Steps []struct {
			Digest map[string]digest `json:"state_digest_after"`
		} `json:"steps"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	state := mustStateDict(t, mustReadPTH(t, fixture(t, "checkpoint_00.pth")))
	digests := want.Steps[len(want.Steps)-1].Digest
	if state.Len() != len(digests) || state.Len() == 0 {
		t.Fatalf("%d tensors, want %d", state.Len(), len(digests))
	}
	for name, w := range digests {
		got, ok := state.Get(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		checkDigest(t, name, got, w)
	}
}

func checkDigest(t *testing.T, name string, x *weights.Tensor, want digest) {
	t.Helper()
	var sum, squares float64
	values := x.Float64s()
	for _, v := range values {
		sum += v
		squares += v * v
	}
	// The official sums are taken in another order.
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-5*(1+math.Sqrt(squares)) }
	if !slices.Equal(x.Shape, want.Shape) || !near(sum, want.Sum) || !near(math.Sqrt(squares), want.L2) {
		t.Errorf("%s: shape %v sum %v l2 %v, want %v %v %v", name, x.Shape, sum, math.Sqrt(squares), want.Shape, want.Sum, want.L2)
	}
	for i, w := range want.First {
		if values[i] != w {
			t.Errorf("%s[%d] = %v, want exactly %v", name, i, values[i], w)
		}
	}
}

// The optimiser's state is there for every parameter of its groups, in the
// parameter's shape.
func TestParityCheckpointOptimizer(t *testing.T) {
	checkpoint := mustReadPTH(t, fixture(t, "checkpoint_00.pth"))
	for _, key := range []string{"model", "optimizer", "lr_scheduler", "config"} {
		if m := checkpoint.Map(key); m == nil || m.Len() == 0 {
			t.Errorf("%q is missing or empty", key)
		}
	}
	if epoch, _ := checkpoint.Get("epoch"); epoch != int64(0) {
		t.Errorf("epoch = %v, want 0", epoch)
	}
	state, _ := checkpoint.Map("optimizer").Get("state")
	groups, _ := checkpoint.Map("optimizer").Get("param_groups")
	model := mustStateDict(t, checkpoint)
	names := groupNames(t)
	count := 0
	for g, group := range groups.(*weights.List).Items {
		params, _ := group.(*weights.OrderedMap).Get("params")
		for i, index := range params.(*weights.List).Items {
			count++
			param, _ := model.Get(names[g][i])
			moments := state.(*weights.OrderedMap).Map(index)
			for _, key := range []string{"exp_avg", "exp_avg_sq"} {
				v, _ := moments.Get(key)
				got, ok := v.(*weights.Tensor)
				if !ok || !slices.Equal(got.Shape, param.Shape) {
					t.Errorf("%s of %s is %v, want shape %v", key, names[g][i], v, param.Shape)
				}
			}
			if step, _ := moments.Get("step"); step == nil || step.(*weights.Tensor).Float32s()[0] != 3 {
				t.Errorf("step of %s is %v, want 3", names[g][i], step)
			}
		}
	}
	if got := state.(*weights.OrderedMap).Len(); got != count || count == 0 {
		t.Errorf("state has %d entries, want %d", got, count)
	}
}

// groupNames returns the parameters' names of each group, as the official code
// noted them.
func groupNames(t *testing.T) [][]string {
	t.Helper()
	raw, err := os.ReadFile(fixture(t, "pretrain.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Groups []struct {
			Names []string `json:"names"`
		} `json:"param_groups"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var names [][]string
	for _, g := range doc.Groups {
		names = append(names, g.Names)
	}
	return names
}

// tied reports whether two tensors are the same memory.
func tied(a, b *weights.Tensor) bool {
	return len(a.Data) > 0 && len(a.Data) == len(b.Data) && &a.Data[0] == &b.Data[0]
}

// The decoder of the language model is tied to the word embeddings, in the file
// and after a round trip; the optimiser's state is tied to nothing.
func TestParityCheckpointTied(t *testing.T) {
	state := mustStateDict(t, mustReadPTH(t, fixture(t, "checkpoint_00.pth")))
	checkPretrainTies(t, state)
	path := filepath.Join(t.TempDir(), "again.pth")
	if err := weights.WritePTH(path, state); err != nil {
		t.Fatal(err)
	}
	again, err := weights.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	checkPretrainTies(t, again)
}

func checkPretrainTies(t *testing.T, state *weights.Dict) {
	t.Helper()
	want := map[string]string{
		"cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
		"cls.predictions.decoder.bias":   "cls.predictions.bias",
	}
	var ties int
	for _, encoder := range []string{"text_encoder.", "text_encoder_m."} {
		for decoder, source := range want {
			a, ok1 := state.Get(encoder + decoder)
			b, ok2 := state.Get(encoder + source)
			if !ok1 || !ok2 || !tied(a, b) {
				t.Errorf("%s%s is not tied to %s", encoder, decoder, source)
			}
		}
	}
	starts := map[*byte]bool{}
	for _, x := range state.All() {
		if starts[&x.Data[0]] {
			ties++
		}
		starts[&x.Data[0]] = true
	}
	if ties != 2*len(want) {
		t.Errorf("%d tensors are tied, want %d", ties, 2*len(want))
	}
}

// The names that share the previous layer's keys and values hold the same bytes.
func TestParityNLVRShared(t *testing.T) {
	raw, err := os.ReadFile(fixture(t, "nlvr.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Shared []string `json:"shared"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	state := mustStateDict(t, mustReadPTH(t, fixture(t, "nlvr_init.pth")))
	layer := regexp.MustCompile(`layer\.(\d+)`)
	for _, name := range doc.Shared {
		previous := layer.ReplaceAllStringFunc(name, func(s string) string {
			n, _ := strconv.Atoi(s[len("layer."):])
			return fmt.Sprintf("layer.%d", n-1)
		})
		a, ok1 := state.Get(name)
		b, ok2 := state.Get(previous)
		if !ok1 || !ok2 || !bytes.Equal(a.Data, b.Data) {
			t.Errorf("%s is not equal to %s", name, previous)
		}
	}
	if len(doc.Shared) == 0 {
		t.Error("nlvr.json names no shared weights")
	}
}

// Written again and read again, every file holds the same: structure, order,
// values and ties.
func TestParityCheckpointRoundTrip(t *testing.T) {
	for _, name := range []string{"checkpoint_00.pth", "pretrain_init.pth", "nlvr_init.pth"} {
		t.Run(name, func(t *testing.T) {
			v := mustReadPTH(t, fixture(t, name))
			path := filepath.Join(t.TempDir(), name)
			if err := weights.WritePTH(path, v); err != nil {
				t.Fatal(err)
			}
			again := mustReadPTH(t, path)
			if got, want := describe(again), describe(v); got != want {
				t.Errorf("differs after a round trip: %s", firstDifference(got, want))
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			old, err := os.Stat(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > old.Size()+old.Size()/10 {
				t.Errorf("%d bytes, PyTorch's file has %d: storages are written twice", info.Size(), old.Size())
			}
		})
	}
}

func TestParityCheckpointSafetensors(t *testing.T) {
	files, err := filepath.Glob(fixture(t, "*.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no safetensors fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, meta, err := weights.ReadSafetensors(file)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "again.safetensors")
			if err := weights.WriteSafetensors(path, d, meta); err != nil {
				t.Fatal(err)
			}
			again, err := weights.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again.Keys(), d.Keys()) || d.Len() == 0 {
				t.Fatalf("names %v, want %v", again.Keys(), d.Keys())
			}
			for name, want := range d.All() {
				got, _ := again.Get(name)
				if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !bytes.Equal(got.Data, want.Data) {
					t.Errorf("%s: %v differs from %v", name, got, want)
				}
			}
		})
	}
}
