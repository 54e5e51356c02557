package task

import (
	"fmt"
	"math"
	"testing"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/internal/fixture"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

type groundingRecord struct {
	Texts []string `json:"texts"`
	Grid  int      `json:"grid"`
	Eval  struct {
		Side  int     `json:"mask_size"`
		Alpha float64 `json:"alpha"`
		Items []struct {
			ID            int64 `json:"ref_id"`
			Split         string
			Height, Width int
			Box           [4]float64   `json:"ref_box"`
			Dets          [][4]float64 `json:"dets"`
			Pred          []float32
			IoU           []float64 `json:"iou_with_each_det"`
		} `json:"items"`
		Result Results `json:"result"`
	} `json:"grounding_eval"`
}

func TestParityGroundingEval(t *testing.T) {
	var record groundingRecord
	fixture.JSON(t, "grounding.json", &record)
	eval := record.Eval
	if eval.Alpha != 0.5 {
		t.Fatalf("recorded with alpha %v, and 0.5 is built in", eval.Alpha)
	}
	if len(eval.Items) == 0 {
		t.Fatal("no items are recorded")
	}
	dets := map[int64][][4]float64{}
	for _, item := range eval.Items {
		dets[item.ID] = item.Dets
	}
	score := newGroundingScore(dets, true)
	for _, item := range eval.Items {
		for i, det := range item.Dets {
			if got := boxIoU(item.Box, det); math.Abs(got-item.IoU[i]) > 1e-12 {
				t.Errorf("IoU of reference %d with box %d is %v, want %v", item.ID, i, got, item.IoU[i])
			}
		}
		ref := data.Ref{ID: item.ID, Split: item.Split, Width: item.Width, Height: item.Height, ImageID: item.ID, Box: item.Box}
		err := torch.Do(func(s *torch.Scope) {
			score.add(ref, newHeat(s.Floats(item.Pred, eval.Side, eval.Side), item.Width, item.Height))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got := score.results()
	for key, want := range eval.Result {
		if v, ok := got[key]; !ok || math.Abs(v-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", key, v, want)
		}
	}
}

// TestParityGroundingMaps goes the task's own way from texts to maps, with the
// finetuned model, for every layer and block that is recorded.
func TestParityGroundingMaps(t *testing.T) {
	var record groundingRecord
	fixture.JSON(t, "grounding.json", &record)
	d := fixture.Tensors(t, "gradcam.safetensors")
	fixture.CheckTexts(t, d, "", record.Texts, text.BatchOptions{})
	m := finetuned(t, d)
	checked := 0
	for _, mode := range []struct {
		name, result string
		layers       int
	}{{"itm", "itm.layer%d.gradcam_grounding", m.Config().Layers}, {"itc", "itc.block%d.gradcam", m.Config().VisionDepth}} {
		for layer := range mode.layers {
			name := fmt.Sprintf(mode.result, layer)
			if _, ok := d.Get(name); !ok {
				continue
			}
			checked++
			want, shape := fixture.Get(t, d, name)
			if shape[1] != record.Grid {
				t.Errorf("%s: %v patches, want %d", name, shape, record.Grid)
			}
			c := train.DefaultConfig()
			c.GradcamMode, c.BlockNum = mode.name, layer
			g := &grounding{Run: &Run{Config: c}, model: m}
			err := torch.Do(func(s *torch.Scope) {
				torch.NoGrad(func() { // as an evaluation runs
					got, err := g.explain(fixture.Floats(t, s, d, "image"), fixture.Ints(t, s, d, "input_ids"), fixture.Ints(t, s, d, "attention_mask"))
					if err != nil {
						t.Fatal(err)
					}
					fixture.Near(t, name, got.Floats(), want, 1e-3, 2e-5)
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := m.Config().Layers - m.Config().FusionLayer + m.Config().VisionDepth; checked != want {
		t.Errorf("%d maps are recorded, want %d", checked, want)
	}
}

// finetuned is the model of retrieval with the weights of pretrain_init, for
// the recorded images.
func finetuned(t *testing.T, cams *weights.Dict) *albef.Model {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, cams, "image")
	c.ImageRes = shape[2]
	m, err := albef.NewRetrieval(c, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	return m
}

// heatOf is a map of w by h pixels, row by row.
func heatOf(w, h int, v ...float32) *heat {
	m := &heat{w: w, h: h, v: v}
	m.add()
	return m
}

func TestHeatBest(t *testing.T) {
	m := heatOf(4, 2, 1, 2, 3, 4, 5, 6, 7, 8)
	a, b := [4]float64{0, 0, 2, 2}, [4]float64{2, 0, 2, 2}
	for _, tt := range []struct {
		name      string
		proposals [][4]float64
		want      [4]float64
		ok        bool
	}{
		{"hotter", [][4]float64{a, b}, b, true},
		{"first of equals", [][4]float64{{3, 1, 1, 1}, {3, 1, 1, 1}}, [4]float64{3, 1, 1, 1}, true},
		{"smaller of equal heat", [][4]float64{{0, 0, 4, 2}, {2, 1, 2, 1}}, [4]float64{0, 0, 4, 2}, true}, // 36/sqrt 8 against 15/sqrt 2
		{"beyond the border", [][4]float64{{3, 1, 9, 9}, {3.9, 1.9, 1, 1}}, [4]float64{3.9, 1.9, 1, 1}, true},
		{"outside", [][4]float64{{5, 5, 2, 2}, {-3, -3, 2, 2}}, [4]float64{}, false},
		{"empty", [][4]float64{{1, 1, 0, 0}}, [4]float64{}, false},
		{"none", nil, [4]float64{}, false},
	} {
		if got, ok := m.best(tt.proposals, clipped); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
	cold := heatOf(2, 1, -1, 0)
	if _, ok := cold.best([][4]float64{{0, 0, 2, 1}}, clipped); ok {
		t.Error("a map that is nowhere above 0 favours a box")
	}
	if _, _, _, ok := cold.peak(); ok {
		t.Error("a map that is nowhere above 0 has a peak")
	}
}

func TestHeatPeakAndOverlap(t *testing.T) {
	m := heatOf(4, 2, 1, 2, 3, 4, 5, 6, 7, 8)
	x, y, value, ok := m.peak()
	if x != 3.5 || y != 1.5 || value != 8 || !ok {
		t.Errorf("peak %v at %v, %v, want 8 at 3.5, 1.5", value, x, y)
	}
	for _, tt := range []struct {
		box  [4]float64
		want float64 // of 5 hot pixels: 4 5 6 7 8
	}{
		{[4]float64{0, 0, 4, 2}, 5. / 8}, {[4]float64{0, 1, 4, 1}, 4. / 5}, {[4]float64{0, 0, 1, 1}, 0}, {[4]float64{2.5, 0.5, 1, 1.5}, 1. / 6},
	} {
		if got := m.overlap(tt.box, value); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("overlap with %v is %v, want %v", tt.box, got, tt.want)
		}
	}
}

func TestGroundingScore(t *testing.T) {
	m := heatOf(4, 2, 1, 2, 3, 4, 5, 6, 7, 8)
	right, left := [4]float64{2, 0, 2, 2}, [4]float64{0, 0, 2, 2}
	score := newGroundingScore(map[int64][][4]float64{1: {left, right}, 2: {}}, false)
	score.add(data.Ref{Split: "val", ImageID: 1, Box: right}, m)
	score.add(data.Ref{Split: "val", ImageID: 1, Box: left}, m)
	score.add(data.Ref{Split: "testB", ImageID: 2, Box: right}, m)
	score.add(data.Ref{Split: "train", ImageID: 1, Box: left}, m)
	checkResults(t, score.results(), Results{
		"val_d": 0.5, "val_largest_d": 0.5, "val_pointing": 0.5, "val_map_iou": (3./6 + 2./7) / 2,
		"testB_d": 0, "testB_largest_d": 0, "testB_pointing": 1, "testB_map_iou": 3. / 6,
	})
	free := newGroundingScore(nil, false)
	free.add(data.Ref{Split: "testA", ImageID: 1, Box: right}, m)
	checkResults(t, free.results(), Results{"testA_pointing": 1, "testA_map_iou": 0.5})
}

// TestGroundingScoreWithQuirks shows a map without a favourite, which misses, but
// officially keeps the box of the reference before, and a box whose border lies
// outside, which is cut, but officially counts from the far end.
func TestGroundingScoreWithQuirks(t *testing.T) {
	hot, cold := heatOf(4, 2, 1, 2, 3, 4, 5, 6, 7, 8), heatOf(4, 2, -1, -1, 0, 0, 0, 0, 0, 0)
	right, left, outside := [4]float64{2, 0, 2, 2}, [4]float64{0, 0, 2, 2}, [4]float64{-1, 0, 4, 2}
	for _, tt := range []struct {
		quirks bool
		want   Results
	}{
		{false, Results{"val_d": 1. / 3}},
		{true, Results{"val_d": 2. / 3}},
	} {
		score := newGroundingScore(map[int64][][4]float64{1: {right}}, tt.quirks)
		score.add(data.Ref{Split: "train", ImageID: 1, Box: right}, hot)
		score.add(data.Ref{Split: "val", ImageID: 1, Box: right}, cold)
		score.add(data.Ref{Split: "val", ImageID: 1, Box: right}, hot)
		score.add(data.Ref{Split: "val", ImageID: 1, Box: left}, cold)
		if got := score.results()["val_d"]; math.Abs(got-tt.want["val_d"]) > 1e-12 {
			t.Errorf("official_quirks %v: val_d is %v, want %v", tt.quirks, got, tt.want["val_d"])
		}
	}
	both := [][4]float64{left, outside} // 14/2 against 24/sqrt 8, or nothing: from column 3 to column 3
	if got, _ := hot.best(both, clipped); got != outside {
		t.Errorf("clipped: %v is chosen, want %v", got, outside)
	}
	if got, _ := hot.best(both, sliced); got != left {
		t.Errorf("sliced: %v is chosen, want %v", got, left)
	}
}

func TestGroundingBlock(t *testing.T) {
	tiny := albef.Config{FusionLayer: 2, Layers: 5, VisionDepth: 4}
	for _, tt := range []struct {
		name, mode, block string
		model             albef.Config
		want              int
		err               string
	}{
		{"official itm", "itm", "", albef.Base(), 8, ""},
		{"official itc", "itc", "", albef.Base(), 8, ""},
		{"tiny itm", "itm", "", tiny, 3, ""},
		{"tiny itc", "itc", "", tiny, 2, ""},
		{"given", "itm", "4", tiny, 4, ""},
		{"given block", "itc", "0", tiny, 0, ""},
		{"a text layer", "itm", "1", tiny, 0, "config: block_num is 1, and the model has no such fusion layer, counted over all layers of the text side"},
		{"8 said aloud", "itc", "8", tiny, 0, "config: block_num is 8, and the model has no such block of the image encoder"},
	} {
		c := train.DefaultConfig()
		if err := c.Set("gradcam_mode", tt.mode); err != nil {
			t.Fatal(err)
		}
		if tt.block != "" {
			if err := c.Set("block_num", tt.block); err != nil {
				t.Fatal(err)
			}
		}
		got, err := groundingBlock(c, tt.model)
		if message := fmt.Sprint(err); got != tt.want || tt.err == "" && err != nil || tt.err != "" && message != tt.err {
			t.Errorf("%s: got %d, %v, want %d, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}
