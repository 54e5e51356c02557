package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/bench"
	"vlab/albef/torch"
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

func TestRunMeasuresEveryWork(t *testing.T) {
	for _, work := range bench.Works() {
		t.Run(work, func(t *testing.T) {
			told := 0
			r, err := bench.Run(context.Background(), bench.Spec{
				Work: work, Batch: 2, Images: 3, Device: torch.CPU, Warm: 1, Steps: 2, BF16: work == "embed",
				Observe: func(done, total int) { told += total - done },
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.Size != "mid" || r.Threads < 1 || told != 2+1 {
				t.Errorf("got %+v after %d, want size mid and three repetitions told", r, told)
			}
			if !(0 < r.MinMS && r.MinMS <= r.MedianMS && r.MinMS <= r.SlowestMS && r.CPUMS > 0) {
				t.Errorf("times: got %+v", r)
			}
			if !(20 < r.EarlyMB && r.EarlyMB <= r.PeakMB && 20 < r.LastMB && r.LastMB <= r.PeakMB) {
				t.Errorf("memory: got %+v", r)
			}
			if want := r.FLOPs / (r.MedianMS * 1e6) / r.Matmul; math.Abs(r.Share-want) > 1e-9 || (r.Share > 0) != (work != "decode") {
				t.Errorf("share: got %v, want %v", r.Share, want)
			}
			if (r.Loss > 5 && r.Loss < 50) != (work == "step") {
				t.Errorf("loss: got %v", r.Loss)
			}
		})
	}
}

func TestRunTellsTheSlowestRepetitionAndTheMemoryOfManySteps(t *testing.T) {
	r, err := bench.Run(context.Background(), bench.Spec{Work: "step", Size: "tiny", Batch: 2, Device: torch.CPU, Warm: 1, Steps: 12})
	if err != nil {
		t.Fatal(err)
	}
	if r.SlowestMS < r.MedianMS || r.EarlyMB == 0 || math.Abs(r.LastMB-r.EarlyMB) > 100 {
		t.Errorf("got %+v, want a slowest repetition above the median and memory that stands still", r)
	}
}

// TestRecordedStepTrains as the plain one does, and says how often it was replayed.
func TestRecordedStepTrains(t *testing.T) {
	spec := bench.Spec{Work: "step", Size: "tiny", Batch: 4, Device: torch.CPU, Recording: train.RecordOn, Steps: 8}
	r, err := bench.Run(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	var recorded, replayed int
	if _, err := fmt.Sscanf(r.Graphs, "%d steps recorded, %d replayed", &recorded, &replayed); err != nil || recorded < 1 || replayed != 8-3 {
		t.Errorf("graphs: got %q, want all but 3 of 8 steps replayed", r.Graphs)
	}
	if !(r.Loss > 5 && r.Loss < 50) {
		t.Errorf("loss: got %v", r.Loss)
	}
	spec.Recording = train.RecordAuto
	if r, err = bench.Run(t.Context(), spec); err != nil || r.Graphs != "" {
		t.Errorf("auto on a CPU: got %q, %v, want nothing recorded", r.Graphs, err)
	}
}

func TestAStepTakesTwoImages(t *testing.T) {
	_, err := bench.Run(t.Context(), bench.Spec{Work: "step", Size: "tiny", Batch: 1, Device: torch.CPU})
	hinted, ok := err.(interface{ Hint() string })
	if !ok || !strings.Contains(hinted.Hint(), "2 or more") {
		t.Errorf("got %v, want an error with a hint", err)
	}
}

func TestResultHasTheKeysThatScriptsRead(t *testing.T) {
	raw, err := json.Marshal(bench.Result{})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	const keys = "work size batch dtype threads median_ms min_ms peak_rss_mb loss flops matmul_gflops share cpu_ms rss_early_mb rss_last_mb"
	for key := range strings.SplitSeq(keys, " ") {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %q in %s", key, raw)
		}
	}
}

func TestRunRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, spec := range []bench.Spec{{Work: "encode"}, {Work: "step", Size: "huge"}} {
		_, err := bench.Run(context.Background(), spec)
		hinted, ok := err.(interface{ Hint() string })
		if !ok || !strings.Contains(hinted.Hint(), "one of ") {
			t.Errorf("%+v: got %v, want an error with a hint", spec, err)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bench.Run(done, bench.Spec{Work: "embed", Device: torch.CPU}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestFullGradCAMHasTheOfficialGroundingsPictures(t *testing.T) {
	for _, tt := range []struct {
		work, size string
		want       int
	}{{"gradcam", "full", 384}, {"gradcam", "mid", 128}, {"decode", "full", 256}, {"step", "tiny", 64}} {
		c, err := bench.WorkConfig(tt.work, tt.size)
		if err != nil || c.ImageRes != tt.want {
			t.Errorf("%s at %s: got %d pixels, %v, want %d", tt.work, tt.size, c.ImageRes, err, tt.want)
		}
	}
	if got := bench.GradCAMLayer(albef.Base()); got != 8 {
		t.Errorf("layer: got %d, want 8, the official block_num", got)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		v    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		given := slices.Clone(tt.v)
		if got := bench.Median(tt.v); got != tt.want || !slices.Equal(tt.v, given) {
			t.Errorf("median of %v: got %v, want %v, and the argument left alone: %v", given, got, tt.want, tt.v)
		}
	}
}

// TestStepFLOPs counts a model of one layer a part by hand.
func TestStepFLOPs(t *testing.T) {
	c := small()
	const patches, tokens = 5, 3
	stem := 2 * (4 * 4 * 3) * 8
	image := stem + 2*patches*(8*24+8*8+8*16+16*8) + 2*2*patches*patches*8
	text := 2*tokens*(3*6*6+6*6+6*10+10*6) + 2*2*tokens*tokens*6
	keys := 2 * 2 * patches * 8 * 6
	// One fusion layer: keys and values of all tokens, the rest for one of each
	// text that ITM asks about, and for the two words that are hidden of each.
	fusion := func(asked int) int {
		return 2*tokens*2*6*6 + asked*(2*(2*6*6)+2*2*tokens*6+2*(6*6+6*6)+2*2*patches*6+2*(6*10+10*6))
	}
	word := 2*6*6 + 2*6*7
	online := 3*(image+2*text+keys+3*fusion(1)+fusion(2)) - stem
	momentum := image + 2*text + keys + fusion(2)
	want := float64(2*(online+momentum) + 4*(3+1)*word)
	if got := bench.StepFLOPs(c, 2, tokens, 4); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// small is a model of one layer a part.
func small() albef.Config {
	return albef.Config{
		ImageRes: 4, PatchSize: 2, VisionWidth: 8, VisionDepth: 1, VisionMLP: 16,
		Hidden: 6, Intermediate: 10, Layers: 2, FusionLayer: 1, VocabSize: 7,
	}
}

// blockOf is a text layer's products for n tokens of that model.
func blockOf(n int) int { return 2*n*(4*6*6+6*10+10*6) + 2*2*n*n*6 }

// TestQueryFLOPs counts the same model's queries by hand.
func TestQueryFLOPs(t *testing.T) {
	const patches, tokens = 5, 3
	image := 2*(4*4*3)*8 + 2*patches*(8*24+8*8+8*16+16*8) + 2*2*patches*patches*8
	keys := 2 * 2 * patches * 8 * 6
	fused := func(n, seen int) int { return blockOf(n) + 2*n*(6*6+6*6) + 2*2*n*seen*6 }
	word := 2*6*6 + 2*6*7

	decoded := fused(1, tokens) + word + fused(1, tokens) + word + fused(4, tokens) + 4*word // [CLS], and answers of 1 and 4 words
	want := image + keys + blockOf(tokens) + fused(tokens, patches) + 2*2*tokens*6*6 + decoded
	if got := bench.AnswerFLOPs(small(), tokens, func(i int) int { return 1 + 3*i }, 2); got != float64(want) {
		t.Errorf("answer: got %v, want %v", got, want)
	}

	byImage, byText := []float32{1, -100, 2, -100}, []float32{-100, -100, 3, -100} // one text for each, and the first image for the second text
	// Three pairs, whose texts begin their only fusion layer once each.
	// The query for the image is the text's as well.
	met := func(n int) int { return 2*n*6*6 + 2*2*n*patches*6 + 2*n*(6*10+10*6) }
	self := func(n int) int { return 2*n*4*6*6 + 2*2*n*n*6 }
	want = 2*(image+keys) + 3*met(1)
	for i := range 2 {
		n := bench.CaptionTokens(i)
		want += blockOf(n) + self(n) + 2*n*6*6
	}
	if got := bench.RerankFLOPs(small(), 2, byImage, byText); got != float64(want) {
		t.Errorf("rerank: got %v, want %v", got, want)
	}

	// With a second fusion layer, of which [CLS] is wanted: its query asks the
	// text's tokens, two heads of three numbers, each made as wide as a token.
	c := small()
	c.Layers, c.Heads = 3, 2
	want += 2 * keys
	for _, pair := range []int{0, 0, 1} { // the texts of the three pairs
		n := bench.CaptionTokens(pair)
		want += met(n) - met(1) + 4*2*6*6 + 2*2*2*n*6 + 2*6*6 + met(1)
	}
	if got := bench.RerankFLOPs(c, 2, byImage, byText); got != float64(want) {
		t.Errorf("rerank, two fusion layers: got %v, want %v", got, want)
	}
}

// TestFLOPsOfAConvolutionStem counts the stem of tiny by hand: 3 to 40, 80 and
// 160 channels at half, a quarter and an eighth of 64 pixels, and a product.
func TestFLOPsOfAConvolutionStem(t *testing.T) {
	c := albef.Tiny()
	stem := 2*9*(32*32*3*40+16*16*40*80+8*8*80*160) + 2*8*8*160*160
	c.VisionDepth, c.FusionLayer = 0, 0
	if got := bench.EmbedFLOPs(c, 1); got != float64(stem) {
		t.Errorf("got %v, want %v", got, stem)
	}
}

func TestStepFLOPsOfTheOfficialSize(t *testing.T) {
	got := bench.StepFLOPs(albef.Base(), 1, 25, 4) / 1e9
	if got < 245 || got > 249 { // 251.6 with a last fusion layer of all tokens, by an independent count of the paper's model
		t.Errorf("a pair at 256 pixels takes %.1f GFLOP, want about 247", got)
	}
}

// TestPeakMemoryIsTheProcessesOwn runs this test in a child of a parent that
// has held far more: a child's getrusage begins with its parent's peak.
func TestPeakMemoryIsTheProcessesOwn(t *testing.T) {
	if os.Getenv("BENCH_CHILD") != "" {
		r, err := bench.Run(t.Context(), bench.Spec{Work: "embed", Device: torch.CPU, Steps: 1})
		if err != nil || r.PeakMB > 1000 {
			t.Errorf("got %.0f MiB, %v, want under 1000", r.PeakMB, err)
		}
		return
	}
	held := make([]byte, 1200<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "BENCH_CHILD=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the child: %v\n%s", err, out)
	}
	runtime.KeepAlive(held)
}
