package albef_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

func TestParityPretrainMasking(t *testing.T) {
	d := fixture.Tensors(t, "pretrain_inputs.safetensors")
	bools := func(name string) []bool {
		v, _ := fixture.Get(t, d, name)
		out := make([]bool, len(v))
		for i := range v {
			out[i] = v[i] != 0
		}
		return out
	}
	ints := func(name string) []int64 {
		x, ok := d.Get(name)
		if !ok {
			t.Fatalf("the fixtures lack %s", name)
		}
		return x.Int64s()
	}
	mask := albef.Masker{Mask: 103, CLS: 101, Pad: 0, VocabSize: 1}
	for _, step := range []string{"step0.", "step1.", "step2.", "step3."} {
		got := albef.MaskWith(mask, ints(step+"input_ids"), bools(step+"bern_masked"), bools(step+"bern_replace08"),
			bools(step+"bern_random05"), ints(step+"random_words"))
		labels := make([]int64, len(got.IDs))
		for i := range labels {
			labels[i] = -100
		}
		for i, at := range got.Positions {
			labels[at] = got.Words[i]
		}
		for i, want := range ints(step + "labels") {
			if labels[i] != want || got.IDs[i] != ints(step + "masked_input_ids")[i] {
				t.Fatalf("%sposition %d: label %d id %d, want %d and %d", step, i, labels[i], got.IDs[i], want, ints(step + "masked_input_ids")[i])
			}
		}
	}
}

func TestLoadingReportsWhatIsMissing(t *testing.T) {
	state := fixture.Weights(t, "pretrain_init.pth")
	m := fixture.Model(t, "pretrain_init.pth", nil)
	state.Delete("itm_head.weight")
	_, err := m.LoadState(state)
	var missing *albef.MissingError
	if !errors.As(err, &missing) || len(missing.Names) != 1 || missing.Names[0] != "itm_head.weight" {
		t.Fatalf("got %v, want itm_head.weight missing", err)
	}
}

func TestLoadingRefusesOtherSizesAndChangesNothing(t *testing.T) {
	state := fixture.Weights(t, "pretrain_init.pth")
	m := fixture.Model(t, "pretrain_init.pth", nil)
	before := m.State()
	w, _ := state.Get("vision_proj.weight")
	state.Set("vision_proj.weight", weights.FromFloat32s([]int{1, len(w.Float32s())}, w.Float32s()))
	_, err := m.LoadState(state)
	if err == nil || !strings.Contains(err.Error(), "vision_proj.weight") {
		t.Fatalf("got %v, want an error that names vision_proj.weight", err)
	}
	for name, x := range m.State().All() {
		old, _ := before.Get(name)
		if string(old.Data) != string(x.Data) {
			t.Fatalf("%s was changed by a load that failed", name)
		}
	}
}

// TestTryingReportsWhatLoadingDoes on a model without elements, for a whole
// state and for damaged ones.
func TestTryingReportsWhatLoadingDoes(t *testing.T) {
	unfit := weights.FromFloat32s([]int{1}, []float32{0})
	for name, change := range map[string]func(*weights.Dict){
		"whole":    func(*weights.Dict) {},
		"lacks":    func(d *weights.Dict) { d.Delete("itm_head.weight"); d.Delete("vision_proj_m.bias") },
		"has more": func(d *weights.Dict) { d.Set("other.weight", unfit) },
		"unfit":    func(d *weights.Dict) { d.Set("itm_head.weight", unfit) },
	} {
		state := fixture.Weights(t, "pretrain_init.pth")
		config := fixture.Config(t, state)
		change(state)
		hollow, err := albef.New(config, torch.Hollow, 1)
		if err != nil {
			t.Fatal(err)
		}
		got, gotErr := hollow.TryState(state)
		hollow.Close()
		want, wantErr := fixture.Model(t, "pretrain_init.pth", nil).LoadState(state)
		if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Errorf("%s: tried %v, %v\nloaded %v, %v", name, got, gotErr, want, wantErr)
		}
	}
}

func TestLoadingWithoutMomentumCopiesTheOnlineModel(t *testing.T) {
	state := fixture.Weights(t, "pretrain_init.pth")
	for _, name := range state.Keys() {
		if strings.Contains(name, "_m.") {
			state.Delete(name)
		}
	}
	m := fixture.Model(t, "pretrain_init.pth", nil)
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	got := m.State()
	online, _ := got.Get("visual_encoder.norm.weight")
	momentum, _ := got.Get("visual_encoder_m.norm.weight")
	if string(online.Data) != string(momentum.Data) {
		t.Error("the momentum model differs from the online one")
	}
}

func TestGradCAMNamesTheFusionLayers(t *testing.T) {
	m := fixture.Model(t, "pretrain_init.pth", nil)
	do(t, func(s *torch.Scope) {
		_, err := m.GradCAM(nil, nil, nil, m.Config().Layers)
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "attend to the image") {
			t.Errorf("got %v, want an error whose hint names the layers", err)
		}
	})
}
