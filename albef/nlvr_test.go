package albef_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/torch"
)

// taModel is the text-assignment model that begins with pretrain_init.
func taModel(t *testing.T) (*albef.TA, albef.LoadReport) {
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
	t.Cleanup(m.Close)
	report, err := m.LoadState(state, albef.IsTAHead)
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

// nlvrModel is the model of nlvr_init.
func nlvrModel(t *testing.T) *albef.NLVR {
	t.Helper()
	state := fixture.Weights(t, "nlvr_init.pth")
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, fixture.Tensors(t, "nlvr.safetensors"), "nlvr.images")
	c.ImageRes = shape[2]
	m, err := albef.NewNLVR(c, fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParityTALoadsAPretrainingCheckpoint(t *testing.T) {
	var want struct {
		Message loadMessage `json:"ta_load_msg"`
	}
	fixture.JSON(t, "nlvr.json", &want)
	_, report := taModel(t)
	checkLoaded(t, report, want.Message)
}

func TestParityNLVRLoadsATextAssignmentCheckpoint(t *testing.T) {
	var want struct {
		Message loadMessage `json:"nlvr_load_msg"`
	}
	fixture.JSON(t, "nlvr.json", &want)
	ta, _ := taModel(t)
	state, err := albef.PairState(ta.State(), ta.Config().FusionLayer)
	if err != nil {
		t.Fatal(err)
	}
	m, err := albef.NewNLVR(ta.Config(), fixture.Device(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	report, err := m.LoadState(state, albef.IsClassHead)
	if err != nil {
		t.Fatal(err)
	}
	checkLoaded(t, report, want.Message)
}

func TestParityNLVRSharesKeysAndValues(t *testing.T) {
	var want struct{ Shared []string }
	fixture.JSON(t, "nlvr.json", &want)
	var got []string
	tensors := map[*torch.Tensor]string{}
	for _, p := range nlvrModel(t).Params() {
		if first, ok := tensors[p.Tensor]; ok != p.Tied {
			t.Errorf("%s: tied is %v, and its tensor is %q's", p.Name, p.Tied, first)
		}
		tensors[p.Tensor] = p.Name
		if p.Tied {
			got = append(got, p.Name)
		}
	}
	slices.Sort(got)
	slices.Sort(want.Shared)
	if len(got) == 0 || !slices.Equal(got, want.Shared) {
		t.Errorf("shared: got %v, want %v", got, want.Shared)
	}
}

func TestParityNLVROrderOfNames(t *testing.T) {
	if got, want := nlvrModel(t).State().Keys(), fixture.Weights(t, "nlvr_init.pth").Keys(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParityNLVRForward(t *testing.T) {
	m := nlvrModel(t)
	d := fixture.Tensors(t, "nlvr.safetensors")
	near := func(name string, got *torch.Tensor) {
		t.Helper()
		want, shape := fixture.Get(t, d, name)
		if fmt.Sprint(got.Shape()) != fmt.Sprint(shape) {
			t.Errorf("%s: shape %v, want %v", name, got.Shape(), shape)
		}
		fixture.Near(t, name, got.Floats(), want, 1e-4, 2e-5)
	}
	do(t, func(s *torch.Scope) {
		images := fixture.Floats(t, s, d, "nlvr.images")
		ids, mask := fixture.Ints(t, s, d, "nlvr.input_ids"), fixture.Ints(t, s, d, "nlvr.attention_mask")
		near("nlvr.out.logits", m.Logits(images, ids, mask))
		pairs := m.Text.ImagePairs(m.Image.Forward(images))
		text := m.Text.Encode(ids, mask, 0)
		for layer := m.Config().FusionLayer; layer < m.Config().Layers; layer++ {
			_, attention := m.Text.FuseMap(text, mask, pairs, layer)
			near(fmt.Sprintf("nlvr.cross_attention.layer%d", layer), attention)
		}
	})
}

func TestParityTALabels(t *testing.T) {
	var want struct {
		TA struct {
			Draws  [][]float64 `json:"rand_draws_per_sample"`
			Labels []int64
		}
	}
	fixture.JSON(t, "nlvr.json", &want)
	if len(want.TA.Labels) == 0 {
		t.Fatal("no labels are recorded")
	}
	for i, draws := range want.TA.Draws {
		got := albef.TALabel(func() float64 {
			v := draws[0]
			draws = draws[1:]
			return v
		})
		if got != want.TA.Labels[i] || len(draws) > 0 {
			t.Errorf("caption %d: got label %d with %d draws left over, want %d", i, got, len(draws), want.TA.Labels[i])
		}
	}
}

func TestTheTeacherOfPairsIsCopiedUnlessItIsKept(t *testing.T) {
	ta, _ := taModel(t)
	for _, keep := range []bool{false, true} {
		m, err := albef.NewNLVR(ta.Config(), fixture.Device(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		before := m.State()
		m.KeepTeacher(keep)
		if _, err := m.LoadState(ta.State(), albef.IsClassHead); err != nil {
			t.Fatal(err)
		}
		after := m.State()
		for _, name := range after.Keys() {
			if !strings.Contains(name, "_m.") {
				continue
			}
			online, _ := after.Get(strings.Replace(name, "_m.", ".", 1))
			if keep {
				online, _ = before.Get(name)
			}
			if teacher, _ := after.Get(name); string(teacher.Data) != string(online.Data) {
				t.Errorf("keep %v: %s is of another model", keep, name)
			}
		}
	}
}

func TestModelsForPairsRefuseAnOddLayer(t *testing.T) {
	c := albef.Tiny()
	c.Layers = c.FusionLayer + 3
	_, err := albef.NewNLVR(c, fixture.Device(t), 1)
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(err.Error(), "3 fusion layers") {
		t.Errorf("NLVR: got %v", err)
	}
	if _, err := albef.NewTA(c, fixture.Device(t), 1); !errors.As(err, &hinted) {
		t.Errorf("TA: got %v", err)
	}
}

func TestTextAssignmentRefusesBatchesWithoutTwoOthers(t *testing.T) {
	m, _ := taModel(t)
	c := m.Config()
	do(t, func(s *torch.Scope) {
		for n, fits := range map[int]bool{1: false, 2: false, 3: true} {
			ids := s.Ints(make([]int64, n), n, 1)
			b := albef.TABatch{Labelled: albef.Labelled{
				Images: s.Zeros(torch.CPU, n, 3, c.ImageRes, c.ImageRes), IDs: ids, Mask: ids, Labels: ids.View(n),
			}}
			if err := b.Check(c); (err == nil) != fits {
				t.Errorf("batch of %d: got %v", n, err)
			}
		}
	})
}
