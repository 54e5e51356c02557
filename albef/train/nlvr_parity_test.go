package train_test

import (
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// taRecord is the recorded steps of text assignment in nlvr.json.
type taRecord struct {
	Loaded map[string]fixture.Digest `json:"ta_state_digest_loaded"`
	TA     struct {
		Labels []int64
		Steps  []struct {
			classStep
			Drawn [][]int64 `json:"neg_indices"`
		}
		After map[string]fixture.Digest `json:"state_digest_after"`
	}
}

// taHead names the weights that text assignment begins afresh.
var taHead = []string{"ta_head.weight", "ta_head.bias"}

// taModel is the text-assignment model that begins with pretrain_init and the
// head given.
func taModel(t *testing.T, head map[string][]float32) *albef.TA {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	state, err := albef.PairState(state, c.FusionLayer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := albef.NewTA(c.ForPairs(), fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		if values, ok := head[p.Name]; ok {
			state.Set(p.Name, weights.FromFloat32s(p.Shape, values))
		}
	}
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	return m
}

// taSteps takes the recorded steps; look sees the loss of each after its
// gradients are there.
func taSteps(t *testing.T, m *albef.TA, want taRecord, look func(s *torch.Scope, step int, loss float64)) {
	t.Helper()
	d := fixture.Tensors(t, "nlvr.safetensors")
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	for step := range want.TA.Steps {
		err := torch.Do(func(s *torch.Scope) {
			b := albef.TABatch{Labelled: albef.Labelled{
				Images: fixture.Floats(t, s, d, "ta.image"), Labels: s.Ints(want.TA.Labels, len(want.TA.Labels)).ToDevice(m.Device()),
				IDs: fixture.Ints(t, s, d, "ta.input_ids"), Mask: fixture.Ints(t, s, d, "ta.attention_mask"),
			}}
			if err := b.Check(m.Config()); err != nil {
				t.Fatal(err)
			}
			loss := m.Loss(b)
			loss.Backward()
			look(s, step, loss.Item())
			opt.Step(s, lr)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func top2(w *torch.Tensor) *torch.Tensor {
	_, indices := w.TopK(2, 1)
	return indices
}

// taStart returns the head that the recorded steps began with. nlvr.safetensors
// holds it as it was after them, for saving came last; so it is wound back: as
// Adam's first steps hardly depend on where they begin, what the steps add to a
// guess is what they added to the head. The digests of the start tell whether
// that worked.
func taStart(t *testing.T, want taRecord) map[string][]float32 {
	t.Helper()
	d := fixture.Tensors(t, "nlvr.safetensors")
	head := map[string][]float32{}
	for _, name := range taHead {
		head[name], _ = fixture.Get(t, d, "ta."+name)
	}
	for range 20 {
		if startsAs(head, want.Loaded) {
			return head
		}
		m := taModel(t, head)
		m.SetSampler(top2)
		taSteps(t, m, want, func(*torch.Scope, int, float64) {})
		after := m.State()
		m.Close()
		for _, name := range taHead {
			recorded, _ := fixture.Get(t, d, "ta."+name)
			moved, _ := after.Get(name)
			for i, v := range moved.Float32s() {
				head[name][i] += recorded[i] - v
			}
		}
	}
	t.Fatal("the head before the recorded steps could not be found")
	return nil
}

// startsAs compares a head with the digests of the start, as near as float32
// gets it.
func startsAs(head map[string][]float32, want map[string]fixture.Digest) bool {
	for _, name := range taHead {
		if want[name].Differs(weights.FromFloat32s(want[name].Shape, head[name]), fixture.Slack{Each: 1e-7}) != "" {
			return false
		}
	}
	return true
}

func TestParityTATwoSteps(t *testing.T) {
	var want taRecord
	fixture.JSON(t, "nlvr.json", &want)
	if len(want.TA.Steps) == 0 || len(want.TA.After) == 0 {
		t.Fatal("no steps or no states are recorded")
	}
	m := taModel(t, taStart(t, want))
	defer m.Close()
	checkDigests(t, m, want.Loaded, 1e-6, 0)
	var drawn []int64
	m.SetSampler(func(near *torch.Tensor) *torch.Tensor {
		two := top2(near)
		drawn = two.Ints()
		return two
	})
	taSteps(t, m, want, func(s *torch.Scope, step int, loss float64) {
		w := want.TA.Steps[step]
		for i, picked := range w.Drawn {
			if got := drawn[2*i : 2*i+len(picked)]; !slices.Equal(got, picked) {
				t.Errorf("step %d, caption %d: images %v were drawn, want %v", step, i, got, picked)
			}
		}
		off := allowedAt(step)
		near(t, "loss", loss, w.Loss, off.loss)
		checkGradNorms(t, s, m, w.GradNorm, off.norm)
	})
	checkDigests(t, m, want.TA.After, 2e-5, len(want.TA.Steps))
}

func TestParityNLVRTwoSteps(t *testing.T) {
	var want classRecord
	fixture.JSON(t, "nlvr.json", &want)
	d := fixture.Tensors(t, "nlvr.safetensors")
	begin := func(t *testing.T) distilled[albef.Labelled] {
		state := fixture.Weights(t, "nlvr_init.pth")
		m, err := albef.NewNLVR(finetuneConfig(t, state, d, "nlvr.images"), fixture.Device(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		if _, err := m.LoadState(state); err != nil {
			t.Fatal(err)
		}
		return m
	}
	checkModes(t, want, begin, func(s *torch.Scope) albef.Labelled { return classBatch(t, s, d, "nlvr.", "images") })
}
