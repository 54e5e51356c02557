package task

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/text"
	"vlab/albef/torch"
	"vlab/albef/train"
)

// noise is a source of n pictures that cost nothing to keep.
type noise struct{ n int }

func (s noise) Len() int { return s.n }

func (s noise) Load(i int, _ *rand.Rand, dst []float32) (string, error) {
	rng := rand.New(rand.NewPCG(uint64(i), 1))
	for j := range dst {
		dst[j] = rng.Float32()*2 - 1
	}
	return "", nil
}

// noiseTexts draws n texts of 6 to 20 tokens.
func noiseTexts(n, vocab int) text.Batch {
	b := text.Batch{B: n, T: retrievalTokens, IDs: make([]int64, n*retrievalTokens), Mask: make([]int64, n*retrievalTokens)}
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range n {
		for j := range 6 + rng.IntN(15) {
			b.IDs[i*b.T+j], b.Mask[i*b.T+j] = 1+rng.Int64N(int64(vocab-1)), 1
		}
	}
	return b
}

// rss is the process's memory in MiB.
func rss(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("no memory figures here: %v", err)
	}
	_, rest, _ := strings.Cut(string(raw), "\nVmRSS:")
	var kb int
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}

// TestRetrievalRanksInBoundedMemory ranks many images and texts and looks at the
// memory meanwhile: once ranking has begun it must not grow with the pairs.
// VLAB_MEMORY_PAIRS makes it 4,000 images and 20,000 texts at the size of
// [albef.Tiny], which takes many minutes on two cores.
func TestRetrievalRanksInBoundedMemory(t *testing.T) {
	c, images := albef.Tiny(), 400
	c.VocabSize, c.QueueSize, c.ImageRes = 500, 1, 32
	c.VisionDepth, c.Layers, c.FusionLayer = 1, 2, 1
	if os.Getenv("VLAB_MEMORY_PAIRS") != "" {
		tiny := albef.Tiny()
		c.ImageRes, c.VisionDepth, c.Layers, c.FusionLayer, images = tiny.ImageRes, tiny.VisionDepth, tiny.Layers, tiny.FusionLayer, 4000
	}
	m, err := albef.NewRetrieval(c, torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	// The first tenth fills the caches of libtorch and of the collector.
	begun, most := 0, 0
	r := &ranker{model: m, k: 16, batch: 32, observe: func(stage string, p train.Progress) {
		if stage != "ranking" || p.Step%rankImages != 0 {
			return
		}
		now := rss(t)
		if p.Step <= p.Steps/10 {
			begun = max(begun, now)
		}
		most = max(most, now)
	}}
	var got *rankings
	torch.NoGrad(func() { got, err = r.rank(t.Context(), noise{images}, noiseTexts(5*images, c.VocabSize)) })
	if err != nil {
		t.Fatal(err)
	}
	pairs := len(got.texts.found) + len(got.images.found)
	t.Logf("%d images, %d texts, up to %d pairs: %d MiB at the tenth of the ranking, at most %d after it", images, 5*images, pairs, begun, most)
	if begun == 0 || most > begun+64 {
		t.Errorf("memory grew from %d to %d MiB while pairs were ranked, want at most 64 more", begun, most)
	}
}
