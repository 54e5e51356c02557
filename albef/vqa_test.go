package albef_test

import (
	"math"
	"slices"
	"testing"

	"vlab/albef"
	"vlab/albef/internal/fixture"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
)

// vqaModel is the model that begins with pretrain_init as VQA.py begins it. It
// skips the test where the sizes allow none.
func vqaModel(t *testing.T) (*albef.VQA, albef.LoadReport) {
	t.Helper()
	state := fixture.Weights(t, "pretrain_init.pth")
	c := fixture.Config(t, state)
	_, shape := fixture.Get(t, fixture.Tensors(t, "vqa.safetensors"), "image")
	c.ImageRes = shape[2]
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
	report, err := m.LoadState(state)
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

func TestParityVQALoadsAPretrainingCheckpoint(t *testing.T) {
	var want struct {
		Message loadMessage               `json:"load_msg"`
		Digest  map[string]fixture.Digest `json:"state_digest_loaded"`
	}
	fixture.JSON(t, "vqa.json", &want)
	m, report := vqaModel(t)
	slices.Sort(report.Unexpected)
	slices.Sort(want.Message.Unexpected)
	if len(report.Missing) > 0 || len(want.Message.Unexpected) == 0 || !slices.Equal(report.Unexpected, want.Message.Unexpected) {
		t.Errorf("got %v missing, %v left over, want none and %v", report.Missing, report.Unexpected, want.Message.Unexpected)
	}
	fixture.CheckDigests(t, m.State(), want.Digest, func(string) fixture.Slack { return fixture.Slack{Each: 1e-6} })
}

func TestParityVQATexts(t *testing.T) {
	vqaModel(t) // skips sizes that have none
	var said struct {
		Questions, Answers []string
		List               []string `json:"answer_list"`
	}
	fixture.JSON(t, "vqa.json", &said)
	d := fixture.Tensors(t, "vqa.safetensors")
	fixture.CheckTexts(t, d, "q.", said.Questions, text.BatchOptions{MaxLen: 25, Truncate: true})
	fixture.CheckTexts(t, d, "a.", said.Answers, text.BatchOptions{})
	fixture.CheckTexts(t, d, "list.", said.List, text.BatchOptions{})
}

// tokenRows reads texts without their padding.
func tokenRows(t *testing.T, d *weights.Dict, prefix string) [][]int64 {
	t.Helper()
	ids, ok := d.Get(prefix + "input_ids")
	mask, found := d.Get(prefix + "attention_mask")
	if !ok || !found {
		t.Fatalf("the fixtures lack %sinput_ids", prefix)
	}
	length, on := ids.Shape[1], mask.Int64s()
	rows := make([][]int64, ids.Shape[0])
	for i, id := range ids.Int64s() {
		if on[i] == 1 {
			rows[i/length] = append(rows[i/length], id)
		}
	}
	return rows
}

// asked are the questions of vqa.safetensors, their states, and what the decoder
// sees of them.
func asked(t *testing.T, s *torch.Scope, m *albef.VQA, d *weights.Dict) (states *torch.Tensor, seen albef.KeyValues) {
	t.Helper()
	mask := fixture.Ints(t, s, d, "q.attention_mask")
	states = m.Question(fixture.Floats(t, s, d, "image"), fixture.Ints(t, s, d, "q.input_ids"), mask)
	return states, m.Decoder.States(states, mask)
}

func TestParityVQADecoder(t *testing.T) {
	m, _ := vqaModel(t)
	d := fixture.Tensors(t, "vqa.safetensors")
	wantStates, shape := fixture.Get(t, d, "out.question_states")
	wantLogits, logitsShape := fixture.Get(t, d, "out.decoder_logits_first_B_answers")
	wantLoss, _ := fixture.Get(t, d, "out.decoder_loss_first_B_answers")
	answers := tokenRows(t, d, "a.")[:shape[0]]
	do(t, func(s *torch.Scope) {
		states, seen := asked(t, s, m, d)
		on, width := fixture.Ints(t, s, d, "q.attention_mask").Ints(), shape[2]
		got := states.Floats()
		for i := range on { // what stands at padding is nobody's
			if on[i] == 1 {
				fixture.Near(t, "question states", got[i*width:(i+1)*width], wantStates[i*width:(i+1)*width], 1e-4, 1e-4)
			}
		}
		length, vocab := logitsShape[1], logitsShape[2]
		for b, answer := range answers {
			logits := m.Decoder.Words(m.Decoder.Decode(s.Ints(answer, 1, len(answer)).ToDevice(m.Device()), seen.Repeat(b, 1), 0))
			fixture.Near(t, "logits", logits.Floats(), wantLogits[b*length*vocab:][:len(answer)*vocab], 1e-4, 1e-4)
			log := logits.LogSoftmax(2).Floats()
			loss := 0.0
			for i, word := range answer[1:] {
				loss -= float64(log[i*vocab+int(word)])
			}
			if math.Abs(loss-float64(wantLoss[b])) > 1e-4*math.Abs(loss) {
				t.Errorf("loss of answer %d: got %g, want %g", b, loss, wantLoss[b])
			}
		}
	})
}

func TestParityVQARank(t *testing.T) {
	var record struct {
		K    int      `json:"k_test"`
		List []string `json:"answer_list"`
		Pred []string
	}
	fixture.JSON(t, "vqa.json", &record)
	m, _ := vqaModel(t)
	d := fixture.Tensors(t, "vqa.safetensors")
	wantIDs, ok := d.Get("out.topk_ids")
	if !ok {
		t.Fatal("the fixtures lack out.topk_ids")
	}
	want, shape := fixture.Get(t, d, "out.topk_probs")
	k := record.K
	if k != shape[1] || len(record.Pred) != shape[0] {
		t.Fatalf("k_test is %d and %d answers are predicted, beside probabilities %v", k, len(record.Pred), shape)
	}
	do(t, func(s *torch.Scope) {
		_, seen := asked(t, s, m, d)
		got, err := m.Rank(seen, tokenRows(t, d, "list."), k)
		if err != nil {
			t.Fatal(err)
		}
		for q, list := range got {
			var ids []int64
			var probs []float32
			for _, x := range list {
				ids, probs = append(ids, int64(x.Answer)), append(probs, float32(x.Probability))
			}
			if w := wantIDs.Int64s()[q*k : (q+1)*k]; !slices.Equal(ids, w) {
				t.Errorf("question %d: got answers %v, want %v", q, ids, w)
			}
			if got, want := record.List[ids[0]], record.Pred[q]; got != want {
				t.Errorf("question %d: got %q, want %q", q, got, want)
			}
			fixture.Near(t, "probabilities", probs, want[q*k:(q+1)*k], 1e-4, 1e-6)
		}
	})
}

func TestRankTakesAsManyAnswersAsThereAre(t *testing.T) {
	m, _ := vqaModel(t)
	d := fixture.Tensors(t, "vqa.safetensors")
	answers := tokenRows(t, d, "list.")
	do(t, func(s *torch.Scope) {
		_, seen := asked(t, s, m, d)
		got, err := m.Rank(seen, answers, 10*len(answers))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range got[0] {
			sum += x.Probability
		}
		if len(got[0]) != len(answers) || math.Abs(sum-1) > 1e-6 {
			t.Errorf("got %d answers of probability %g together, want %d and 1", len(got[0]), sum, len(answers))
		}
		for _, bad := range [][][]int64{nil, {{1}}, {answers[0], make([]int64, m.Config().MaxPositions+2)}} {
			if _, err := m.Rank(seen, bad, 1); err == nil {
				t.Errorf("a list of %d answers: got no error", len(bad))
			}
		}
	})
}

// TestGenerateFindsTheBest compares beams that leave nothing out with all
// answers of up to three tokens, each scored by itself.
func TestGenerateFindsTheBest(t *testing.T) {
	m, _ := vqaModel(t)
	d := fixture.Tensors(t, "vqa.safetensors")
	answer := tokenRows(t, d, "a.")[0]
	vocab := int64(m.Config().VocabSize)
	g := albef.Generation{CLS: answer[0], SEP: answer[len(answer)-1], Beams: int(vocab), MaxLength: 3}
	do(t, func(s *torch.Scope) {
		_, seen := asked(t, s, m, d)
		got, err := m.Generate(seen, g)
		if err != nil {
			t.Fatal(err)
		}
		log := func(tokens ...int64) []float32 {
			x := m.Decoder.Words(m.Decoder.Decode(s.Ints(tokens, 1, len(tokens)), seen.Repeat(0, 1), 0))
			return x.Select(1, len(tokens)-1).LogSoftmax(1).Floats()
		}
		first := log(g.CLS)
		best, bestTokens := float64(first[g.SEP]), []int64{}
		for a := range vocab {
			if a == g.SEP {
				continue
			}
			second := log(g.CLS, a)
			for b := range vocab {
				length, tokens := 3, []int64{a, b}
				if b == g.SEP {
					length, tokens = 2, []int64{a}
				}
				if score := float64(first[a]+second[b]) / float64(length); score > best {
					best, bestTokens = score, tokens
				}
			}
		}
		if w := got[0][0]; !slices.Equal(w.Tokens, bestTokens) || math.Abs(w.Score-best) > 1e-4 {
			t.Errorf("got %v of score %g, want %v of %g", w.Tokens, w.Score, bestTokens, best)
		}
	})
}

func TestGenerateGreedyTakesTheLikeliestWord(t *testing.T) {
	m, _ := vqaModel(t)
	d := fixture.Tensors(t, "vqa.safetensors")
	answer := tokenRows(t, d, "a.")[0]
	g := albef.Generation{CLS: answer[0], SEP: answer[len(answer)-1], Beams: 1, MaxLength: 6}
	do(t, func(s *torch.Scope) {
		_, seen := asked(t, s, m, d)
		got, err := m.Generate(seen, g)
		if err != nil {
			t.Fatal(err)
		}
		for q := range got {
			tokens := []int64{g.CLS}
			for len(tokens) < g.MaxLength {
				x := m.Decoder.Words(m.Decoder.Decode(s.Ints(tokens, 1, len(tokens)), seen.Repeat(q, 1), 0))
				next := x.Select(1, len(tokens)-1).Argmax(1).Ints()[0]
				if next == g.SEP {
					break
				}
				tokens = append(tokens, next)
			}
			if len(got[q]) != 1 || !slices.Equal(got[q][0].Tokens, tokens[1:]) {
				t.Errorf("question %d: got %v, want %v alone", q, got[q], tokens[1:])
			}
		}
		for _, bad := range []albef.Generation{
			{MaxLength: 5},
			{Beams: 1, MaxLength: 1},
			{Beams: 1, MaxLength: m.Config().MaxPositions + 1},
			{Beams: 1, MaxLength: 4, MinLength: 4},
		} {
			if _, err := m.Generate(seen, bad); err == nil {
				t.Errorf("%+v: got no error", bad)
			}
		}
	})
}
