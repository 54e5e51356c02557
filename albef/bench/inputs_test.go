package bench_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	"os"
	"testing"

	"vlab/albef/bench"
)

func TestCaptionsAreAsLongAsFlickrs(t *testing.T) {
	sum, n := 0, bench.RerankImages*bench.CaptionsPerImage
	for i := range n {
		k := bench.CaptionTokens(i)
		if k < 8 || k > 25 {
			t.Errorf("caption %d has %d tokens, want 8 to 25", i, k)
		}
		sum += k
	}
	if mean := float64(sum) / float64(n); mean < 13 || mean > 13.8 {
		t.Errorf("captions have %.1f tokens in the mean, want about 13.4", mean)
	}
}

func TestAnswersHaveTheWordsThatAreSaid(t *testing.T) {
	count := map[int]int{}
	for i := range bench.AnswerCount {
		count[bench.AnswerWords(i)]++
	}
	if count[1] != 60 || count[2] != 25 || count[3] != 10 || count[4] != 5 {
		t.Errorf("got %v answers by words, want 60, 25, 10 and 5", count)
	}
}

func TestPicturesAreTheSameEveryTimeAndOfAPhotographsSize(t *testing.T) {
	first, second := written(t), written(t)
	if len(first) != 16 {
		t.Errorf("got %d pictures, want 16", len(first))
	}
	for i, raw := range first {
		c, form, err := image.DecodeConfig(bytes.NewReader(raw))
		if err != nil || form != "jpeg" || c.Width != 640 || c.Height != 480 {
			t.Errorf("picture %d: %s of %d x %d, %v", i, form, c.Width, c.Height, err)
		}
		if len(raw) < 60e3 || len(raw) > 150e3 {
			t.Errorf("picture %d has %d bytes, a photograph of that size some 100,000", i, len(raw))
		}
		if !bytes.Equal(raw, second[i]) {
			t.Errorf("picture %d is another the second time", i)
		}
		if i > 0 && bytes.Equal(raw, first[0]) {
			t.Errorf("picture %d is the first", i)
		}
	}
}

func written(t *testing.T) (content [][]byte) {
	t.Helper()
	paths, err := bench.WritePictures(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, raw)
	}
	return content
}
