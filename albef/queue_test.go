package albef

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vlab/albef/torch"
)

// tiny returns a model of a few thousand parameters, closed with the test.
func tiny(t *testing.T, change func(*Config)) *Model {
	t.Helper()
	c := Tiny()
	c.VocabSize, c.VisionWidth, c.VisionHeads, c.VisionMLP, c.VisionDepth = 40, 16, 2, 32, 2
	c.Hidden, c.Heads, c.Intermediate, c.Layers, c.FusionLayer = 16, 2, 32, 3, 1
	c.ImageRes, c.EmbedDim, c.QueueSize = 32, 8, 6
	if change != nil {
		change(&c)
	}
	m, err := New(c, torch.CPU, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestQueueHoldsTheLast(t *testing.T) {
	m := tiny(t, nil)
	err := torch.Do(func(s *torch.Scope) {
		for push := range 5 { // 5 pushes of 2 into 6 places
			row := func(v float32) []float32 { return slices.Repeat([]float32{v}, 8) }
			feats := s.Floats(slices.Concat(row(float32(2*push)), row(float32(2*push+1))), 2, 8)
			m.queue.push(feats, feats.Scale(10))
		}
		got := s.Use(m.queue.images).Select(0, 0).Floats()
		if want := []float32{6, 7, 8, 9, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("images: got %v, want %v", got, want)
		}
		if got := s.Use(m.queue.texts).Select(0, 3).Floats()[1]; got != 70 {
			t.Errorf("texts: got %v at place 1, want 70", got)
		}
		if m.queue.next != 4 || m.queue.pointer.Ints()[0] != 4 {
			t.Errorf("pointer: got %d and %d, want 4", m.queue.next, m.queue.pointer.Ints()[0])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestQueueRefusesABatchThatDoesNotDivideIt(t *testing.T) {
	m := tiny(t, nil)
	err := torch.Do(func(s *torch.Scope) { m.queue.push(s.Zeros(torch.CPU, 4, 8), s.Zeros(torch.CPU, 4, 8)) })
	if err == nil {
		t.Fatal("a batch of 4 into a queue of 6: got no error")
	}
}

func TestITCOfMatchedOneHotsIsNearZero(t *testing.T) {
	m := tiny(t, func(c *Config) { c.Temperature = 0.01 })
	err := torch.Do(func(s *torch.Scope) {
		m.queue.images.Copy(s.Zeros(torch.CPU, 8, 6))
		m.queue.texts.Copy(s.Zeros(torch.CPU, 8, 6))
		feats := s.Eye(torch.CPU, 8)
		if loss := m.itc([]part{{n: 8}}, queries{feats, feats, feats, feats}, together{}, torch.Share{}).loss.Item(); loss > 1e-6 {
			t.Errorf("matched: loss %g, want nearly 0", loss)
		}
		wrong := torch.Cat(0, feats.Narrow(0, 1, 7), feats.Narrow(0, 0, 1))
		if loss := m.itc([]part{{n: 8}}, queries{feats, wrong, feats, wrong}, together{}, torch.Share{}).loss.Item(); loss < 50 {
			t.Errorf("mismatched: loss %g, want about 100", loss)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHardNegativesAreNeverTrueOfTheImage(t *testing.T) {
	m := tiny(t, nil)
	err := torch.Do(func(s *torch.Scope) {
		sims := s.Zeros(torch.CPU, 3, 3)
		// texts 0 and 1 are both true of image 0; text 2 of image 2 alone.
		same := s.Floats([]float32{1, 1, 0, 0, 1, 0, 0, 0, 1}, 3, 3)
		for range 50 {
			drawn := m.hardNegatives(itcTerms{i2t: sims, t2i: sims}, same)
			for text, image := range drawn.images.Ints() {
				if (text == 1 && image == 0) || int(image) == text {
					t.Fatalf("text %d drew image %d, of which it is true", text, image)
				}
			}
			if texts := drawn.texts.Ints(); texts[0] != 2 {
				t.Fatalf("image 0 drew text %d, want 2, the only one false of it", texts[0])
			}
			if labels := drawn.labels.Ints(); !slices.Equal(labels, make([]int64, 6)) {
				t.Fatalf("labels: got %v, want zeros", labels)
			}
		}
		all := torch.Full(s, 1, torch.Float32, torch.CPU, 3, 3)
		if labels := m.hardNegatives(itcTerms{i2t: sims, t2i: sims}, all).labels.Ints(); !slices.Equal(labels, slices.Repeat([]int64{ignored}, 6)) {
			t.Fatalf("labels where every text is true of every image: got %v, want %d", labels, ignored)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBatchOfOneImageWithQuirks: the official code has nothing to draw from.
func TestBatchOfOneImageWithQuirks(t *testing.T) {
	m := tiny(t, nil)
	m.OfficialQuirks(true)
	err := torch.Do(func(s *torch.Scope) {
		all := torch.Full(s, 1, torch.Float32, torch.CPU, 3, 3)
		m.hardNegatives(itcTerms{i2t: s.Zeros(torch.CPU, 3, 3), t2i: s.Zeros(torch.CPU, 3, 3)}, all)
	})
	if err == nil {
		t.Error("negatives were drawn where there are none")
	}
}

// TestNothingMasked: MLM then counts nothing; officially it is the mean of
// nothing.
func TestNothingMasked(t *testing.T) {
	for _, quirks := range []bool{false, true} {
		m := tiny(t, nil)
		m.OfficialQuirks(quirks)
		err := torch.Do(func(s *torch.Scope) {
			ids := s.Ints([]int64{2, 7, 8, 2, 9, 5}, 2, 3)
			mask := torch.Full(s, 1, torch.Int64, torch.CPU, 2, 3)
			out := m.Pretrain(Batch{Images: s.Zeros(torch.CPU, 2, 3, 32, 32), IDs: ids, Mask: mask, MaskedIDs: ids}, 0.4)
			if mlm := out.MLM.Item(); math.IsNaN(mlm) != quirks || !quirks && mlm != 0 {
				t.Errorf("official_quirks %v: MLM is %v", quirks, mlm)
			}
			if total := out.Total().Item(); math.IsNaN(total) != quirks {
				t.Errorf("official_quirks %v: the sum is %v", quirks, total)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestMomentumMovesByItsShare(t *testing.T) {
	m := tiny(t, func(c *Config) { c.MomentumDecay = 0.9 })
	online, momentum := m.online[0], m.momentum[0]
	err := torch.Do(func(s *torch.Scope) {
		online.Copy(torch.Full(s, 1, torch.Float32, torch.CPU))
		momentum.Copy(torch.Full(s, 0, torch.Float32, torch.CPU))
		m.MomentumUpdate()
		if got := momentum.Floats()[0]; got < 0.0999 || got > 0.1001 {
			t.Errorf("after one update: got %v, want 0.1", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.online) != len(m.momentum) || len(m.online) == 0 {
		t.Errorf("%d online parameters beside %d momentum ones", len(m.online), len(m.momentum))
	}
}

// TestQueueOnTheDeviceEqualsTheHosts over pushes by turns of the one kind and the
// other, around the end of the ring, with groups.
func TestQueueOnTheDeviceEqualsTheHosts(t *testing.T) {
	newModel := func() *Model {
		m := tiny(t, nil)
		groups := torch.Full(nil, noGroup, torch.Int64, torch.CPU, 1, m.queue.size)
		t.Cleanup(groups.Close)
		m.queue.groups = groups
		return m
	}
	host, device := newModel(), newModel()
	alone := func(push int, fn func()) { // every third push goes by the host also there
		if push%3 == 1 {
			fn()
			return
		}
		torch.Sealed(fn)
	}
	for push := range 8 {
		err := torch.Do(func(s *torch.Scope) {
			feats := s.Zeros(torch.CPU, 2, 8).FillNormal(0, 1)
			groups := s.Ints([]int64{int64(push), int64(push + 100)}, 2)
			want := torch.Cat(1, host.queue.bank(s, host.queue.images, 2)...)
			host.queue.pushGroups(feats, feats.Scale(10), groups)
			var bank []*torch.Tensor
			alone(push, func() {
				bank = device.queue.bank(s, device.queue.images, 2)
				device.queue.pushGroups(feats, feats.Scale(10), groups)
			})
			if got := torch.Cat(1, bank...); !slices.Equal(got.Floats(), want.Floats()) {
				t.Errorf("push %d: the bank isn't the same, or was overwritten", push)
			}
			for i, pair := range [][2]*torch.Tensor{
				{host.queue.images, device.queue.images},
				{host.queue.texts, device.queue.texts},
				{host.queue.groups, device.queue.groups},
				{host.queue.pointer, device.queue.pointer},
			} {
				if got, want := s.Use(pair[1]).To(torch.Float32).Floats(), s.Use(pair[0]).To(torch.Float32).Floats(); !slices.Equal(got, want) {
					t.Errorf("push %d, part %d: got %v, want %v", push, i, got, want)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestGradientsOfITCAreThoseBeforeThePush, by whichever kind of bank.
func TestGradientsOfITCAreThoseBeforeThePush(t *testing.T) {
	gradient := func(pushed, sealed bool) (out []float32) {
		m := tiny(t, nil)
		err := torch.Do(func(s *torch.Scope) {
			torch.Seed(9)
			feats, momentum := s.Zeros(torch.CPU, 2, 8).FillNormal(0, 1).RequireGrad(true), s.Zeros(torch.CPU, 2, 8).FillNormal(0, 1)
			work := func() {
				loss := m.itc([]part{{n: 2}}, queries{feats, feats, momentum, momentum}, together{}, torch.Share{Value: 0.4}).loss
				if pushed {
					m.queue.push(momentum, momentum)
				}
				loss.Backward()
			}
			if sealed {
				torch.Sealed(work)
			} else {
				work()
			}
			out = torch.Grads(s, []*torch.Tensor{feats})[0].Floats()
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := gradient(false, false)
	for _, sealed := range []bool{false, true} {
		for i, got := range gradient(true, sealed) {
			if math.Abs(float64(got-want[i])) > 1e-5 {
				t.Errorf("sealed %v, entry %d: got %v, want %v", sealed, i, got, want[i])
			}
		}
	}
}

// TestNegativesTooUnlikeForFloat32: a row of weights that are all rounded to 0
// asks for nothing, where torch.multinomial would end the run.
func TestNegativesTooUnlikeForFloat32(t *testing.T) {
	m := tiny(t, nil)
	err := torch.Do(func(s *torch.Scope) {
		sims := s.Eye(torch.CPU, 3).Scale(1000)
		drawn := m.hardNegatives(itcTerms{i2t: sims, t2i: sims}, nil)
		if labels := drawn.labels.Ints(); !slices.Equal(labels, slices.Repeat([]int64{ignored}, 6)) {
			t.Errorf("labels: got %v, want %d", labels, ignored)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestABatchOfOneHasNoNegatives in pretraining; in retrieval none is asked about then.
func TestABatchOfOneHasNoNegatives(t *testing.T) {
	m := tiny(t, nil)
	err := torch.Do(func(s *torch.Scope) {
		b := Batch{Images: s.Zeros(torch.CPU, 1, 3, 32, 32), IDs: s.Ints([]int64{2, 3}, 1, 2)}
		err := b.Check(m.config)
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "batch_size") {
			t.Errorf("pretraining: got %v, want an error with a hint on batch_size", err)
		}
		retrieval := RetrievalBatch{Images: b.Images, IDs: b.IDs, Index: s.Ints([]int64{4}, 1)}
		if err := retrieval.Check(m.config); err != nil {
			t.Errorf("retrieval: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBatchWithItsOwnTensorsIsItself, and with others it leaves the first as it is.
func TestBatchWithItsOwnTensorsIsItself(t *testing.T) {
	err := torch.Do(func(s *torch.Scope) {
		x := func() *torch.Tensor { return s.Zeros(torch.CPU, 2, 2) }
		b := Batch{
			Images: x(), IDs: x(), Mask: x(), MaskedIDs: x(), Positions: x(), Words: x(), Same: x(),
			Claims: &Claims{x(), x(), x(), x()}, Cells: &Cells{Labels: []*torch.Tensor{x(), x()}},
		}.Weighed(s, 0.3)
		for i, part := range b.Tensors() {
			if part == nil {
				t.Errorf("tensor %d is nil", i)
			}
		}
		if got := b.With(b.Tensors()); !reflect.DeepEqual(got, b) {
			t.Errorf("got %v, want %v", got, b)
		}
		before, others := b.Tensors(), b.Tensors()
		for i := range others {
			others[i] = x()
		}
		if got := b.With(others).Tensors(); !slices.Equal(got, others) || !slices.Equal(b.Tensors(), before) {
			t.Errorf("got %v, want %v; and the first has %v, want %v", got, others, b.Tensors(), before)
		}
		bare := Batch{Images: x()}
		if got := bare.With(bare.Tensors()); !reflect.DeepEqual(got, bare) {
			t.Errorf("bare: got %v, want %v", got, bare)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
