package train_test

import (
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// vqaModel is the model that begins with pretrain_init as VQA.py begins it. It
// skips the test where the sizes allow none.
func vqaModel(t *testing.T, d *weights.Dict) *albef.VQA {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := finetuneConfig(t, state, d, "image")
	if c.Hidden != c.VisionWidth {
		t.Skipf("no VQA model has a hidden_size of %d and a vision_width of %d", c.Hidden, c.VisionWidth)
	}
	m, err := albef.NewVQA(c, fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if state, err = albef.VQAState(state, c.FusionLayer); err != nil {
		t.Fatal(err)
	}
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	return m
}

// vqaBatch reads the batch that all steps were taken with.
func vqaBatch(t *testing.T, s *torch.Scope, d *weights.Dict) albef.VQABatch {
	t.Helper()
	ids, _ := d.Get("a.input_ids")
	mask, _ := d.Get("a.attention_mask")
	k, _ := d.Get("k")
	weight, _ := fixture.Get(t, d, "weights")
	tokens, length := make([][]int64, ids.Shape[0]), ids.Shape[1]
	for i, id := range ids.Int64s() {
		if mask.Int64s()[i] == 1 {
			tokens[i/length] = append(tokens[i/length], id)
		}
	}
	var of []int64
	for q, n := range k.Int64s() {
		for range n {
			of = append(of, int64(q))
		}
	}
	each := make([]float64, len(weight))
	for i, w := range weight {
		each[i] = float64(w)
	}
	return albef.VQABatch{
		Images: fixture.Floats(t, s, d, "image"),
		IDs:    fixture.Ints(t, s, d, "q.input_ids"), Mask: fixture.Ints(t, s, d, "q.attention_mask"),
		Answers: albef.NewAnswers(s, tokens, each, fixture.Device(t)), Of: s.Ints(of, len(of)).ToDevice(fixture.Device(t)),
	}
}

func TestParityVQATwoSteps(t *testing.T) {
	var want classRecord
	fixture.JSON(t, "vqa.json", &want)
	d := fixture.Tensors(t, "vqa.safetensors")
	checkModes(t, want, func(t *testing.T) distilled[albef.VQABatch] { return vqaModel(t, d) },
		func(s *torch.Scope) albef.VQABatch { return vqaBatch(t, s, d) })
}
