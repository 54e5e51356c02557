package task

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"vlab/albef"
	"vlab/albef/data"
	"vlab/albef/internal/fixture"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// pixels is a source of pictures that are transformed already, [n, 3, R, R].
type pixels struct {
	values []float32
	n      int
}

func (p pixels) Len() int { return p.n }

func (p pixels) Load(i int, _ *rand.Rand, dst []float32) (string, error) {
	copy(dst, p.values[i*len(dst):(i+1)*len(dst)])
	return "", nil
}

type retrievalEvalRecord struct {
	Eval struct {
		K       int              `json:"k_test"`
		Owner   map[string]int   `json:"txt2img"`
		Texts   map[string][]int `json:"img2txt"`
		Said    []string         `json:"texts"`
		Results Results          `json:"result"`
	} `json:"eval"`
	Synthetic Results `json:"itm_eval_synthetic"`
}

// owners turns txt2img into a list.
func owners(byText map[string]int) []int {
	out := make([]int, len(byText))
	for text, image := range byText {
		i, _ := strconv.Atoi(text)
		out[i] = image
	}
	return out
}

// captions returns the texts of each image, from img2txt.
func captions(byImage map[string][]int, said []string) []data.RetrievalEval {
	out := make([]data.RetrievalEval, len(byImage))
	for image, texts := range byImage {
		i, _ := strconv.Atoi(image)
		for _, text := range texts {
			out[i].Captions = append(out[i].Captions, said[text])
		}
	}
	return out
}

func checkResults(t *testing.T, got, want Results) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d results, want %d", len(got), len(want))
	}
	for key, w := range want {
		if g, ok := got[key]; !ok || math.Abs(g-w) > 1e-9 {
			t.Errorf("%s: got %v, want %v", key, g, w)
		}
	}
}

func TestParityRetrievalEvaluation(t *testing.T) {
	var record retrievalEvalRecord
	fixture.JSON(t, "retrieval.json", &record)
	want := fixture.Tensors(t, "retrieval_eval.safetensors")
	m, images, tokens := retrievalFixture(t)
	for _, batch := range []int{images.n, images.n/2 + 1} {
		r := &ranker{model: m, k: record.Eval.K, batch: batch}
		var got *rankings
		var err error
		torch.NoGrad(func() { got, err = r.rank(t.Context(), images, tokens) })
		if err != nil {
			t.Fatal(err)
		}
		for name, l := range map[string]struct {
			list shortlist
			n    int
		}{"score_i2t": {got.texts, tokens.B}, "score_t2i": {got.images, images.n}} {
			w, _ := fixture.Get(t, want, name)
			fixture.Near(t, name, l.list.matrix(l.n), w, 1e-4, 2e-5)
		}
		checkResults(t, got.recalls(owners(record.Eval.Owner), true), record.Eval.Results)
	}
}

func TestParityRetrievalTexts(t *testing.T) {
	var record retrievalEvalRecord
	fixture.JSON(t, "retrieval.json", &record)
	want := record.Eval
	said, owner := data.Captions(captions(want.Texts, want.Said))
	if !slices.Equal(said, want.Said) {
		t.Errorf("got texts %q, want %q", said, want.Said)
	}
	if images := owners(want.Owner); !slices.Equal(owner, images) {
		t.Errorf("got texts of images %v, want %v", owner, images)
	}
	fixture.CheckTexts(t, fixture.Tensors(t, "retrieval_inputs.safetensors"), "eval.", want.Said,
		text.BatchOptions{MaxLen: retrievalTokens, Truncate: true, PadToMax: true})
}

// retrievalFixture is the loaded model with what it is measured on.
func retrievalFixture(t *testing.T) (m *albef.Model, images pixels, tokens text.Batch) {
	t.Helper()
	in := fixture.Tensors(t, "retrieval_inputs.safetensors")
	values, shape := fixture.Get(t, in, "eval.image")
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	c.ImageRes = shape[2]
	m, err := albef.NewRetrieval(c, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	if _, err := m.LoadState(state); err != nil {
		t.Fatal(err)
	}
	ids, _ := in.Get("eval.input_ids")
	mask, _ := in.Get("eval.attention_mask")
	return m, pixels{values, shape[0]}, text.Batch{IDs: ids.Int64s(), Mask: mask.Int64s(), B: ids.Shape[0], T: ids.Shape[1]}
}

func TestParityRetrievalFeatures(t *testing.T) {
	m, images, tokens := retrievalFixture(t)
	want := fixture.Tensors(t, "retrieval_eval.safetensors")
	near := func(name string, got []float32) {
		t.Helper()
		w, _ := fixture.Get(t, want, name)
		fixture.Near(t, name, got, w, 1e-4, 2e-5)
	}
	loader, err := data.NewLoader(images, data.LoaderConfig{
		Batch: images.n - 1, Size: m.Config().ImageRes, Order: data.InOrder, KeepLast: true, Epochs: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close()
	r := &ranker{model: m}
	err = torch.Do(func(s *torch.Scope) {
		torch.NoGrad(func() {
			texts, err := r.encode(t.Context(), s, tokens)
			if err != nil {
				t.Fatal(err)
			}
			feats, err := r.imageFeats(t.Context(), s, loader, images.n)
			if err != nil {
				t.Fatal(err)
			}
			near("text_feat", texts.feats)
			near("image_feat", feats.Floats())
			near("sim_i2t", feats.MatMul(s.Floats(texts.feats, tokens.B, feats.Size(1)).T()).Floats())
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestParityRetrievalRecalls(t *testing.T) {
	var record retrievalEvalRecord
	fixture.JSON(t, "retrieval.json", &record)
	d := fixture.Tensors(t, "itm_eval_synthetic.safetensors")
	list := func(name string) shortlist {
		scores, shape := fixture.Get(t, d, name)
		l := shortlist{k: shape[1], scores: scores}
		for i := range scores {
			l.found = append(l.found, int32(i%shape[1]))
		}
		return l
	}
	r := rankings{texts: list("scores_i2t"), images: list("scores_t2i")}
	owner, _ := d.Get("txt2img")
	var images []int
	for _, v := range owner.Int64s() {
		images = append(images, int(v))
	}
	checkResults(t, r.recalls(images, true), record.Synthetic)
}

// TestRecallsWithQuirks: what the shortlist lacks isn't found, but officially
// follows it, the last first; a score that is no number is the lowest, but
// officially the highest.
func TestRecallsWithQuirks(t *testing.T) {
	nan := float32(math.NaN())
	r := rankings{ // the right candidates have the query's own number
		texts:  shortlist{k: 2, found: []int32{1, 2, 0, 1, 0, 2, 0, 3}, scores: []float32{1, 2, 1, nan, 1, 2, 1, 2}},
		images: shortlist{k: 1, found: []int32{0, 1, 2, 3}, scores: []float32{1, 1, 1, 1}},
	}
	own := []int{0, 1, 2, 3}
	for _, tt := range []struct {
		quirks bool
		r1, r5 float64
	}{{false, 50, 75}, {true, 75, 100}} {
		got := r.recalls(own, tt.quirks)
		if got["txt_r1"] != tt.r1 || got["txt_r5"] != tt.r5 || got["img_r1"] != 100 {
			t.Errorf("official_quirks %v: R@1 %v and R@5 %v, want %v and %v", tt.quirks, got["txt_r1"], got["txt_r5"], tt.r1, tt.r5)
		}
	}
}

// TestRetrievalOfAnOfficialFile reads weights without sizes beside an official
// bert_config: the heads and the dropout are the file's.
func TestRetrievalOfAnOfficialFile(t *testing.T) {
	bert := filepath.Join(t.TempDir(), "bert.json")
	want := fixture.Config(t, fixture.Weights(t, "pretrain_init.pth"))
	sizes := fmt.Sprintf(`{"num_attention_heads": %d, "hidden_dropout_prob": 0.25}`, want.Heads)
	if err := os.WriteFile(bert, []byte(sizes), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := fmt.Sprintf("bert_config: %s\nmodel: {vision_heads: %d}\noptimizer: {lr: 1e-4}\n", bert, want.VisionHeads)
	c, err := train.ParseConfig("test.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	r := Run{Config: c, Dir: t.TempDir(), Device: torch.CPU, Checkpoint: filepath.Join(fixture.Dir(t), "pretrain_init.pth")}
	o, err := r.open()
	if err != nil {
		t.Fatal(err)
	}
	got := o.config
	if got.Heads != want.Heads || got.VisionHeads != want.VisionHeads || got.Dropout != 0.25 || got.Layers != want.Layers {
		t.Errorf("got %+v, want the sizes of %+v and a dropout of 0.25", got, want)
	}
}
