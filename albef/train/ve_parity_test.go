package train_test

import (
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// classStep is one recorded step of ve.json, nlvr.json or vqa.json.
type classStep struct {
	Loss     float64
	GradNorm map[string]float64 `json:"grad_norm"`
}

// classRecord is the recorded steps of such a task.
type classRecord struct {
	A04     []classStep `json:"distill_a04"`
	A0      []classStep `json:"distill_a0"`
	Without []classStep `json:"nodistill"`
}

// distilled is the model of a task that learns from batches of B.
type distilled[B any] interface {
	model
	Loss(b B, distill float64) *torch.Tensor
}

// finetuneConfig returns the sizes of a task's model for the pictures named
// images, with the momentum that model_ve, model_nlvr and model_vqa.py have
// built in, whatever the configuration says.
func finetuneConfig(t *testing.T, state, d *weights.Dict, images string) albef.Config {
	t.Helper()
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, d, images)
	c.ImageRes, c.MomentumDecay = shape[2], 0.995
	return c
}

// classBatch reads the batch that all steps were taken with; images is the name
// of the pictures.
func classBatch(t *testing.T, s *torch.Scope, d *weights.Dict, prefix, images string) albef.Labelled {
	return albef.Labelled{
		Images: fixture.Floats(t, s, d, prefix+images), Labels: fixture.Ints(t, s, d, prefix+"targets"),
		IDs: fixture.Ints(t, s, d, prefix+"input_ids"), Mask: fixture.Ints(t, s, d, prefix+"attention_mask"),
	}
}

// checkModes takes the recorded steps of every mode with a model made anew.
func checkModes[B train.Batch](t *testing.T, want classRecord, begin func(t *testing.T) distilled[B], batch func(s *torch.Scope) B) {
	t.Helper()
	for _, mode := range []struct {
		name  string
		alpha float64
		steps []classStep
	}{{"distill", 0.4, want.A04}, {"distill at alpha 0", 0, want.A0}, {"without", 0, want.Without}} {
		t.Run(mode.name, func(t *testing.T) {
			m := begin(t)
			opt := train.NewAdamW(m, decay)
			defer opt.Close()
			if len(mode.steps) == 0 {
				t.Fatal("no steps are recorded")
			}
			for i, w := range mode.steps {
				err := torch.Do(func(s *torch.Scope) {
					b := batch(s)
					if err := b.Check(m.Config()); err != nil {
						t.Fatal(err)
					}
					loss, off := m.Loss(b, mode.alpha), allowedAt(i)
					near(t, "loss", loss.Item(), w.Loss, off.loss)
					loss.Backward()
					checkGradNorms(t, s, m, w.GradNorm, off.norm)
					opt.Step(s, lr)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// veModel is the finetuned model that begins with pretrain_init, its head as in
// ve_extra.
func veModel(t *testing.T) *albef.VE {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	m, err := albef.NewVE(finetuneConfig(t, state, fixture.Tensors(t, "ve.safetensors"), "image"), fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	for name, x := range fixture.Tensors(t, "ve_extra.safetensors").All() {
		state.Set(name, x)
	}
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParityVETwoSteps(t *testing.T) {
	var want classRecord
	fixture.JSON(t, "ve.json", &want)
	d := fixture.Tensors(t, "ve.safetensors")
	checkModes(t, want, func(t *testing.T) distilled[albef.Labelled] { return veModel(t) },
		func(s *torch.Scope) albef.Labelled { return classBatch(t, s, d, "", "image") })
}
