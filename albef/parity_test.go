package albef_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/text"
	"vlab/albef/torch"
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

// do runs fn in a scope and fails the test with what it returns.
func do(t *testing.T, fn func(s *torch.Scope)) {
	t.Helper()
	if err := torch.Do(fn); err != nil {
		t.Fatal(err)
	}
}

func TestParityPretrainForward(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	in := fixture.Tensors(t, "pretrain_inputs.safetensors")
	want := fixture.Tensors(t, "pretrain_forward.safetensors")
	near := func(name string, got *torch.Tensor) {
		t.Helper()
		v, shape := fixture.Get(t, want, name)
		if fmt.Sprint(got.Shape()) != fmt.Sprint(shape) {
			t.Errorf("%s: shape %v, want %v", name, got.Shape(), shape)
		}
		fixture.Near(t, name, got.Floats(), v, 1e-4, 2e-5)
	}
	do(t, func(s *torch.Scope) {
		torch.NoGrad(func() {
			images := fixture.Floats(t, s, in, "step0.image")
			ids, mask := fixture.Ints(t, s, in, "step0.input_ids"), fixture.Ints(t, s, in, "step0.attention_mask")
			near("patch_embed", albef.Patches(m.Image, images))
			embeds := m.Image.Forward(images)
			near("image_embeds", embeds)
			near("image_feat", m.ImageProj(embeds.Select(1, 0)))
			text := m.Text.Encode(ids, mask, 0)
			near("text_embeds", text)
			near("text_feat", m.TextProj(text.Select(1, 0)))
			kv := m.Text.Image(embeds)
			hidden := m.Text.Fuse(text, mask, kv, 0)
			near("fusion_hidden", hidden)
			near("itm_logits", m.Match(hidden))
			near("mlm_logits_unmasked_input", m.Text.Words(hidden))
			for layer := m.Config().FusionLayer; layer < m.Config().Layers; layer++ {
				read, attention := m.Text.FuseMap(text, mask, kv, layer)
				near(fmt.Sprintf("cross_attention.layer%d", layer), attention)
				near("fusion_hidden", read)
			}
		})
	})
}

func TestParityTexts(t *testing.T) {
	var pretrain struct{ Texts [][]string }
	var ve struct{ Texts []string }
	var nlvr struct {
		Texts []string
		TA    struct{ Texts []string }
	}
	fixture.JSON(t, "pretrain.json", &pretrain)
	fixture.JSON(t, "ve.json", &ve)
	fixture.JSON(t, "nlvr.json", &nlvr)
	cut := text.BatchOptions{MaxLen: 25, Truncate: true}
	if len(pretrain.Texts) != 4 {
		t.Errorf("got texts of %d pretraining steps, want 4", len(pretrain.Texts))
	}
	for step, texts := range pretrain.Texts {
		fixture.CheckTexts(t, fixture.Tensors(t, "pretrain_inputs.safetensors"), fmt.Sprintf("step%d.", step), texts, cut)
	}
	fixture.CheckTexts(t, fixture.Tensors(t, "ve.safetensors"), "", ve.Texts, text.BatchOptions{})
	pairs := fixture.Tensors(t, "nlvr.safetensors")
	fixture.CheckTexts(t, pairs, "nlvr.", nlvr.Texts, text.BatchOptions{})
	fixture.CheckTexts(t, pairs, "ta.", nlvr.TA.Texts, cut)
}

func TestParityCheckpointPositions(t *testing.T) {
	d := fixture.Tensors(t, "pos_embed.safetensors")
	for _, name := range d.Keys() {
		sizes, isInput := strings.CutSuffix(name, ".in")
		if !isInput {
			continue
		}
		want, shape := fixture.Get(t, d, sizes+".out")
		do(t, func(s *torch.Scope) {
			grid := 1
			for grid*grid < shape[1]-1 {
				grid++
			}
			got := albef.InterpolatePositions(fixture.Floats(t, s, d, name), grid)
			fixture.Near(t, sizes, got.Floats(), want, 1e-5, 1e-5)
		})
	}
}

func TestParityGroundingGradCAM(t *testing.T) {
	d := fixture.Tensors(t, "gradcam.safetensors")
	_, imageShape := fixture.Get(t, d, "image")
	m := fixture.Model(t, "pretrain_init.pth", func(c *albef.Config) { c.ImageRes = imageShape[2] })
	near := func(name string, got *torch.Tensor) {
		t.Helper()
		want, _ := fixture.Get(t, d, name)
		fixture.Near(t, name, got.Floats(), want, 1e-3, 2e-5)
	}
	do(t, func(s *torch.Scope) {
		images := fixture.Floats(t, s, d, "image")
		ids, mask := fixture.Ints(t, s, d, "input_ids"), fixture.Ints(t, s, d, "attention_mask")
		for layer := m.Config().FusionLayer; layer < m.Config().Layers; layer++ {
			embeds := m.Image.Forward(images)
			maps, err := m.GradCAM(embeds, ids, mask, layer)
			if err != nil {
				t.Fatal(err)
			}
			prefix := fmt.Sprintf("itm.layer%d.", layer)
			near(prefix+"attention_map", maps.Attention)
			near(prefix+"attention_grad", maps.Gradient)
			near(prefix+"gradcam_per_token", maps.Tokens)
			near(prefix+"gradcam_grounding", maps.Phrase())
			near("itm.logits", maps.Logits)
		}
		for block := range m.Config().VisionDepth {
			cam, attention, gradient, err := m.ImageGradCAM(images, ids, mask, block)
			if err != nil {
				t.Fatal(err)
			}
			prefix := fmt.Sprintf("itc.block%d.", block)
			near(prefix+"attention_cls_row", attention)
			near(prefix+"grad_cls_row", gradient)
			near(prefix+"gradcam", cam)
		}
	})
}
