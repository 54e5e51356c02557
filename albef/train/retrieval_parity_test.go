package train_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// retrievalStep is one recorded step of retrieval.json.
type retrievalStep struct {
	LossITA  float64                   `json:"loss_ita"`
	LossITM  float64                   `json:"loss_itm"`
	NegImage []int64                   `json:"neg_image_for_text"`
	NegText  []int64                   `json:"neg_text_for_image"`
	GradNorm map[string]float64        `json:"grad_norm"`
	IDs      []int64                   `json:"idx_queue"`
	Pointer  int64                     `json:"queue_ptr"`
	Digest   map[string]fixture.Digest `json:"state_digest_after"` // of distill_a04 alone
}

type retrievalRecord struct {
	Message struct{ Missing, Unexpected []string } `json:"load_msg"`
	Loaded  map[string]fixture.Digest              `json:"state_digest_loaded"`
	A04     []retrievalStep                        `json:"distill_a04"`
	A0      []retrievalStep                        `json:"distill_a0"`
	Without []retrievalStep                        `json:"nodistill"`
}

// retrievalModel is the finetuned model that begins with pretrain_init.
func retrievalModel(t *testing.T) (*albef.Model, albef.LoadReport) {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, fixture.Tensors(t, "retrieval_inputs.safetensors"), "step0.image")
	c.ImageRes = shape[2]
	m, err := albef.NewRetrieval(c, fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	report, err := m.LoadState(state)
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

func TestParityRetrievalLoadsAPretrainingCheckpoint(t *testing.T) {
	var want retrievalRecord
	fixture.JSON(t, "retrieval.json", &want)
	m, report := retrievalModel(t)
	if !slices.Equal(report.Missing, want.Message.Missing) {
		t.Errorf("missing: got %v, want %v", report.Missing, want.Message.Missing)
	}
	if got := slices.Sorted(slices.Values(report.Unexpected)); !slices.Equal(got, slices.Sorted(slices.Values(want.Message.Unexpected))) {
		t.Errorf("left over: got %v, want %v", got, want.Message.Unexpected)
	}
	checkDigests(t, m, want.Loaded, 1e-6, 0)
}

func TestParityRetrievalTwoSteps(t *testing.T) {
	var want retrievalRecord
	fixture.JSON(t, "retrieval.json", &want)
	in := fixture.Tensors(t, "retrieval_inputs.safetensors")
	for _, mode := range []struct {
		name  string
		alpha float64
		steps []retrievalStep
		how   way
	}{
		{"distill", 0.4, want.A04, whole},
		{"distill at alpha 0", 0, want.A0, whole},
		{"without", 0, want.Without, whole},
		{"distill, in parts", 0.4, want.A04, way{parts: 2, layers: true}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			m, _ := retrievalModel(t)
			opt := train.NewAdamW(m, decay)
			defer opt.Close()
			if len(mode.steps) == 0 || want.A04[0].Digest == nil {
				t.Fatal("no steps or no states are recorded")
			}
			for i, w := range mode.steps {
				err := torch.Do(func(s *torch.Scope) {
					checkRetrieval(t, s, m, retrievalBatch(t, s, in, i), mode.alpha, w, allowedAt(0), mode.how)
					opt.Step(s, lr)
				})
				if err != nil {
					t.Fatal(err)
				}
				checkQueue(t, m, w)
				if w.Digest != nil {
					checkDigests(t, m, w.Digest, 2e-5, i+1)
				}
			}
		})
	}
}

func retrievalBatch(t *testing.T, s *torch.Scope, in *weights.Dict, n int) albef.RetrievalBatch {
	prefix := fmt.Sprintf("step%d.", n)
	return albef.RetrievalBatch{
		Images: fixture.Floats(t, s, in, prefix+"image"), Index: fixture.Ints(t, s, in, prefix+"idx"),
		IDs: fixture.Ints(t, s, in, prefix+"input_ids"), Mask: fixture.Ints(t, s, in, prefix+"attention_mask"),
	}
}

// checkRetrieval compares a step's losses, what it draws and its gradients.
func checkRetrieval(t *testing.T, s *torch.Scope, m *albef.Model, b albef.RetrievalBatch, alpha float64, want retrievalStep, off allowed, how way) {
	t.Helper()
	var drawn [][]int64 // images, then texts
	m.SetSampler(func(w *torch.Tensor) *torch.Tensor {
		picked := top1(w)
		drawn = append(drawn, picked.Ints())
		return picked
	})
	if err := b.Check(m.Config()); err != nil {
		t.Fatal(err)
	}
	tape := how.tape(s, m.Device())
	itc, itm := m.RetrievalParts(b, alpha, how.parts)
	near(t, "loss_ita", itc.Item(), want.LossITA, off.loss)
	near(t, "loss_itm", itm.Item(), want.LossITM, off.loss)
	if got, want := fmt.Sprint(drawn), fmt.Sprint([][]int64{want.NegImage, want.NegText}); got != want {
		t.Errorf("images and texts drawn: got %s, want %s", got, want)
	}
	backward(tape, itc.Add(itm))
	checkGradNorms(t, s, m, want.GradNorm, off.norm)
}

// checkQueue compares the image ids in the queue and its pointer.
func checkQueue(t *testing.T, m *albef.Model, want retrievalStep) {
	t.Helper()
	ids, _ := m.State().Get("idx_queue")
	if got := ids.Int64s(); !slices.Equal(got, want.IDs) {
		t.Errorf("idx_queue: got %v, want %v", got, want.IDs)
	}
	checkPointer(t, m, want.Pointer)
}

func TestParityRetrievalOrderOfNames(t *testing.T) {
	var want struct {
		Loaded json.RawMessage `json:"state_digest_loaded"`
	}
	fixture.JSON(t, "retrieval.json", &want)
	m, _ := retrievalModel(t)
	d := json.NewDecoder(bytes.NewReader(want.Loaded))
	if _, err := d.Token(); err != nil { // the opening brace
		t.Fatal(err)
	}
	for i, got := range m.State().Keys() {
		name, err := d.Token()
		if err != nil || got != name {
			t.Fatalf("entry %d of the state: got %s, want %v (%v)", i, got, name, err)
		}
		if err := d.Decode(&fixture.Digest{}); err != nil {
			t.Fatal(err)
		}
	}
}
