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
				Work: work, Batch: 2, Device: torch.CPU, Warm: 1, Steps: 2, BF16: work == "embed",
				Observe: func(done, total int) { told += total - done },
			})
			if err != nil {
				t.Fatal(err)
			}
			if r.Size != "mid" || r.Threads < 1 || told != 2+1 {
				t.Errorf("got %+v after %d, want size mid and three repetitions told", r, told)
			}
			if !(0 < r.MinMS && r.MinMS <= r.MedianMS && r.CPUMS > 0 && r.PeakMB > 100) {
				t.Errorf("times and memory: got %+v", r)
			}
			if want := r.FLOPs / (r.MedianMS * 1e6) / r.Matmul; math.Abs(r.Share-want) > 1e-9 || r.Share <= 0 {
				t.Errorf("share: got %v, want %v", r.Share, want)
			}
			if (r.Loss > 5 && r.Loss < 50) != (work == "step") {
				t.Errorf("loss: got %v", r.Loss)
			}
		})
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
	for key := range strings.SplitSeq("work size batch dtype threads median_ms min_ms peak_rss_mb loss flops matmul_gflops share", " ") {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %q in %s", key, raw)
		}
	}
}

func TestRunRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, spec := range []bench.Spec{{Work: "decode"}, {Work: "step", Size: "huge"}} {
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
	c := albef.Config{
		ImageRes: 4, PatchSize: 2, VisionWidth: 8, VisionDepth: 1, VisionMLP: 16,
		Hidden: 6, Intermediate: 10, Layers: 2, FusionLayer: 1, VocabSize: 7,
	}
	const patches, tokens = 5, 3
	stem := 2 * (4 * 4 * 3) * 8
	image := stem + 2*patches*(8*24+8*8+8*16+16*8) + 2*2*patches*patches*8
	text := 2*tokens*(3*6*6+6*6+6*10+10*6) + 2*2*tokens*tokens*6
	keys := 2 * 2 * patches * 8 * 6
	fusion := text + 2*tokens*(6*6+6*6) + 2*2*tokens*patches*6
	word := 2*6*6 + 2*6*7
	online := 3*(image+2*text+keys+4*fusion) - stem
	momentum := image + 2*text + keys + fusion
	want := float64(2*(online+momentum) + 4*(3+1)*word)
	if got := bench.StepFLOPs(c, 2, tokens, 4); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStepFLOPsOfTheOfficialSize(t *testing.T) {
	got := bench.StepFLOPs(albef.Base(), 1, 25, 4) / 1e9
	if got < 247 || got > 257 { // 252 by an independent count of the paper's model
		t.Errorf("a pair at 256 pixels takes %.1f GFLOP, want about 252", got)
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
