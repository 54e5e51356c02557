package data_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vlab/albef/data"

	"github.com/google/go-cmp/cmp"
)

// numbers is a source whose sample i is filled with i, its text with a random
// number, some of whose records are bad.
type numbers struct {
	n     int
	bad   func(i int) bool
	delay func(i int) time.Duration
	loads atomic.Int64
}

func (s *numbers) Len() int { return s.n }

func (s *numbers) Load(i int, rng *rand.Rand, dst []float32) (string, error) {
	s.loads.Add(1)
	if s.delay != nil {
		<-time.After(s.delay(i))
	}
	if s.bad != nil && s.bad(i) {
		return "", fmt.Errorf("record %d is broken", i)
	}
	for k := range dst {
		dst[k] = float32(i)
	}
	return fmt.Sprintf("%d:%x", i, rng.Uint32()), nil
}

// delivered is what a batch held, copied.
type delivered struct {
	Epoch, Step int
	Index       []int
	Texts       []string
}

func newLoader(t testing.TB, source data.Source, config data.LoaderConfig) *data.Loader {
	t.Helper()
	l, err := data.NewLoader(source, config)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// take reads n batches, or all of them if n is negative.
func take(t testing.TB, l *data.Loader, n int) []delivered {
	t.Helper()
	var got []delivered
	for n < 0 || len(got) < n {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) && n < 0 {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		each := len(b.Images) / len(b.Index)
		for i, index := range b.Index {
			if first, last := b.Images[i*each], b.Images[(i+1)*each-1]; first != float32(index) || last != float32(index) {
				t.Fatalf("sample %d is record %d, its pixels those of %v to %v", i, index, first, last)
			}
		}
		got = append(got, delivered{b.Epoch, b.Step, append([]int(nil), b.Index...), append([]string(nil), b.Texts...)})
	}
	return got
}

func TestLoaderVisitsEachRecordOnceAnEpoch(t *testing.T) {
	l := newLoader(t, &numbers{n: 23}, data.LoaderConfig{Batch: 4, Size: 2, Epochs: 2, KeepLast: true, Seed: 1})
	defer l.Close()
	if l.Steps() != 6 {
		t.Fatalf("Steps: got %d, want 6", l.Steps())
	}
	seen := [2]map[int]int{{}, {}}
	sequence := [2]string{}
	random := map[string]bool{}
	for _, b := range take(t, l, -1) {
		for _, i := range b.Index {
			seen[b.Epoch][i]++
		}
		for _, text := range b.Texts {
			_, number, _ := strings.Cut(text, ":")
			random[number] = true
		}
		sequence[b.Epoch] += fmt.Sprint(b.Index)
		if want := 4; b.Step < 5 && len(b.Index) != want || b.Step == 5 && len(b.Index) != 3 {
			t.Errorf("step %d has %d samples", b.Step, len(b.Index))
		}
	}
	for epoch, counts := range seen {
		for i := range 23 {
			if counts[i] != 1 {
				t.Errorf("epoch %d: record %d came %d times, want once", epoch, i, counts[i])
			}
		}
	}
	if len(random) != 46 {
		t.Errorf("46 samples drew %d different random numbers, want 46", len(random))
	}
	if sequence[0] == sequence[1] {
		t.Error("both epochs have the same order")
	}
}

func TestLoaderDropsIncompleteBatch(t *testing.T) {
	l := newLoader(t, &numbers{n: 23}, data.LoaderConfig{Batch: 4, Size: 2, Epochs: 1, Order: data.InOrder})
	defer l.Close()
	got := take(t, l, -1)
	if len(got) != 5 || got[4].Index[3] != 19 {
		t.Errorf("got %v, want records 0 to 19 in 5 batches", got)
	}
}

func TestLoaderDoesNotDependOnWorkers(t *testing.T) {
	config := data.LoaderConfig{Batch: 5, Size: 2, Seed: 7}
	broken := func(i int) bool { return i%17 == 3 }
	var want []delivered
	for _, workers := range []int{1, 2, 8} {
		synctest.Test(t, func(t *testing.T) { // also fails where a goroutine is left
			config.Workers, config.Prefetch = workers, workers
			slow := func(i int) time.Duration { return time.Duration(i*7%11) * time.Millisecond }
			l := newLoader(t, &numbers{n: 61, bad: broken, delay: slow}, config)
			defer l.Close()
			got := take(t, l, 30)
			if want == nil {
				want = got
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%d workers: %s", workers, d)
			}
		})
	}
}

func TestLoaderSeekResumes(t *testing.T) {
	config := data.LoaderConfig{Batch: 4, Size: 2, Seed: 3, Workers: 3}
	source := &numbers{n: 30, bad: func(i int) bool { return i == 8 }}
	l := newLoader(t, source, config)
	defer l.Close()
	all := take(t, l, 20) // 7 steps an epoch
	for _, at := range []int{0, 3, 7, 12, 19} {
		fresh := newLoader(t, source, config)
		for name, l := range map[string]*data.Loader{"same loader": l, "new loader": fresh} {
			if err := l.Seek(at/7, at%7); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(all[at:], take(t, l, 20-at)); d != "" {
				t.Errorf("%s from batch %d: %s", name, at, d)
			}
		}
		fresh.Close()
	}
	if err := l.Seek(0, 7); err != nil {
		t.Fatal(err)
	}
	if b := take(t, l, 1)[0]; b.Epoch != 1 || b.Step != 0 {
		t.Errorf("after the end of epoch 0: got epoch %d step %d, want 1 and 0", b.Epoch, b.Step)
	}
	if err := l.Seek(0, 8); err == nil {
		t.Error("seek beyond the end: got no error")
	}
}

func TestLoaderRanksShareTheRecords(t *testing.T) {
	seen := map[int]int{}
	for rank := range 3 {
		l := newLoader(t, &numbers{n: 24}, data.LoaderConfig{Batch: 4, Size: 1, Epochs: 1, Rank: rank, World: 3, Seed: 5})
		for _, b := range take(t, l, -1) {
			for _, i := range b.Index {
				seen[i]++
			}
		}
		l.Close()
	}
	for i := range 24 {
		if seen[i] != 1 {
			t.Errorf("record %d came %d times, want once", i, seen[i])
		}
	}
}

func TestLoaderReplacesAndNamesBadRecords(t *testing.T) {
	source := &numbers{n: 50, bad: func(i int) bool { return i == 10 || i == 11 || i == 49 }}
	l := newLoader(t, source, data.LoaderConfig{Batch: 10, Size: 1, Epochs: 1, Order: data.InOrder})
	defer l.Close()
	got := take(t, l, -1)
	if d := cmp.Diff([]int{12, 12, 12, 13}, got[1].Index[:4]); d != "" {
		t.Error(d)
	}
	if last := got[4].Index[9]; last != 0 {
		t.Errorf("in place of the last record: got %d, want 0", last)
	}
	bad := l.Bad()
	if bad.Count != 4 || len(bad.First) != 3 { // 11 failed as a replacement too
		t.Errorf("got %d failures of %d records, want 4 of 3", bad.Count, len(bad.First))
	}
	if len(bad.First) > 0 && (bad.First[0].Index != 10 || !strings.Contains(bad.First[0].Err.Error(), "record 10 is broken")) {
		t.Errorf("the first is %+v, want record 10", bad.First[0])
	}
}

func TestLoaderGivesUp(t *testing.T) {
	tests := []struct {
		name, want string
		maxBad     float64
		bad        func(int) bool
	}{
		{"all bad", "records 0 to 31 are all bad, the first: record 0 is broken", 0, func(int) bool { return true }},
		{"one in five", "more than 10 %, the first: record 4 is broken", 0, func(i int) bool { return i%5 == 4 }},
		{"a custom limit", "more than 2 %, the first: record 9 is broken", 0.02, func(i int) bool { return i%20 == 9 }},
		{"no replacement", "records 12 to 12 are all bad, the first: record 12 is broken", -1, func(i int) bool { return i == 12 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := data.LoaderConfig{Batch: 10, Size: 1, Epochs: 3, Order: data.InOrder, MaxBad: tt.maxBad}
			l := newLoader(t, &numbers{n: 200, bad: tt.bad}, config)
			defer l.Close()
			var err error
			for err == nil {
				_, err = l.Next(t.Context())
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %q, want it to say %q", err, tt.want)
			}
			checkHint(t, err, "image_root")
			if _, again := l.Next(t.Context()); !errors.Is(again, err) {
				t.Errorf("the next call: got %v, want the same error", again)
			}
			if err := l.Seek(0, 0); err != nil {
				t.Error(err)
			}
		})
	}
	l := newLoader(t, &numbers{n: 200, bad: func(i int) bool { return i%20 == 9 }}, data.LoaderConfig{Batch: 10, Size: 1, Epochs: 3})
	defer l.Close()
	if got := len(take(t, l, -1)); got != 60 {
		t.Errorf("5 %% bad: got %d batches, want all 60", got)
	}
}

func TestLoaderCancelAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(int) time.Duration { return time.Second }
		l := newLoader(t, &numbers{n: 40, delay: slow}, data.LoaderConfig{Batch: 4, Size: 1, Workers: 2, Order: data.InOrder})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the deadline", err)
		}
		got := take(t, l, 2)
		if got[0].Step != 0 || got[1].Step != 1 {
			t.Errorf("after the interrupt: got steps %d and %d, want 0 and 1", got[0].Step, got[1].Step)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
		if _, err := l.Next(t.Context()); err == nil {
			t.Error("Next after Close: got no error")
		}
		if err := l.Seek(0, 0); err == nil {
			t.Error("Seek after Close: got no error")
		}
	}) // fails where a goroutine is left
}

func TestLoaderPrefetchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &numbers{n: 1000}
		l := newLoader(t, source, data.LoaderConfig{Batch: 4, Size: 1, Workers: 4, Prefetch: 3})
		defer l.Close()
		take(t, l, 1)
		synctest.Wait()
		if got := source.loads.Load(); got != 16 {
			t.Errorf("with one batch delivered and 3 ahead: %d samples loaded, want 16", got)
		}
	})
}

func TestLoaderConfigErrors(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		config data.LoaderConfig
	}{
		{"no records", 0, data.LoaderConfig{Batch: 1, Size: 1}},
		{"no batch", 5, data.LoaderConfig{Size: 1}},
		{"no size", 5, data.LoaderConfig{Batch: 1}},
		{"too few", 5, data.LoaderConfig{Batch: 6, Size: 1}},
		{"rank", 5, data.LoaderConfig{Batch: 1, Size: 1, Rank: 2, World: 2}},
	}
	for _, tt := range tests {
		if _, err := data.NewLoader(&numbers{n: tt.n}, tt.config); err == nil {
			t.Errorf("%s: got no error", tt.name)
		}
	}
}

func TestPretrainSource(t *testing.T) {
	dir := t.TempDir()
	var records []data.Pretrain
	for i := range 12 {
		path := filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		content := encodeJPEG(t, scene(60, 40, uint64(i)))
		if i == 5 {
			content = content[:len(content)/2]
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		records = append(records, data.Pretrain{Image: path, Captions: []string{"A", "B"}})
	}
	source := data.NewPretrainSource(records, data.NewAugmented(data.PretrainAugment(16)), strings.ToLower)
	l := newLoader(t, source, data.LoaderConfig{Batch: 6, Size: 16, Epochs: 4, Seed: 2})
	defer l.Close()
	texts := map[string]int{}
	for {
		b, err := l.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range b.Texts {
			texts[text]++
			if b.Index[i] == 5 {
				t.Error("the truncated image was delivered")
			}
		}
		if b.Images[0] == b.Images[len(b.Images)/2] && b.Images[1] == b.Images[len(b.Images)/2+1] && b.Images[0] == 0 {
			t.Error("the images are empty")
		}
	}
	if texts["a"] < 10 || texts["b"] < 10 || len(texts) != 2 {
		t.Errorf("captions drawn: %v, want about as many of a and b", texts)
	}
	bad := l.Bad()
	if bad.Count != 4 || len(bad.First) != 1 || !strings.Contains(bad.First[0].Err.Error(), "5.jpg") {
		t.Errorf("got %+v, want 5.jpg to have failed 4 times", bad)
	}
}

func TestRecordSourceLoadsPairs(t *testing.T) {
	a := writeFile(t, "a.jpg", encodeJPEG(t, scene(30, 30, 1)))
	b := writeFile(t, "b.jpg", encodeJPEG(t, scene(20, 40, 2)))
	tf := data.NewResized(8)
	source := data.NewRecordSource([]data.NLVR{{Images: [2]string{a, b}, Sentence: "s"}}, tf,
		func(r data.NLVR, _ *rand.Rand) string { return r.Sentence })
	l := newLoader(t, source, data.LoaderConfig{Batch: 1, Size: 8, Images: 2, Epochs: 1})
	defer l.Close()
	got, err := l.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{a, b} {
		want := make([]float32, 3*8*8)
		if err := tf.Apply(mustDecode(t, path), nil, want); err != nil {
			t.Fatal(err)
		}
		if !equalFloats(want, got.Images[i*len(want):(i+1)*len(want)]) {
			t.Errorf("image %d of the pair is not %s", i, path)
		}
	}
	if got.Texts[0] != "s" {
		t.Errorf("text: got %q, want s", got.Texts[0])
	}
}

func BenchmarkLoader(b *testing.B) {
	path := writeFile(b, "a.jpg", encodeJPEG(b, scene(640, 480, 1)))
	records := make([]data.Pretrain, 64)
	for i := range records {
		records[i] = data.Pretrain{Image: path, Captions: []string{"a caption"}}
	}
	source := data.NewPretrainSource(records, data.NewAugmented(data.PretrainAugment(256)), nil)
	l := newLoader(b, source, data.LoaderConfig{Batch: 16, Size: 256})
	defer l.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*16/b.Elapsed().Seconds(), "images/s")
}
