package albef_test

import (
	"math"
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// offset keeps the ReLU of a class head open, so that the head is linear.
const offset = 200

// asMatch makes of a pretraining state one of VE whose logit of class 1 is
// ITM's logit for a match, up to a constant.
func asMatch(t *testing.T, state *weights.Dict) *weights.Dict {
	t.Helper()
	itm, ok := state.Get("itm_head.weight")
	if !ok {
		t.Fatal("no itm_head.weight")
	}
	width := itm.Shape[1]
	same, shift := make([]float32, width*width), make([]float32, width)
	for i := range width {
		same[i*width+i], shift[i] = 1, offset
	}
	rows := make([]float32, len(albef.VEClasses)*width)
	copy(rows, itm.Float32s())
	out := weights.NewDict()
	for name, x := range state.All() {
		out.Set(name, x)
	}
	out.Set("cls_head.0.weight", weights.FromFloat32s([]int{width, width}, same))
	out.Set("cls_head.0.bias", weights.FromFloat32s([]int{width}, shift))
	out.Set("cls_head.2.weight", weights.FromFloat32s([]int{len(albef.VEClasses), width}, rows))
	out.Set("cls_head.2.bias", weights.FromFloat32s([]int{len(albef.VEClasses)}, make([]float32, len(albef.VEClasses))))
	return out
}

// TestClassMapsAreTheMatchs compares the maps of a classifier that asks what ITM
// asks with ITM's, which equal the official ones.
func TestClassMapsAreTheMatchs(t *testing.T) {
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	itm := fixture.Model(t, "pretrain_init.pth", nil)
	ve, err := albef.NewVE(c, fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer ve.Close()
	if _, err := ve.LoadState(asMatch(t, state)); err != nil {
		t.Fatal(err)
	}
	var got, want []float32
	in := fixture.Tensors(t, "pretrain_inputs.safetensors")
	for layer := c.FusionLayer; layer < c.Layers; layer++ {
		do(t, func(s *torch.Scope) {
			images := fixture.Floats(t, s, in, "step0.image")
			ids, mask := fixture.Ints(t, s, in, "step0.input_ids"), fixture.Ints(t, s, in, "step0.attention_mask")
			maps, err := ve.GradCAM(images, ids, mask, 1, layer)
			if err != nil {
				t.Fatal(err)
			}
			match, err := itm.GradCAM(itm.Image.Forward(images), ids, mask, layer)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(maps.Shape(), match.Tokens.Shape()) {
				t.Fatalf("layer %d: maps are %v, want %v", layer, maps.Shape(), match.Tokens.Shape())
			}
			got, want = maps.Floats(), match.Tokens.Floats()
		})
		largest := float64(slices.Max(want))
		if !(largest > 0) {
			t.Fatalf("layer %d: the map is empty", layer)
		}
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-3*largest {
				t.Fatalf("layer %d: place %d is %g, want %g of at most %g", layer, i, got[i], want[i], largest)
			}
		}
	}
	if _, err := ve.GradCAM(nil, nil, nil, 1, c.Layers); err == nil {
		t.Error("a layer that isn't there: no error")
	}
}
