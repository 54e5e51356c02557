package train_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlab/albef"
	"vlab/albef/torch"
	"vlab/albef/torch/weights"
	"vlab/albef/train"
)

// changing feeds batches whose texts and hidden words change in number, and of
// which one has nothing hidden.
type changing struct {
	model *albef.Model
	at    int
}

const changingSteps = 12

func (f *changing) Steps() int { return changingSteps }
func (f *changing) Seek(epoch, step int) error {
	f.at = epoch*changingSteps + step
	return nil
}
func (f *changing) Close() error { return nil }

func (f *changing) Next(_ context.Context, s *torch.Scope) (albef.Batch, error) {
	b := changingBatch(s, f.model, f.at)
	f.at++
	return b, nil
}

// changingBatch is batch n, where m is.
func changingBatch(s *torch.Scope, m *albef.Model, n int) albef.Batch {
	const size = 4
	c := m.Config()
	rng := rand.New(rand.NewPCG(7, uint64(n)))
	length, hidden := []int{8, 12, 8}[n%3], []int{16, 16, 32, 16}[n%4]
	ids := func(count, below int) []int64 {
		out := make([]int64, count)
		for i := range out {
			out[i] = rng.Int64N(int64(below))
		}
		return out
	}
	pixels := make([]float32, size*3*c.ImageRes*c.ImageRes)
	for i := range pixels {
		pixels[i] = float32(rng.NormFloat64())
	}
	tensor := func(v []int64, shape ...int) *torch.Tensor { return s.Ints(v, shape...).ToDevice(m.Device()) }
	mask := slices.Repeat(append(slices.Repeat([]int64{1}, length-2), 0, 0), size)
	b := albef.Batch{
		Images: s.Floats(pixels, size, 3, c.ImageRes, c.ImageRes).ToDevice(m.Device()),
		IDs:    tensor(ids(size*length, c.VocabSize), size, length), Mask: tensor(mask, size, length),
		MaskedIDs: tensor(ids(size*length, c.VocabSize), size, length),
	}
	if n != 5 {
		b.Positions, b.Words = tensor(ids(hidden, size*length), hidden), tensor(ids(hidden, c.VocabSize), hidden)
	}
	return b
}

// smallModel returns a model of a few thousand parameters, closed with the test.
func smallModel(t *testing.T, dropout float64) *albef.Model {
	t.Helper()
	return smallModelOn(t, torch.CPU, dropout)
}

func smallModelOn(t *testing.T, dev torch.Device, dropout float64) *albef.Model {
	t.Helper()
	c := albef.Tiny()
	c.VocabSize, c.VisionWidth, c.VisionHeads, c.VisionMLP, c.VisionDepth = 40, 16, 2, 32, 2
	c.Hidden, c.Heads, c.Intermediate, c.Layers, c.FusionLayer = 16, 2, 32, 3, 1
	c.ImageRes, c.EmbedDim, c.QueueSize, c.Dropout = 32, 8, 12, dropout
	m, err := albef.New(c, dev, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// changingLoop trains m for two epochs with a rate that warms up and a weight of
// distillation that grows. The steps go to records.
func changingLoop(m *albef.Model, opt *train.AdamW, how train.Recording, records *[]train.StepRecord) *train.Loop[albef.Batch] {
	return &train.Loop[albef.Batch]{
		Model: m, Opt: opt, Feed: &changing{model: m}, Epochs: 2, LogEvery: 5, Recording: how,
		Schedule: train.Schedule{LR: 1e-3, MinLR: 1e-5, Epochs: 2}, Distill: train.DistillRamp{Weight: 0.4, WarmUp: true},
		// Sealed also where nothing is recorded: the queue's pointer is the device's then,
		// and sums are rounded in the same order.
		Forward: func(b albef.Batch, distill float64) []train.Loss {
			var l albef.Losses
			torch.Sealed(func() { l = m.Pretrain(b, distill) })
			return []train.Loss{{Name: "mlm", Value: l.MLM}, {Name: "ita", Value: l.ITC}, {Name: "itm", Value: l.ITM}}
		},
		Record: func(rec train.StepRecord) error {
			*records = append(*records, rec)
			return nil
		},
	}
}

// trained runs changingLoop on dev and returns its steps, all tensors of the model
// and how many steps were recorded.
func trained(t *testing.T, dev torch.Device, how train.Recording) (records []train.StepRecord, state *weights.Dict, recorded int) {
	t.Helper()
	m := smallModelOn(t, dev, 0.1)
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	var log bytes.Buffer
	loop := changingLoop(m, opt, how, &records)
	loop.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if err := loop.Run(t.Context(), train.Position{}); err != nil {
		t.Fatal(err)
	}
	return records, m.State(), strings.Count(log.String(), "step recorded")
}

// TestRecordedStepsEqualPlainOnes to the last bit: the same draws, the same
// rates, although each recorded step keeps the numbers of the step that it was
// recorded in.
func TestRecordedStepsEqualPlainOnes(t *testing.T) {
	records, state, recorded := trained(t, torch.CPU, train.RecordOn)
	plain, plainState, none := trained(t, torch.CPU, train.RecordOff)
	if recorded < 4 || none != 0 {
		t.Errorf("steps recorded: %d, and %d where none should be; want 4 kinds or more", recorded, none)
	}
	if len(records) != 2*changingSteps || fmt.Sprint(records) != fmt.Sprint(plain) {
		t.Errorf("recorded:\n%v\nplain:\n%v", records, plain)
	}
	for name, want := range plainState.All() {
		if got, _ := state.Get(name); !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s differs after the last step", name)
		}
	}
}

func newRecorder(t *testing.T) *train.Recorder {
	t.Helper()
	r, err := train.NewRecorder(torch.CPU, train.RecordOn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// runWith takes a step of r on n numbers v, and returns the loss.
func runWith(t *testing.T, r *train.Recorder, form string, n int, v float64, step train.StepFunc) float64 {
	t.Helper()
	got := 0.0
	err := torch.Do(func(s *torch.Scope) {
		names, values, err := r.Run(s, form, []*torch.Tensor{nil, torch.Full(s, v, torch.Float32, torch.CPU, n)}, step)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(names, []string{"sum"}) {
			t.Errorf("losses: got %v, want sum", names)
		}
		got = values.Item()
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func sum(_ *torch.Scope, in []*torch.Tensor) []train.Loss {
	return []train.Loss{{Name: "sum", Value: in[1].Sum()}}
}

// TestRecordedStepsKeepNumbersOfTheHost: what stands in for a CUDA graph on a CPU
// must not read them anew, or the tests above would prove nothing.
func TestRecordedStepsKeepNumbersOfTheHost(t *testing.T) {
	r := newRecorder(t)
	for i, want := range []float64{10, 20, 30, 40, 40, 40} {
		number := float64(10 * (i + 1))
		got := runWith(t, r, "", 1, 1, func(_ *torch.Scope, in []*torch.Tensor) []train.Loss {
			return []train.Loss{{Name: "sum", Value: in[1].Scale(number).Sum()}}
		})
		if got != want {
			t.Errorf("step %d: got %v, want %v", i+1, got, want)
		}
	}
}

// TestEachFormRunsOnceBeforeItIsRecorded, and a shape of a form that has run does not.
func TestEachFormRunsOnceBeforeItIsRecorded(t *testing.T) {
	r := newRecorder(t)
	for i, step := range []struct {
		form               string
		n                  int
		recorded, replayed int
	}{
		{"a", 1, 0, 0}, {"a", 1, 0, 0}, {"a", 1, 0, 0}, // warm-up
		{"a", 1, 1, 1}, {"a", 1, 1, 2}, {"a", 2, 2, 3}, {"b", 2, 2, 3}, {"b", 2, 3, 4}, {"a", 2, 3, 5},
	} {
		if got, want := runWith(t, r, step.form, step.n, 3, sum), float64(3*step.n); got != want {
			t.Errorf("step %d: got %v, want %v", i+1, got, want)
		}
		if r.Recorded != step.recorded || r.Replayed != step.replayed {
			t.Errorf("step %d: %d recorded and %d replayed, want %d and %d", i+1, r.Recorded, r.Replayed, step.recorded, step.replayed)
		}
	}
}

// TestOldRecordedStepsAreDropped: 33 shapes don't fit, 32 do.
func TestOldRecordedStepsAreDropped(t *testing.T) {
	r := newRecorder(t)
	for n := range 3 + 33 {
		runWith(t, r, "", n+1, 1, sum)
	}
	for _, again := range []struct{ n, recorded int }{{3 + 33, 33}, {5, 33}, {4, 34}, {5, 34}, {6, 35}} {
		if got := runWith(t, r, "", again.n, 1, sum); got != float64(again.n) || r.Recorded != again.recorded {
			t.Errorf("%d numbers: got %v with %d steps recorded, want %d", again.n, got, r.Recorded, again.recorded)
		}
	}
}

func TestAStepThatReadsCanNotBeRecorded(t *testing.T) {
	r := newRecorder(t)
	err := torch.Do(func(s *torch.Scope) {
		for range 4 {
			_, _, err := r.Run(s, "", nil, func(s *torch.Scope, _ []*torch.Tensor) []train.Loss {
				x := torch.Full(s, 2, torch.Float32, torch.CPU)
				return []train.Loss{{Name: "twice", Value: x.Scale(x.Item())}}
			})
			if r.Recorded > 0 && (err == nil || !strings.Contains(err.Error(), "torch item: an element read")) {
				t.Errorf("got %v, want an error that names item", err)
			}
		}
	})
	if err != nil || r.Recorded != 1 {
		t.Errorf("%v, %d steps recorded, want 1", err, r.Recorded)
	}
}

func TestTasksWhoseStepsCanNotBeRecordedSaySo(t *testing.T) {
	loop := train.Loop[albef.RetrievalBatch]{Model: smallModel(t, 0), Feed: none{}, Epochs: 1, Recording: train.RecordOn}
	err := loop.Run(t.Context(), train.Position{})
	if err == nil || !strings.Contains(err.Error(), "cuda_graphs") {
		t.Errorf("got %v, want an error that names cuda_graphs", err)
	}
}

// none feeds nothing.
type none struct{}

func (none) Steps() int          { return 1 }
func (none) Seek(_, _ int) error { return nil }
func (none) Close() error        { return nil }
func (none) Next(context.Context, *torch.Scope) (albef.RetrievalBatch, error) {
	return albef.RetrievalBatch{}, nil
}

// asOnCUDA runs fn as it would be recorded there.
func asOnCUDA(fn func()) { torch.Composed(func() { torch.Sealed(fn) }) }

// TestAStepAsOnCUDAReadsNothing composes a step of libtorch's own operations, as it
// is on CUDA, and looks at all that libtorch calls: nothing waits for elements. AdamW
// is left to the seal, as libtorch's for a CPU reads its counts of steps.
func TestAStepAsOnCUDAReadsNothing(t *testing.T) {
	m := smallModel(t, 0.1)
	opt := train.NewAdamW(m, decay)
	defer opt.Close()
	for n := range 6 {
		err := torch.Do(func(s *torch.Scope) {
			b := changingBatch(s, m, n).Weighed(s, 0.4)
			ops := torch.Profile(torch.CPU, func() { asOnCUDA(func() { m.Pretrain(b, 0.4).Total().Backward() }) })
			for _, op := range ops {
				if slices.Contains(reading, strings.TrimPrefix(op.Name, "aten::")) {
					t.Errorf("step %d: %s was called %d times", n+1, op.Name, op.Calls)
				}
			}
			if len(ops) < 50 {
				t.Errorf("step %d: %d kinds of operations were seen, want all", n+1, len(ops))
			}
			opt.Rate = torch.NewRate(s, 1e-3, torch.CPU)
			asOnCUDA(func() {
				opt.ClipNorm(s, 1)
				opt.Step(s, 0)
			})
			opt.Rate = nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAStepAsOnCUDAEqualsTheCPUs in its losses, over steps that build on each other.
func TestAStepAsOnCUDAEqualsTheCPUs(t *testing.T) {
	m, plain := smallModel(t, 0), smallModel(t, 0)
	opt, plainOpt := train.NewAdamW(m, decay), train.NewAdamW(plain, decay)
	defer opt.Close()
	defer plainOpt.Close()
	step := func(s *torch.Scope, m *albef.Model, opt *train.AdamW, b albef.Batch) []*torch.Tensor {
		m.SetSampler(top1)
		l := m.Pretrain(b, 0.4)
		opt.Backward(s, l.Total(), 1e-4)
		return []*torch.Tensor{l.MLM, l.ITC, l.ITM}
	}
	for n := range 5 {
		err := torch.Do(func(s *torch.Scope) {
			b := changingBatch(s, m, n)
			var got []*torch.Tensor
			weighed := b.Weighed(s, 0.4)
			asOnCUDA(func() { got = step(s, m, opt, weighed) })
			for i, want := range step(s, plain, plainOpt, b) {
				near(t, fmt.Sprintf("step %d, loss %d", n+1, i), got[i].Item(), want.Item(), 1e-3)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// reading are operations whose results, or their sizes, the host reads.
var reading = []string{
	"item", "_local_scalar_dense", "is_nonzero", "equal", "allclose", "nonzero", "masked_select",
	"multinomial", "_unique2", "unique_dim", "unique_consecutive", "bincount", "repeat_interleave", "coalesce", "_coalesce",
}

func TestCheckpointKeepsBothGenerators(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint.pth")
	m := smallModel(t, 0)
	wrote := train.Checkpoint{State: m.State(), Model: m.Config(), OnCUDA: []byte{1, 2, 3}}
	wrote.KeepRandom(torch.CPU)
	if err := wrote.Write(path, train.Schedule{}, nil); err != nil {
		t.Fatal(err)
	}
	draw := func() (out []float32) {
		if err := torch.Do(func(s *torch.Scope) { out = s.Zeros(torch.CPU, 4).FillNormal(0, 1).Floats() }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := draw()
	read, err := train.ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Drop()
	read.RestoreRandom(torch.CPU)
	if got := draw(); !slices.Equal(got, want) {
		t.Errorf("after the checkpoint: got %v, want %v", got, want)
	}
	if !bytes.Equal(read.OnCUDA, wrote.OnCUDA) {
		t.Errorf("of CUDA: got %v, want %v", read.OnCUDA, wrote.OnCUDA)
	}
}
