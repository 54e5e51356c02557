package albef_test

import (
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// loadMessage is what load_state_dict told of a checkpoint's names.
type loadMessage struct{ Missing, Unexpected []string }

func checkLoaded(t *testing.T, got albef.LoadReport, want loadMessage) {
	t.Helper()
	if len(want.Missing) == 0 || len(want.Unexpected) == 0 {
		t.Fatal("no names are recorded")
	}
	for _, part := range []struct {
		what      string
		got, want []string
	}{{"missing", got.Missing, want.Missing}, {"left over", got.Unexpected, want.Unexpected}} {
		slices.Sort(part.got)
		slices.Sort(part.want)
		if !slices.Equal(part.got, part.want) {
			t.Errorf("%s: got %v, want %v", part.what, part.got, part.want)
		}
	}
}

// veModel is the finetuned model that begins with pretrain_init, its head as in
// ve_extra.
func veModel(t *testing.T) (*albef.VE, albef.LoadReport) {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, fixture.Tensors(t, "ve.safetensors"), "image")
	c.ImageRes = shape[2]
	m, err := albef.NewVE(c, fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	report, err := m.LoadState(state, albef.IsClassHead)
	if err != nil {
		t.Fatal(err)
	}
	whole := m.State()
	for name, x := range fixture.Tensors(t, "ve_extra.safetensors").All() {
		whole.Set(name, x)
	}
	if _, err := m.LoadState(whole); err != nil {
		t.Fatal(err)
	}
	return m, report
}

func TestParityVELoadsAPretrainingCheckpoint(t *testing.T) {
	var want struct {
		Message loadMessage `json:"load_msg"`
	}
	fixture.JSON(t, "ve.json", &want)
	_, report := veModel(t)
	checkLoaded(t, report, want.Message)
}

func TestParityVELogits(t *testing.T) {
	m, _ := veModel(t)
	d := fixture.Tensors(t, "ve.safetensors")
	want, _ := fixture.Get(t, d, "out.logits")
	do(t, func(s *torch.Scope) {
		got := m.Logits(fixture.Floats(t, s, d, "image"), fixture.Ints(t, s, d, "input_ids"), fixture.Ints(t, s, d, "attention_mask"))
		fixture.Near(t, "logits", got.Floats(), want, 1e-4, 2e-5)
	})
}

func TestVEBeginsWithTheMomentumModelOfTheCheckpointAndAnOwnHead(t *testing.T) {
	state := fixture.Weights(t, "pretrain_init.pth")
	m, err := albef.NewVE(fixture.Config(t, state), fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.LoadState(state, albef.IsClassHead); err != nil {
		t.Fatal(err)
	}
	got := m.State()
	same := func(a string, d *weights.Dict, b string) bool {
		x, ok := got.Get(a)
		y, found := d.Get(b)
		if !ok || !found {
			t.Fatalf("no %s or no %s", a, b)
		}
		return string(x.Data) == string(y.Data)
	}
	if !same("visual_encoder_m.norm.weight", state, "visual_encoder_m.norm.weight") {
		t.Error("the momentum image encoder is not the checkpoint's")
	}
	if !same("cls_head_m.2.weight", got, "cls_head.2.weight") {
		t.Error("the momentum head is not the online one's copy")
	}
}

func TestVERefusesBatchesThatDoNotFit(t *testing.T) {
	m, _ := veModel(t)
	c := m.Config()
	do(t, func(s *torch.Scope) {
		batch := func(images, sentences, labels, tokens, res int) albef.Labelled {
			return albef.Labelled{
				Images: s.Zeros(torch.CPU, images, 3, res, res),
				IDs:    s.Ints(make([]int64, sentences*tokens), sentences, tokens), Mask: s.Ints(make([]int64, sentences*tokens), sentences, tokens),
				Labels: s.Ints(make([]int64, labels), labels),
			}
		}
		for _, tt := range []struct {
			name string
			b    albef.Labelled
			want string
		}{
			{"fits", batch(2, 2, 2, 5, c.ImageRes), ""},
			{"two images each", batch(4, 2, 2, 5, c.ImageRes), ""},
			{"another size", batch(2, 2, 2, 5, c.ImageRes+1), "images are"},
			{"images", batch(3, 2, 2, 5, c.ImageRes), "3 images for 2 sentences"},
			{"labels", batch(2, 2, 1, 5, c.ImageRes), "1 labels for 2 sentences"},
			{"long", batch(2, 2, 2, c.MaxPositions+1, c.ImageRes), "positions"},
		} {
			err := tt.b.Check(c)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
			}
		}
	})
}
