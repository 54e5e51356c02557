package train_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

func TestMain(m *testing.M) {
	before := torch.Live()
	code := m.Run()
	if now := torch.Live(); code == 0 && now != before {
		fmt.Fprintf(os.Stderr, "torch.Live() is %d after all tests, want %d\n", now, before)
		code = 1
	}
	os.Exit(code)
}

// step is one recorded training step of pretrain.json.
type step struct {
	Alpha    float64
	LossMLM  float64                   `json:"loss_mlm"`
	LossITA  float64                   `json:"loss_ita"`
	LossITM  float64                   `json:"loss_itm"`
	Masked   int                       `json:"n_masked"`
	NegImage []int64                   `json:"neg_image_for_text"`
	NegText  []int64                   `json:"neg_text_for_image"`
	Temp     float64                   `json:"temp"`
	GradNorm map[string]float64        `json:"grad_norm"`
	Digest   map[string]fixture.Digest `json:"state_digest_after"` // not of alpha0
	Pointer  int64                     `json:"queue_ptr_after"`    // of the three steps alone
	NormMLM  map[string]float64        `json:"grad_norm_mlm"`
	NormITA  map[string]float64        `json:"grad_norm_ita"`
	NormITM  map[string]float64        `json:"grad_norm_itm"`
}

type recorded struct {
	Alpha0      step
	Steps       []step
	ResumeStep3 step `json:"resume_step3"`
	TempClamp   struct {
		Before float64 `json:"temp_before"`
		After  float64 `json:"temp_after"`
		Losses []float64
	} `json:"temp_clamp"`
	Groups []struct {
		Decay float64 `json:"weight_decay"`
		Names []string
	} `json:"param_groups"`
}

func load(t *testing.T) recorded {
	var r recorded
	fixture.JSON(t, "pretrain.json", &r)
	return r
}

// lr and decay are what the recorded steps ran with (fixtures/README.md).
const lr, decay = 1e-3, 0.02

func top1(w *torch.Tensor) *torch.Tensor {
	_, indices := w.TopK(1, 1)
	return indices
}

// batch reads step n of pretrain_inputs.
func batch(t *testing.T, s *torch.Scope, n int) albef.Batch {
	d := fixture.Tensors(t, "pretrain_inputs.safetensors")
	prefix := fmt.Sprintf("step%d.", n)
	b := albef.Batch{
		Images: fixture.Floats(t, s, d, prefix+"image"),
		IDs:    fixture.Ints(t, s, d, prefix+"input_ids"), Mask: fixture.Ints(t, s, d, prefix+"attention_mask"),
		MaskedIDs: fixture.Ints(t, s, d, prefix+"masked_input_ids"),
	}
	labels, _ := d.Get(prefix + "labels")
	var at, words []int64
	for i, label := range labels.Int64s() {
		if label != -100 {
			at, words = append(at, int64(i)), append(words, label)
		}
	}
	dev := fixture.Device(t)
	b.Positions, b.Words = s.Ints(at, len(at)).ToDevice(dev), s.Ints(words, len(words)).ToDevice(dev)
	return b
}

func near(t *testing.T, what string, got, want, rel float64) {
	t.Helper()
	if !(math.Abs(got-want) <= rel*math.Abs(want)+1e-6) {
		t.Errorf("%s: got %.8g, want %.8g (allowed %g of it)", what, got, want, rel)
	}
}

// allowed is how far losses and the norms of gradients may be off, in parts of
// themselves.
type allowed struct{ loss, norm float64 }

// allowedAt returns what is allowed in a step of a classifier that has so many
// before it; pretraining and retrieval stay as near in all steps as in the first.
// Adam's first steps are sign-like: where a gradient is near 0, a rounding may
// turn a step of lr around, and the next one begins elsewhere.
func allowedAt(step int) allowed {
	if step == 0 {
		return allowed{1e-4, 1e-3}
	}
	return allowed{1e-3, 5e-3}
}

// checkStep takes the step of batch n as far as its gradients.
func checkStep(t *testing.T, s *torch.Scope, m *albef.Model, n int, want step, off allowed, w way) {
	t.Helper()
	tape := w.tape(s, m.Device())
	b := batch(t, s, n)
	if got := b.Words.Size(0); got != want.Masked {
		t.Errorf("words hidden: got %d, want %d", got, want.Masked)
	}
	l := m.PretrainParts(b, want.Alpha, w.parts)
	checkLosses(t, l, want, off.loss)
	near(t, "temperature", m.Temperature(), want.Temp, 1e-5)
	backward(tape, l.Total())
	checkGradNorms(t, s, m, want.GradNorm, off.norm)
}

func checkLosses(t *testing.T, l albef.Losses, want step, rel float64) {
	t.Helper()
	near(t, "loss_mlm", l.MLM.Item(), want.LossMLM, rel)
	near(t, "loss_ita", l.ITC.Item(), want.LossITA, rel)
	near(t, "loss_itm", l.ITM.Item(), want.LossITM, rel)
	if got := l.NegImages.Ints(); fmt.Sprint(got) != fmt.Sprint(want.NegImage) {
		t.Errorf("image drawn against each text: got %v, want %v", got, want.NegImage)
	}
	if got := l.NegTexts.Ints(); fmt.Sprint(got) != fmt.Sprint(want.NegText) {
		t.Errorf("text drawn against each image: got %v, want %v", got, want.NegText)
	}
}

// model is any of the tasks' models.
type model interface {
	train.Model
	Params() []albef.Param
}

func checkGradNorms(t *testing.T, s *torch.Scope, m model, want map[string]float64, rel float64) {
	t.Helper()
	seen := 0
	for _, p := range m.Params() {
		norm, ok := want[p.Name]
		if !ok || p.Tied {
			continue
		}
		seen++
		g := torch.Grads(s, []*torch.Tensor{p.Tensor})[0]
		if g == nil {
			if norm != 0 {
				t.Errorf("gradient of %s: none, want norm %g", p.Name, norm)
			}
			continue
		}
		got := torch.TotalNorm(s, []*torch.Tensor{g}).Item()
		if math.Abs(got-norm) > rel*norm+2e-5 {
			t.Errorf("gradient of %s: norm %.8g, want %.8g", p.Name, got, norm)
		}
	}
	if seen < len(want)-2 { // the tied decoder may be listed twice
		t.Errorf("compared %d gradient norms of %d", seen, len(want))
	}
}

// checkDigests compares the state after some steps; each is how far its values
// may be off. One value in a tensor may be further off, by steps that a rounding
// turned around, and so may all biases of keys: softmax makes them meaningless,
// as adding the same to every key's score changes nothing, so their gradient is
// rounding noise, which Adam blows up to steps of lr in either direction.
func checkDigests(t *testing.T, m model, want map[string]fixture.Digest, each float64, steps int) {
	t.Helper()
	turned := 2 * lr * float64(steps)
	fixture.CheckDigests(t, m.State(), want, func(name string) fixture.Slack {
		switch {
		case strings.HasSuffix(name, "self.key.bias"):
			return fixture.Slack{Each: max(each, turned)}
		case strings.HasSuffix(name, "attn.qkv.bias"): // those of keys are a third
			return fixture.Slack{Each: each, Stray: turned * float64(m.Config().VisionWidth)}
		}
		return fixture.Slack{Each: each, Stray: turned}
	})
}

func TestParityPretrainLossesWithoutDistillation(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	m.SetSampler(top1)
	want := load(t).Alpha0
	err := torch.Do(func(s *torch.Scope) { checkStep(t, s, m, 0, want, allowedAt(0), whole) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestParityPretrainGradNormOfEachLoss(t *testing.T) {
	want := load(t).Steps[0]
	for _, part := range []struct {
		name string
		pick func(albef.Losses) *torch.Tensor
		norm map[string]float64
	}{
		{"mlm", func(l albef.Losses) *torch.Tensor { return l.MLM }, want.NormMLM},
		{"ita", func(l albef.Losses) *torch.Tensor { return l.ITC }, want.NormITA},
		{"itm", func(l albef.Losses) *torch.Tensor { return l.ITM }, want.NormITM},
	} {
		t.Run(part.name, func(t *testing.T) {
			m := fixture.Model(t, "pretrain_init.pth", nil)
			m.SetSampler(top1)
			err := torch.Do(func(s *torch.Scope) {
				part.pick(m.Pretrain(batch(t, s, 0), want.Alpha)).Backward()
				checkGradNorms(t, s, m, part.norm, allowedAt(0).norm)
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestParityPretrainThreeSteps(t *testing.T) { checkThreeSteps(t, whole) }

// TestParityPretrainThreeStepsInParts takes the same steps in parts, whose layers
// are run again.
func TestParityPretrainThreeStepsInParts(t *testing.T) {
	checkThreeSteps(t, way{parts: 2, layers: true})
}

func checkThreeSteps(t *testing.T, how way) {
	t.Helper()
	m := fixture.Model(t, "pretrain_init.pth", nil)
	m.SetSampler(top1)
	want := load(t)
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	grads := fixture.Tensors(t, "pretrain_step0_grads.safetensors")
	after := fixture.Tensors(t, "pretrain_step0_after.safetensors")
	for i, w := range want.Steps {
		err := torch.Do(func(s *torch.Scope) {
			checkStep(t, s, m, i, w, allowedAt(0), how)
			if i == 0 {
				checkGrads(t, s, m, grads)
			}
			opt.Step(s, lr)
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			checkAfter(t, m, after, grads)
		}
		checkDigests(t, m, w.Digest, 2e-5, i+1)
		checkPointer(t, m, w.Pointer)
	}
}

// checkPointer compares where the queue is written to next.
func checkPointer(t *testing.T, m *albef.Model, want int64) {
	t.Helper()
	x, _ := m.State().Get("queue_ptr")
	if got := x.Int64s()[0]; got != want {
		t.Errorf("queue_ptr: got %d, want %d", got, want)
	}
}

func checkGrads(t *testing.T, s *torch.Scope, m *albef.Model, want *weights.Dict) {
	t.Helper()
	seen := 0
	for _, p := range m.Params() {
		if _, ok := want.Get(p.Name); !ok || p.Tied {
			continue
		}
		seen++
		v, _ := fixture.Get(t, want, p.Name)
		g := torch.Grads(s, []*torch.Tensor{p.Tensor})[0]
		if g == nil {
			t.Errorf("no gradient of %s", p.Name)
			continue
		}
		fixture.NearL2(t, "gradient of "+p.Name, g.Floats(), v, 1e-3, 2e-5)
	}
	if seen == 0 {
		t.Error("no gradient was compared")
	}
}

// checkAfter compares where the gradient is large enough that Adam's sign-like
// first step is determined.
func checkAfter(t *testing.T, m *albef.Model, want, grads *weights.Dict) {
	t.Helper()
	seen := 0
	for _, p := range m.Params() {
		x, ok := want.Get(p.Name)
		if !ok {
			continue
		}
		got, w := p.Tensor.Floats(), x.Float32s()
		g, hasGrad := grads.Get(p.Name)
		if hasGrad {
			gv := g.Float32s()
			for i := range w {
				if math.Abs(float64(gv[i])) < 1e-4 {
					got[i] = w[i]
				}
			}
		}
		seen++
		fixture.Near(t, "after step 0: "+p.Name, got, w, 1e-5, 1e-5)
	}
	if seen == 0 {
		t.Error("nothing was compared")
	}
}

func TestParityPretrainTemperatureIsClamped(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	m.SetSampler(top1)
	r := load(t)
	for _, p := range m.Params() {
		if p.Name == "temp" {
			v := torch.Full(nil, r.TempClamp.Before, torch.Float32, m.Device())
			p.Tensor.Copy(v)
			v.Close()
		}
	}
	err := torch.Do(func(s *torch.Scope) {
		l := m.Pretrain(batch(t, s, 0), r.Steps[0].Alpha)
		for i, got := range []*torch.Tensor{l.MLM, l.ITC, l.ITM} {
			near(t, "loss", got.Item(), r.TempClamp.Losses[i], 1e-4)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "temperature", m.Temperature(), r.TempClamp.After, 1e-6)
}

func TestParityPretrainParameterGroups(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	plain, decayed := m.Trained()
	for i, got := range [][]albef.Param{plain, decayed} {
		group := load(t).Groups[i]
		if rate, _ := groups(t, opt.State(lr))[i].Get("weight_decay"); rate != group.Decay {
			t.Errorf("weight decay of group %d: got %v, want %v", i, rate, group.Decay)
		}
		want := group.Names
		if len(got) != len(want) {
			t.Fatalf("group %d has %d parameters, want %d", i, len(got), len(want))
		}
		for j := range want {
			if got[j].Name != want[j] {
				t.Fatalf("group %d entry %d: got %s, want %s", i, j, got[j].Name, want[j])
			}
		}
	}
}
